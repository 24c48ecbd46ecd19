import type * as Api from '../../../model/api.generated.ts'
import type {FoundRun} from '../../../control/client.ts'
import {UserError} from '../../../model/errors.ts'
import {listAnswer} from '../answer.ts'
import {flag, givenOf, givenText, text, whole, type Tool, type ToolResult} from '../tool.ts'

const OUTCOMES: Readonly<Record<Api.Waited['outcome'], string>> = {
  met: 'Met',
  impossible: 'It can no longer be met',
  timeout: 'Timed out'
}

export const waitTool: Tool = {
  name: 'wait',
  description:
    'Waits until conditions are met, in place of sleeping: ready, ready:ID, idle, idle:500ms, log:ID:REGEX, calls:FROM:TO:N, reloaded:ID (a saved change is live), exit:ID. They count from the start of the run, or from "from".',
  changes: 'nothing',
  properties: {
    for: {type: 'array', items: {type: 'string'}, description: '["reloaded:shop", "idle"]'},
    any: flag('One of them is enough'),
    timeout: text('30s by default'),
    from: text('now, start, or the id of an earlier wait')
  },
  required: ['for'],
  run: async (run, given, signal) => {
    const from = givenText(given, 'from')
    const body = {
      for: given['for'],
      any: given['any'] ?? false,
      timeout: givenText(given, 'timeout') || '30s',
      ...(from !== '' && {from: /^\d+$/.test(from) ? Number(from) : from})
    }
    const {outcome, id, tookMs, conditions, notes} = await run.api.ask('POST /wait', {body, signal})
    return listAnswer({
      summary: [`${OUTCOMES[outcome]} after ${tookMs} ms.`, ...notes.map(note => `Note: ${note}.`)].join(' '),
      rows: conditions.flatMap(({condition, state, reason, apps}) => [
        `${condition}: ${state}: ${reason}`,
        ...apps.map(({app, reason: why, lastLine}) => {
          const last = lastLine === '' ? 'it has written no output' : `last line: ${lastLine}`
          return `  ${app}: ${why === '' ? '' : `${why}; `}${last}`
        })
      ]),
      facts: {outcome, id}
    })
  }
}

export const replayTool: Tool = {
  name: 'replay',
  description:
    'Sends recorded calls again, as they were or changed, and compares the answers. POST, PUT, PATCH and DELETE need unsafe: they may change data.',
  changes: 'something',
  properties: {
    calls: {type: 'array', items: {type: 'integer'}, description: 'Their numbers'},
    lastFailed: flag('Instead: the latest failed call'),
    pinned: flag('Instead: all pinned calls'),
    unsafe: flag('Also what may change data'),
    body: {description: 'Another body, of one call: JSON, or a text'},
    headers: {
      type: 'object',
      additionalProperties: {type: 'string'},
      description: 'Other headers; an empty value removes one'
    },
    method: text(),
    path: text()
  },
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
      why = ': the run has ended' // what was sent is sent
    }
    const sent = results.filter(({after}) => after !== null)
    return listAnswer({
      summary: `${sent.length} of ${results.length} calls were sent again${why}.`,
      rows: results.map(resultText),
      facts: {replays: sent.map(({replay: number}) => number).slice(0, 10)}
    })
  }
}

function resultText(result: Api.Replay): string {
  const {call, from, to, method, path, replay: number, before, after, differences, differ, refusal, hint} = result
  const head = `call ${call} ${from} → ${to} ${method} ${path}`
  if (refusal !== '') return `${head}: not sent: ${refusal} ${hint.replace('--unsafe', 'unsafe: true')}`.trimEnd()
  const lines = differences.slice(0, 10).map(({what, path: field, before: old, after: now}) => {
    const where = field === '' ? what : `${what} ${field}`
    return `  ${where}: ${old === '' ? 'nothing' : old} → ${now === '' ? 'nothing' : now}`
  })
  const more = differ > lines.length ? [`  and ${differ - lines.length} more differences`] : []
  const failure = after === null || after.failure === '' ? '' : `; ${after.failure}`
  // a call that the sidecar itself refuses is not recorded
  const status = `${before.status} before, ${after?.status ?? 'no answer'} now${number === 0 ? '' : `, as call ${number}`}${failure}`
  return [`${head}: ${status}${differ === 0 ? '; the same answer' : ''}`, ...lines, ...more].join('\n')
}

export const faultTool: Tool = {
  name: 'fault',
  description:
    'Makes calls from one app to another fail on purpose (from, to, and what happens); takes faults off (off); lists them (no arguments). Faults end with the run.',
  changes: 'something',
  properties: {
    from: text('Id of the caller, or any'),
    to: text('Id of the callee, or any'),
    method: text(),
    path: text('* matches anything'),
    delay: text('300ms'),
    status: {type: 'integer', description: 'Of a response in place of the callee’s', minimum: 200, maximum: 599},
    body: text('Of that response'),
    kind: {
      type: 'string',
      description: 'Resets the connection, never answers, cuts the response, kills the callee',
      enum: ['abort', 'never', 'cut', 'kill']
    },
    rate: {type: 'number', description: 'Share of the calls', minimum: 0, maximum: 1},
    times: whole('This many calls'),
    for: text('Ends after this time: 5m'),
    off: text('Number of a fault, or all'),
    disable: text('As off, and it can be enabled again'),
    enable: text()
  },
  run: async (run, {kind, ...given}, signal) => {
    const verb = (['off', 'disable', 'enable'] as const).find(each => given[each] !== undefined)
    const body = kind === undefined ? given : {...given, [kind as string]: true}
    if (verb === undefined && Object.keys(body).length === 0)
      return faultsAnswer('Active faults.', await run.api.ask('GET /faults', {signal}))
    if (verb === undefined) return faultsAnswer('Added.', await run.api.ask('POST /faults', {body, signal}))
    if (Object.keys(body).length > 1)
      throw new UserError(`"${verb}" cannot be combined with other arguments`, {
        explanation: 'It is the number of a fault, or all.'
      })
    const answer = await changed(run.api, verb, givenText(given, verb), signal)
    return faultsAnswer(verb === 'off' ? 'Removed.' : `It is ${verb}d.`, answer)
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

const faultsAnswer = (summary: string, {faults, removed}: Api.Faults): ToolResult =>
  listAnswer({
    summary: faults.length === 0 ? `${summary} There are no faults.` : summary,
    rows: faults.map(({number, isEnabled, matched, hits, texts: {edge, effect, rate, limit}}) => {
      const words = [edge, effect, rate, limit].filter(each => each !== '').join('; ')
      return `- fault ${number}: ${words}${isEnabled ? '' : '; disabled'}; hit ${hits} of ${matched}`
    }),
    facts: {removed},
    isOurs: true
  })
