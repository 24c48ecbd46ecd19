import {cursorOf, type Row, type Tool} from '../tool.ts'
import {ROWS} from '../tools.generated.js'
import {appLogsTool, whyTool} from './last-run.ts'
import {invokeTool} from './invoke.ts'
import {
  faultTool,
  replayTool,
  changeReminderTool,
  changeWorkflowTool,
  replayWorkflowTool,
  traceTool
} from './requests.ts'
import {asksOf, askRoutes} from './route-tool.ts'
import {downTool, upTool} from './run.ts'

/** Code of tools that do more than one request with an answer in JSON. */
const OWN: Readonly<Record<string, Pick<Tool, 'alone' | 'run'> | ((row: Row) => Pick<Tool, 'alone' | 'run'>)>> = {
  up: upTool,
  down: downTool,
  invoke: invokeTool,
  trace: traceTool,
  app_logs: appLogsTool,
  why: whyTool,
  replay: replayTool,
  fault: faultTool,
  change_workflow: changeWorkflowTool,
  change_reminder: changeReminderTool,
  replay_workflow: replayWorkflowTool
}

/** The tools of `x-tools` in `schema/api.yaml`. */
export const TOOLS: readonly Tool[] = ROWS.map(row => {
  const own = OWN[row.name]
  return {
    ...row,
    run: async (run, given, signal) => askRoutes(run, row, asksOf(row, given), {cursor: cursorOf(given), signal}),
    ...(typeof own === 'function' ? own(row) : own)
  }
})
