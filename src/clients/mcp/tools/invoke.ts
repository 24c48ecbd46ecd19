import {randomBytes} from 'node:crypto'
import type {IncomingMessage} from 'node:http'
import {isCalled, type FoundRun} from '../../../control/client.ts'
import type {App} from '../../../model/api.generated.ts'
import {UserError, messageOf} from '../../../model/errors.ts'
import {http} from '../../../proxy/net/http1/node-http.ts'
import {messageView} from '../../../observe/api/call-view.ts'
import {textAnswer} from '../answer.ts'
import {durationText} from '../../../model/duration.ts'
import {recordedText} from './calls.ts'
import {APP, givenText, type Arguments, type Tool} from '../tool.ts'

const TIMEOUT_MS = 30_000
/** This much of a response is read; `call` shows the rest. */
const MAX_BODY = 64 * 1024
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']

export const invokeTool: Tool = {
  name: 'invoke',
  title: 'Invoke an app',
  description:
    'Sends a request to an app through a sidecar, as other apps do: queue, policies and faults apply, and it is recorded. May change data of the app.',
  changes: 'something',
  properties: {
    app: APP,
    path: {type: 'string', description: 'The path with its query, for example /orders/7'},
    method: {type: 'string', description: 'The HTTP method, GET by default', enum: METHODS},
    body: {type: 'string', description: 'The body; JSON by default (header content-type)'},
    headers: {type: 'object', additionalProperties: {type: 'string'}, description: 'Further headers'},
    from: {type: 'string', description: 'The id of the app whose sidecar sends it; by default the callee’s own'}
  },
  required: ['app', 'path'],
  run: async (run, given, signal) => {
    const to = givenText(given, 'app')
    const from = givenText(given, 'from') || to
    const {apps} = await run.api.ask('GET /apps/{id}', {at: {id: from}, signal})
    const sidecar = apps.find(({httpPort}) => httpPort > 0)
    if (sidecar === undefined)
      throw new UserError(`"${from}" is stopped, and its sidecar with it`, {
        explanation: 'The tool "restart" brings it back.'
      })
    // calls have the ids of apps, also where an instance is named
    const idOf = (name: string): string => run.listing.apps.find(app => isCalled(app, name))?.id ?? name
    const named = Object.entries((given['headers'] as Readonly<Record<string, string>> | undefined) ?? {})
    const headers: Readonly<Record<string, string>> = Object.fromEntries(
      named.map(([name, value]) => [name.toLowerCase(), value])
    )
    // by its trace the call is known among others; one that is given may be shared with some
    const own = headers['traceparent'] ?? ''
    const fresh = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`
    const traceparent = TRACEPARENT.test(own) ? own : fresh // a sidecar takes no other
    const {last: after} = await run.api.ask('GET /calls', {query: {limit: 1}, signal}).catch(() => ({last: 0}))
    const began = performance.now()
    const answer = await send(sidecar, to, {given, headers: {...headers, traceparent}}, signal)
    const took = durationText(performance.now() - began)
    const q = `from:"${idOf(from)}" to:"${idOf(to)}" trace:"${traceparent.split('-')[1] ?? ''}"`
    const {calls} = await run.api.ask('GET /calls', {query: {q, after}, signal}).catch(() => ({calls: []}))
    const number = calls.at(-1)?.number // an app may call itself meanwhile
    const recorded = number === undefined ? '' : ` It is call ${number}.`
    const text = number === undefined ? '' : await recordedAnswer(run, number, signal)
    return textAnswer(`${answer.status} after ${took}${answer.why}.${recorded}`, text || answer.text, {
      from: 0,
      rest: number === undefined ? 'The rest is left out: it is not recorded.' : 'The rest is left out: "call" has it.',
      facts: {status: answer.status, ...(number !== undefined && {call: number})}
    })
  }
}

/** The response, as much of it as is recorded, without what is secret by the template as well; '' = it is not recorded. */
async function recordedAnswer({api}: FoundRun, number: number, signal: AbortSignal): Promise<string> {
  const detail = await api.ask('GET /calls/{number}', {at: {number}, signal}).catch(() => undefined)
  if (detail?.isKept !== true || detail.response.line === '') return ''
  const part = `(only a part of the bodies is recorded; the response has ${detail.responseBytes} bytes)\n`
  return recordedText(detail.response) + (detail.isTruncated ? part : '')
}

/** A response, and why it is not whole; '' = it is. Throws a UserError if there is none. */
async function send(
  {sidecarHost = '127.0.0.1', httpPort: port}: App,
  to: string,
  {given, headers: wanted}: {readonly given: Arguments; readonly headers: Readonly<Record<string, string>>},
  signal: AbortSignal
): Promise<{readonly status: number; readonly text: string; readonly why: string}> {
  const body = givenText(given, 'body')
  const target = givenText(given, 'path').replace(/^\/+/, '')
  if (/[^\x21-\x7e]/.test(target))
    throw new UserError(`"${target}" is not a URL path`, {
      explanation: 'Percent-encode spaces and characters beyond ASCII.'
    })
  const token = process.env['DAPR_API_TOKEN'] ?? ''
  const headers = {
    ...(token !== '' && {'dapr-api-token': token}),
    ...(body !== '' && {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}),
    ...wanted
  }
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      http
        .request(
          {
            host: sidecarHost.replaceAll(/[[\]]/g, ''),
            port,
            method: givenText(given, 'method') || 'GET',
            path: `/v1.0/invoke/${encodeURIComponent(to)}/method/${target}`,
            headers,
            agent: false,
            signal: AbortSignal.any([signal, timeout])
          },
          resolve
        )
        .on('error', reject)
        .end(body)
    })
    const {text, fault} = await textOfResponse(response)
    const why = timeout.aborted ? ', and the response has not ended' : `, and the response broke off: ${fault}`
    return {status: response.statusCode ?? 0, text, why: fault === '' ? '' : why}
  } catch (error) {
    const why = timeout.aborted ? ` within ${TIMEOUT_MS / 1000} s` : `: ${messageOf(error)}`
    throw new UserError(`no response${why}`, {cause: error})
  }
}

/** The text of a response so far, and why it has not ended; '' = it has. */
async function textOfResponse(response: IncomingMessage): Promise<{readonly text: string; readonly fault: string}> {
  const pieces: Buffer[] = []
  let [size, fault] = [0, '']
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      if (size < MAX_BODY) pieces.push(piece.subarray(0, MAX_BODY - size))
      size += piece.length
    }
  } catch (error) {
    fault = messageOf(error)
  }
  const {rawHeaders: headers, httpVersion, statusCode, statusMessage} = response
  const lines = headers.flatMap((name, at) => (at % 2 === 1 ? [] : [`${name}: ${headers[at + 1] ?? ''}`]))
  const head = [`HTTP/${httpVersion} ${statusCode} ${statusMessage}`, ...lines].join('\r\n')
  const shown = recordedText(messageView({head, headers, body: Buffer.concat(pieces)}, size))
  return {text: `${shown}${size > MAX_BODY ? `… (${size} bytes in all)\n` : ''}`, fault}
}
