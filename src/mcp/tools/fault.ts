import type {FaultsAnswer} from '../../api/faults.ts'
import {UserError} from '../../model/errors.ts'
import {listAnswer} from '../answer.ts'
import {askRun, path, tellRun} from '../ask-run.ts'
import {textOf, type Property, type Tool} from '../tool.ts'

const text = (description: string): Property => ({type: 'string', description})
const flag = (description: string): Property => ({type: 'boolean', description})

export const fault: Tool = {
  name: 'fault',
  title: 'Make calls fail',
  description:
    'Makes calls from one app to another fail on purpose (from, to, and what happens), takes faults off (off), lets them hit nothing for now (disable) and again (enable), or lists what is on (no arguments). Faults end with the run.',
  changes: 'something',
  properties: {
    from: text('The id of the caller, or any'),
    to: text('The id of the callee, or any'),
    method: text('Only calls with this method'),
    path: text('Only calls with this path; * stands for anything'),
    delay: text('They wait so long first: 300ms'),
    jitter: text('Up to so much shorter or longer'),
    status: {
      type: 'integer',
      description: 'A response with this status in place of the callee',
      minimum: 200,
      maximum: 599
    },
    body: text('The body of that response'),
    abort: flag('The connection of the caller is reset'),
    never: flag('There is no response until the caller leaves'),
    cut: flag('The response breaks off after its head'),
    kill: flag('The process of the callee is killed while the call is inside'),
    rate: {type: 'number', description: 'The share of the calls that are hit', minimum: 0, maximum: 1},
    seed: {type: 'integer', description: 'Selects which calls these are'},
    times: {type: 'integer', description: 'Hit so many calls, then none', minimum: 1},
    for: text('The fault ends after this time: 5m'),
    off: text('Take this fault off: its number, or all'),
    disable: text('This fault hits nothing until it is enabled; its counts stay: its number, or all'),
    enable: text('This fault hits calls again: its number, or all')
  },
  required: [],
  run: async (run, given, signal) => {
    const verb = (['off', 'disable', 'enable'] as const).find(each => given[each] !== undefined)
    if (verb === undefined && Object.keys(given).length === 0)
      return shown('Faults that are on.', await askRun<FaultsAnswer>(run, '/faults', signal))
    if (verb === undefined)
      return shown(
        'It is on.',
        JSON.parse(await tellRun(run, 'POST', '/faults', {body: given, signal})) as FaultsAnswer
      )
    if (Object.keys(given).length > 1)
      throw new UserError(`"${verb}" of fault stands alone`, {explanation: 'It is the number of a fault, or all.'})
    const number = textOf(given, verb)
    const those = number === 'all' ? path('faults') : path('faults', number)
    const answer =
      verb === 'off'
        ? await tellRun(run, 'DELETE', those, {signal})
        : await tellRun(run, 'POST', `${those}/${verb}`, {signal})
    return shown(verb === 'off' ? 'Taken off.' : `It is ${verb}d.`, JSON.parse(answer) as FaultsAnswer)
  }
}

const shown = (summary: string, {faults, removed}: FaultsAnswer): ReturnType<typeof listAnswer> =>
  listAnswer({
    summary: faults.length === 0 ? `${summary} No fault is on.` : summary,
    items: faults.map(({number, isEnabled, matched, hits, texts: {edge, effect, rate, limit}}) => ({
      text: `- fault ${number.toString()}: ${[edge, effect, rate, limit].filter(each => each !== '').join('; ')}${isEnabled ? '' : '; disabled'}; hit ${hits.toString()} of ${matched.toString()}`,
      fact: {number, isEnabled, hits, matched}
    })),
    facts: {removed},
    cursorAfter: () => '',
    isOurs: true
  })
