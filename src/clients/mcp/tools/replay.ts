import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {listAnswer} from '../answer.ts'
import type {Tool} from '../tool.ts'

export const replayTool: Tool = {
  name: 'replay',
  title: 'Send calls again',
  description:
    'Sends recorded calls again, through the sidecar of their caller, and compares the answers with the recorded ones. Methods other than GET, HEAD and OPTIONS need unsafe, since they may change data.',
  changes: 'something',
  properties: {
    calls: {type: 'array', items: {type: 'integer'}, description: 'Numbers of calls'},
    lastFailed: {type: 'boolean', description: 'Instead: the latest failed call'},
    pinned: {type: 'boolean', description: 'Instead: all pinned calls'},
    unsafe: {type: 'boolean', description: 'Also sends POST, PUT, PATCH and DELETE'}
  },
  run: async (run, given, signal) => {
    if (['calls', 'lastFailed', 'pinned'].filter(name => name in given && given[name] !== false).length !== 1)
      throw new UserError('replay needs one of "calls", "lastFailed" and "pinned"', {
        explanation: 'For example {"calls": [7], "unsafe": true}.'
      })
    const results: Api.Replay[] = []
    let why = ''
    try {
      for await (const result of await run.api.follow('POST /replays', {body: given, signal, isWhole: true}))
        results.push(result)
    } catch (error) {
      if (results.length === 0) throw error
      why = ': the run has ended' // what was sent is sent
    }
    const sent = results.filter(({after}) => after !== null).length
    return listAnswer({
      summary: `${sent} of ${results.length} calls were sent again${why}.`,
      items: results.map(result => ({text: resultText(result), fact: factOf(result)}))
    })
  }
}

const factOf = ({call, replay: number, before, after, differ}: Api.Replay): Record<string, unknown> => ({
  call,
  replay: number,
  before: before.status,
  after: after?.status ?? null,
  differ
})

function resultText(result: Api.Replay): string {
  const {call, from, to, method, path, replay: number, before, after, differences, differ, refusal, hint} = result
  const head = `call ${call} ${from} → ${to} ${method} ${path}`
  if (refusal !== '') return `${head}: not sent: ${refusal} ${hint}`.trimEnd()
  const outcome = after === null ? 'no answer' : after.status.toString()
  const lines = differences.slice(0, 10).map(({what, path: field, before: old, after: now}) => {
    const where = field === '' ? what : `${what} ${field}`
    return `  ${where}: ${old === '' ? 'nothing' : old} → ${now === '' ? 'nothing' : now}`
  })
  const more = differ > lines.length ? [`  and ${differ - lines.length} more differences`] : []
  const failure = after === null || after.failure === '' ? '' : `; ${after.failure}`
  // a call that the sidecar itself refuses is not recorded
  const status = `${before.status} before, ${outcome} now${number === 0 ? '' : `, as call ${number}`}${failure}`
  return [`${head}: ${status}${differ === 0 ? '; the same answer' : ''}`, ...lines, ...more].join('\n')
}
