import type {Tool} from '../tool.ts'
import {appLogs, listApps, restartTool, startTool, whyTool} from './apps.ts'
import {call, callsTool, graphTool, traceTool} from './calls.ts'
import {invokeTool} from './invoke.ts'
import {faultTool, replayTool, waitTool} from './requests.ts'
import {downTool, upTool} from './run.ts'
import {replayWorkflowTool, WORK_TOOLS} from './work.ts'

export const TOOLS: readonly Tool[] = [
  upTool,
  listApps,
  invokeTool,
  traceTool,
  callsTool,
  call,
  appLogs,
  whyTool,
  waitTool,
  replayTool,
  graphTool,
  startTool,
  restartTool,
  faultTool,
  downTool,
  replayWorkflowTool,
  ...WORK_TOOLS
]
