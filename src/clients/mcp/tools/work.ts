import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {jsonOrText} from '../../../model/exact-json.ts'
import {listAnswer} from '../answer.ts'
import type {Row} from '../rows.ts'
import {givenNumber, givenOf, givenText, type Arguments, type Tool} from '../tool.ts'
import {askRoutes, type Asks} from './route-tool.ts'

const asking =
  (asks: (given: Arguments) => Asks) =>
  (row: Row): Pick<Tool, 'run'> => ({
    run: async (run, given, signal) => askRoutes(run, row, asks(given), {cursor: 0, signal})
  })

export const changeReminderTool = asking(({action, ...given}) => ({
  routes: [action === 'delete' ? 'POST /reminder/delete' : 'POST /reminder/run'],
  given
}))

function workflowChange(all: Arguments): Asks {
  const action = givenText(all, 'action')
  if ((all['name'] === undefined) === (action === ''))
    throw new UserError('change_workflow needs either "name" or "action"', {
      explanation:
        'For example {"name": "order", "input": {}}, or {"id": "o-17", "action": "raise", "event": "approved"}.'
    })
  if (action !== '' && all['id'] === undefined) throw new UserError('change_workflow needs "id" with "action"')
  const named = givenOf(all, 'app')
  if (action === 'purge') return {routes: ['POST /workflows/purge'], given: {...named, ids: [givenText(all, 'id')]}}
  const payloads = Object.entries(givenOf(all, 'input', 'data', 'output')).map(
    ([name, value]: readonly [string, unknown]) =>
      [name, typeof value === 'string' ? jsonOrText(value) : value] as const
  )
  const step = all['step'] === undefined ? {} : {[action === 'skip' ? 'timer' : 'eventId']: givenNumber(all, 'step')}
  const given = {...step, ...named, ...givenOf(all, 'name', 'id', 'event', 'reason'), ...Object.fromEntries(payloads)}
  if (action === '') return {routes: ['POST /workflows'], given}
  return {routes: ['POST /workflow/{action}'], at: {action}, given}
}

export const changeWorkflowTool = asking(workflowChange)

export const replayWorkflowTool: Pick<Tool, 'run'> = {
  run: async (run, all, signal) => {
    const instance = givenOf(all, 'id', 'app')
    const {app, workers} = await run.api.ask('GET /workflow', {query: instance, signal})
    if (workers === 0)
      throw new UserError(`"${app}" has no worker of workflows connected, which would run the code`, {
        explanation: 'Wait until it is ready, or look at its log ("app_logs").'
      })
    const replays: Api.WorkflowReplayed[] = []
    const first = givenNumber(all, 'turn', 1) - 1
    for (let [turn, turns] = [first, first + 1]; turn < turns; turn++) {
      const replayed = await run.api.ask('POST /workflows/replay', {body: {...instance, turn}, signal})
      replays.push(replayed)
      turns = replayed.difference === '' ? replayed.turns : 0
    }
    const last = replays.at(-1)
    return listAnswer({
      summary: `The code ${last?.difference === '' ? 'does' : 'does not do'} what the history says: ${replays.length} of ${last?.turns ?? 0} turns replayed.`,
      fromEnd: true, // the last turn says the most
      rows: replays.map(turnText)
    })
  }
}

function turnText({turn, came, did, does, difference}: Api.WorkflowReplayed): string {
  const was = `- turn ${turn + 1}: ${came.join(', ')} → ${did.join(', ') || 'waits'}`
  return difference === '' ? was : `${was}, now ${does.join(', ') || 'waits'}: ${difference}`
}
