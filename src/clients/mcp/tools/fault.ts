import type * as Api from '../../../model/api.generated.ts'
import type {FoundRun} from '../../../control/client.ts'
import {UserError} from '../../../model/errors.ts'
import {listAnswer} from '../answer.ts'
import {givenText, textProperty, type ToolProperty, type Tool} from '../tool.ts'

const flag = (description: string): ToolProperty => ({type: 'boolean', description})

export const faultTool: Tool = {
  name: 'fault',
  title: 'Make calls fail',
  description:
    'Makes calls from one app to another fail on purpose (from, to, and what happens), removes faults (off), disables and enables them (disable, enable), or lists them (no arguments). Faults end with the run.',
  changes: 'something',
  properties: {
    from: textProperty('The id of the caller, or any'),
    to: textProperty('The id of the callee, or any'),
    actor: textProperty('Only calls of actors of this type, their timers and reminders; from and to may be left out'),
    method: textProperty('Only calls with this method'),
    path: textProperty('Only calls with this path; * matches anything'),
    delay: textProperty('Delays calls by this time: 300ms'),
    jitter: textProperty('Varies the delay by up to this time'),
    status: {
      type: 'integer',
      description: 'Responds with this status instead of the callee',
      minimum: 200,
      maximum: 599
    },
    body: textProperty('The body of that response'),
    abort: flag('The connection of the caller is reset'),
    never: flag('There is no response until the caller disconnects'),
    cut: flag('The response breaks off after its head'),
    kill: flag('The process of the callee is killed while it handles the call'),
    rate: {type: 'number', description: 'Share of the calls to hit', minimum: 0, maximum: 1},
    seed: {type: 'integer', description: 'Selects which calls these are'},
    times: {type: 'integer', description: 'Hit this many calls, then none', minimum: 1},
    for: textProperty('The fault ends after this time: 5m'),
    off: textProperty('Removes this fault: its number, or all'),
    disable: textProperty('Disables this fault and keeps its counts: its number, or all'),
    enable: textProperty('Enables this fault again: its number, or all')
  },
  run: async (run, given, signal) => {
    const verb = (['off', 'disable', 'enable'] as const).find(each => given[each] !== undefined)
    if (verb === undefined && Object.keys(given).length === 0)
      return shown('Active faults.', await run.api.ask('GET /faults', {signal}))
    if (verb === undefined) return shown('Added.', await run.api.ask('POST /faults', {body: given, signal}))
    if (Object.keys(given).length > 1)
      throw new UserError(`"${verb}" cannot be combined with other arguments`, {
        explanation: 'It is the number of a fault, or all.'
      })
    const answer = await changed(run.api, verb, givenText(given, verb), signal)
    return shown(verb === 'off' ? 'Removed.' : `It is ${verb}d.`, answer)
  }
}

async function changed(
  api: FoundRun['api'],
  verb: 'off' | 'disable' | 'enable',
  number: string,
  signal: AbortSignal
): Promise<Api.Faults> {
  if (number === 'all') return api.ask(verb === 'off' ? 'DELETE /faults' : `POST /faults/${verb}`, {signal})
  if (verb === 'off') return api.ask('DELETE /faults/{number}', {at: {number}, signal})
  return api.ask('POST /faults/{number}/{verb}', {at: {number, verb}, signal})
}

const shown = (summary: string, {faults, removed}: Api.Faults): ReturnType<typeof listAnswer> =>
  listAnswer({
    summary: faults.length === 0 ? `${summary} There are no faults.` : summary,
    items: faults.map(({number, isEnabled, matched, hits, texts: {edge, effect, rate, limit}}) => ({
      text: `- fault ${number}: ${[edge, effect, rate, limit].filter(each => each !== '').join('; ')}${isEnabled ? '' : '; disabled'}; hit ${hits} of ${matched}`,
      fact: {number, isEnabled, hits, matched}
    })),
    facts: {removed},
    isOurs: true
  })
