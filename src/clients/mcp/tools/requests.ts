import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {inToolWords, listAnswer} from '../answer.ts'
import {givenOf, givenText, type Row, type Tool, givenNumber, cursorParts} from '../tool.ts'
import {jsonAnswer, askRoutes, asksOf} from './route-tool.ts'
import {bodiesOf} from '../../../control/tree-bodies.ts'
import {durationText} from '../../../model/duration.ts'
import {callsOfTree, edgeOfNode, linesBelow, notesOf, nodeOutcome} from '../../../model/tree-words.ts'

export const replayTool = (row: Row): Pick<Tool, 'run'> => ({
  run: async (run, given, signal) => {
    const {calls, lastFailed, pinned, unsafe, body: content, headers} = given
    if ([calls, lastFailed, pinned].filter(each => each !== undefined && each !== false).length !== 1)
      throw new UserError('replay needs one of "calls", "lastFailed" and "pinned"', {
        explanation: 'For example {"calls": [7], "unsafe": true}.'
      })
    const others = Object.entries((headers ?? {}) as Readonly<Record<string, string>>)
    const edit = {
      ...givenOf(given, 'method', 'path'),
      ...(content !== undefined && {body: typeof content === 'string' ? content : JSON.stringify(content)}),
      ...(others.length > 0 && {headers: Object.fromEntries(others.map(([name, value]) => [name, value || null]))})
    }
    const body = {calls, lastFailed, pinned, unsafe, ...(Object.keys(edit).length > 0 && {edit})}
    const results: Api.Replay[] = []
    let why = ''
    try {
      for await (const result of await run.api.follow('POST /replays', {body, signal, isWhole: true}))
        results.push(result)
    } catch (error) {
      if (results.length === 0) throw error
      why = ': the run has ended' // reports the results so far: these requests were sent
    }
    const replays = results.map(result => ({...result, hint: inToolWords(result.hint)}))
    const sent = results.filter(({after}) => after !== null).length
    const note = `${sent} of ${results.length} calls were sent again${why}.`
    return jsonAnswer(row, {replays}, {note})
  }
})

/** Lists, adds, removes, disables or enables faults. */
export const faultTool = (row: Row): Pick<Tool, 'run'> => ({
  run: async ({api}, {kind, ...given}, signal) => {
    const [verb, ...others] = Object.keys(given).filter(key => ['off', 'disable', 'enable'].includes(key))
    if (verb === undefined) {
      const body = kind === undefined ? given : {...given, [kind as string]: true}
      const isList = Object.keys(body).length === 0
      return jsonAnswer(
        row,
        await (isList ? api.ask('GET /faults', {signal}) : api.ask('POST /faults', {body, signal}))
      )
    }
    if (others.length > 0 || kind !== undefined || Object.keys(given).length > 1)
      throw new UserError(`"${verb}" cannot be combined with other arguments`, {
        explanation: 'It is the number of a fault, or all.'
      })
    const number = givenText(given, verb)
    const at = {number, verb: verb as 'disable' | 'enable'}
    const [one, all] =
      verb === 'off'
        ? (['DELETE /faults/{number}', 'DELETE /faults'] as const)
        : (['POST /faults/{number}/{verb}', `POST /faults/${at.verb}`] as const)
    return jsonAnswer(row, await (number === 'all' ? api.ask(all, {signal}) : api.ask(one, {at, signal})))
  }
})

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

export const traceTool: Pick<Tool, 'run'> = {
  run: async (run, given, signal) => {
    // the cursor names the call of the earlier rows: another call may be the latest match by now
    const [asked = '', row = '0'] = cursorParts(given, /^(\d*):(\d+)$/)
    const tree = await run.api.ask('GET /trace', {query: {q: asked || givenText(given, 'filter')}, signal})
    const bodies =
      given['bodies'] === true ? await bodiesOf(run.api, tree, signal) : new Map<number, readonly string[]>()
    const lines = linesBelow(tree, {hasLines: given['lines'] === true})
    const from = Number(row)
    const left = tree.nodes.slice(from)
    return listAnswer({
      summary: `A request of ${callsOfTree(tree)} calls${tree.nodes[0]?.isFailed === true ? ', which failed' : ''}.`,
      rows: left.map(node => {
        const indent = '  '.repeat(node.depth)
        const below = [...(bodies.get(node.id) ?? []), ...(lines.get(node.id) ?? [])].map(
          line => `\n${indent}    ${line}`
        )
        const notes = [durationText(node.totalMs), ...notesOf(node, tree.failedAt)].join(', ')
        return `${indent}${node.id > 0 ? `${node.id} ` : ''}${edgeOfNode(node)} ${node.what}: ${nodeOutcome(node)}; ${notes}${below.join('')}`
      }),
      cursorAfter: count => (count < left.length ? `${tree.asked > 0 ? tree.asked : ''}:${from + count}` : '')
    })
  }
}
