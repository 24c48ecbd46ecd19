import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {inToolWords} from '../words.ts'
import {givenOf, givenText, type Row, type Tool} from '../tool.ts'
import {jsonAnswer} from './route-tool.ts'

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
      why = ': the run has ended' // the request was sent
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
