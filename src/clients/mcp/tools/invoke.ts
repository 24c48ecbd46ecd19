import {randomBytes} from 'node:crypto'
import type {IncomingMessage} from 'node:http'
import {UserError, messageOf} from '../../../model/errors.ts'
import {collectFirst} from '../../../proxy/net/collector.ts'
import {http} from '../../../proxy/net/http1/node-http.ts'
import {textAnswer} from '../answer.ts'
import {durationText} from '../../../model/duration.ts'
import {APP, givenText, type Arguments, type Tool} from '../tool.ts'

const TIMEOUT_MS = 30_000
/** This much of a response is read; `call` shows the rest. */
const MAX_BODY = 64 * 1024
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
    const port = apps[0]?.httpPort ?? 0
    const began = performance.now()
    const headers = lowered((given['headers'] as Readonly<Record<string, string>> | undefined) ?? {})
    // by its trace the call is known among others; one that is given may be shared with some
    const {traceparent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`} = headers
    const answer = await send(port, to, {given, headers: {...headers, traceparent}}, signal)
    const took = durationText(performance.now() - began)
    const query = {q: `from:"${from}" to:"${to}" trace:"${traceparent.split('-')[1] ?? ''}"`, limit: 1}
    const {calls} = await run.api.ask('GET /calls', {query, signal}).catch(() => ({calls: []}))
    const number = calls[0]?.number
    const recorded = number === undefined ? '' : ` It is call ${number}.`
    return textAnswer(`${answer.status} after ${took}.${recorded}`, answer.text, {
      from: 0,
      facts: {status: answer.status, ...(number !== undefined && {call: number})}
    })
  }
}

/** Throws a UserError if there is no response. */
async function send(
  port: number,
  to: string,
  {given, headers: wanted}: {readonly given: Arguments; readonly headers: Readonly<Record<string, string>>},
  signal: AbortSignal
): Promise<{readonly status: number; readonly text: string}> {
  const body = givenText(given, 'body')
  const target = givenText(given, 'path').replace(/^\/+/, '')
  if (/[^\x21-\x7e]/.test(target))
    throw new UserError(`"${target}" is not a URL path`, {
      explanation: 'Percent-encode spaces and characters beyond ASCII.'
    })
  const headers = {
    ...(body !== '' && {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}),
    ...wanted
  }
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      http
        .request(
          {
            host: '127.0.0.1',
            port,
            method: givenText(given, 'method') || 'GET',
            path: `/v1.0/invoke/${encodeURIComponent(to)}/method/${target}`,
            headers,
            agent: false,
            signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
          },
          resolve
        )
        .on('error', reject)
        .end(body)
    })
    return {status: response.statusCode ?? 0, text: await textOfResponse(response)}
  } catch (error) {
    throw new UserError(`no response: ${messageOf(error)}`, {cause: error})
  }
}

const lowered = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

async function textOfResponse(response: IncomingMessage): Promise<string> {
  const head = Object.entries(response.headers).map(([name, value]) => `${name}: ${[value].flat().join(', ')}\n`)
  const {bytes: body, size} = await collectFirst(response, MAX_BODY)
  const isText = !body.includes(0)
  const shown = isText ? body.toString() : `(${size} bytes that are not text)`
  return `${head.join('')}\n${shown}${size > MAX_BODY && isText ? `… (${size} bytes in all)` : ''}`
}
