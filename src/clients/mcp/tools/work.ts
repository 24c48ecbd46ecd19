import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {givenNumber, givenOf, type Row, type Tool} from '../tool.ts'
import {askRoutes, asksOf, jsonAnswer} from './route-tool.ts'

export const changeReminderTool = (row: Row): Pick<Tool, 'run'> => ({
  run: async (run, {action, ...given}, signal) =>
    askRoutes(run, row, {routes: [action === 'run' ? 'POST /reminder/run' : 'POST /reminder/delete'], given}, {signal})
})

export const changeWorkflowTool = (row: Row): Pick<Tool, 'run'> => ({
  run: async (run, {step, ...given}, signal) => {
    const {action, app, id} = given
    const purge = {routes: ['POST /workflows/purge'], given: {app, ids: [id]}} as const
    const timer = action === 'skip' ? {timer: step} : {step}
    const isPurge = action === 'purge' && id !== undefined
    const asks = isPurge ? purge : asksOf(row, {...given, ...(step !== undefined && timer)})
    return askRoutes(run, row, asks, {signal})
  }
})

export const replayWorkflowTool = (row: Row): Pick<Tool, 'run'> => ({
  run: async ({api}, all, signal) => {
    const instance = givenOf(all, 'id', 'app')
    const {app, workers} = await api.ask('GET /workflow', {query: instance, signal})
    if (workers === 0)
      throw new UserError(`"${app}" has no worker of workflows connected, which would run the code`, {
        explanation: 'Wait until it is ready, or look at its log ("app_logs").'
      })
    const turns: Api.WorkflowReplayed[] = []
    const first = givenNumber(all, 'turn', 1) - 1
    for (let [turn, end] = [first, first + 1]; turn < end; turn++) {
      const replayed = await api.ask('POST /workflows/replay', {body: {...instance, turn}, signal})
      // people and the argument count from 1, the API from 0
      turns.push({...replayed, turn: turn + 1})
      end = replayed.difference === '' ? replayed.turns : 0
    }
    const isSame = turns.at(-1)?.difference === ''
    return jsonAnswer(row, {turns}, {note: `The code ${isSame ? 'does' : 'does not do'} what the history says. `})
  }
})
