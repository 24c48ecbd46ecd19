import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {listAnswer} from '../answer.ts'
import {ID, INSTANCE_APP} from './workflows.ts'
import {givenNumber, givenTexts, type Tool} from '../tool.ts'

export const replayWorkflowTool: Tool = {
  name: 'replay_workflow',
  title: 'Replay a workflow',
  description:
    'Gives a worker the turns of a workflow instance once more, one after the other, and compares what the code does now with the history: after a change of the code this shows whether instances that run can continue with it, and the first step that cannot. No activity runs, and nothing is changed.',
  changes: 'nothing',
  properties: {
    id: ID,
    app: INSTANCE_APP,
    turn: {type: 'integer', description: 'Begins with this turn instead of the first one, 1', minimum: 1}
  },
  required: ['id'],
  run: async (run, all, signal) => {
    const instance = givenTexts(all, 'id', 'app')
    const {app, id, workers} = await run.api.ask('GET /workflow', {query: instance, signal})
    if (workers === 0)
      throw new UserError(`"${app}" has no worker of workflows connected, which would run the code`, {
        explanation: `Wait until it is ready, or look at its log ("app_logs").`
      })
    const replays: Api.WorkflowReplayed[] = []
    const first = givenNumber(all, 'turn', 1) - 1
    let turns = first + 1
    for (let turn = first; turn < turns; turn++) {
      const replayed = await run.api.ask('POST /workflows/replay', {body: {...instance, turn}, signal})
      replays.push(replayed)
      turns = replayed.difference === '' ? replayed.turns : 0
    }
    const last = replays.at(-1)
    const isAsItWas = last?.difference === ''
    const of = `${replays.length === 1 ? '1 turn' : `${replays.length} turns`} of ${last?.turns ?? 0}`
    return listAnswer({
      summary: `${isAsItWas ? 'The code does what the history says' : 'The code does not do what the history says'}: ${of} replayed.`,
      // the last turn says the most
      fromEnd: true,
      items: replays.map(each => ({
        text: turnText(each),
        fact: {turn: each.turn + 1, isAsItWas: each.difference === ''}
      })),
      facts: {app, id, isAsItWas}
    })
  }
}

function turnText({turn, came, did, does, difference}: Api.WorkflowReplayed): string {
  const was = `- turn ${turn + 1}: ${came.join(', ')} → ${did.join(', ') || 'waits'}`
  return difference === '' ? was : `${was}, now ${does.join(', ') || 'waits'}: ${difference}`
}
