import type {Tool} from '../tool.ts'
import {actorsTool, changeReminderTool, remindersTool} from './actors.ts'
import {appLogs, listApps, restartTool, whyTool} from './apps.ts'
import {call, callsTool, graphTool} from './calls.ts'
import {faultTool} from './fault.ts'
import {invokeTool} from './invoke.ts'
import {changeJobTool, jobsTool} from './jobs.ts'
import {replayTool} from './replay.ts'
import {replayWorkflowTool} from './replay-workflow.ts'
import {traceTool} from './trace.ts'
import {waitTool} from './wait.ts'
import {changeWorkflowTool, workflowsTool, workflowTool} from './workflows.ts'

export const TOOLS: readonly Tool[] = [
  listApps,
  appLogs,
  callsTool,
  call,
  traceTool,
  graphTool,
  whyTool,
  waitTool,
  invokeTool,
  replayTool,
  restartTool,
  faultTool,
  workflowsTool,
  workflowTool,
  replayWorkflowTool,
  changeWorkflowTool,
  jobsTool,
  changeJobTool,
  actorsTool,
  remindersTool,
  changeReminderTool
]
