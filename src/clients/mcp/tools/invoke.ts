import type {IncomingMessage} from 'node:http'
import type * as Api from '../../../model/api.generated.ts'
import {durationText} from '../../../model/duration.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import {messageView} from '../../../observe/api/call-view.ts'
import {http} from '../../../proxy/net/http1/node-http.ts'
import {givenText, type Arguments, type Row, type Tool} from '../tool.ts'
import {jsonAnswer} from './route-tool.ts'

const TIMEOUT_MS = 30_000
/** Maximum bytes of a response in the answer. The tool `call` shows the rest, if the call was recorded. */
const MAX_BODY = 64 * 1024

export const invokeTool = (row: Row): Pick<Tool, 'run'> => ({
  run: async ({api}, given, signal) => {
    const [to, from] = [givenText(given, 'app'), givenText(given, 'from')]
    const [callee, caller] = await Promise.all(
      [to, from || to].map(async id => api.ask('GET /apps/{id}', {at: {id}, signal}))
    )
    const place = placeOf(to, callee?.apps ?? [], caller?.apps ?? [], from)
    const began = performance.now()
    const {message, body, size, fault} = await send(place, given, signal)
    const took = durationText(performance.now() - began)
    const {statusCode: status = 0, httpVersion, statusMessage, rawHeaders: headers} = message
    const call = Number(message.headers['pillion-call'] ?? 0)
    // prefers the recorded call, in which the secrets that the template names are masked
    const recorded = call > 0 && (await api.ask('GET /calls/{number}', {at: {number: call}, signal}).catch(() => false))
    const {isKept, response} = (recorded || {}) as Partial<Api.CallDetail>
    const isRecorded = isKept === true && response?.line !== ''
    const lines = headers.flatMap((name, at) => (at % 2 === 1 ? [] : [`${name}: ${headers[at + 1] ?? ''}`]))
    const head = [`HTTP/${httpVersion} ${status} ${statusMessage}`, ...lines].join('\r\n')
    const answer = isRecorded ? recorded : {response: messageView({head, headers, body}, size), responseBytes: size}
    return jsonAnswer(row, answer as object, {
      note: `${status} after ${took}${fault}.${call === 0 ? '' : ` It is call ${call}.`}`,
      rest: call === 0 ? 'The rest is left out: it is not recorded.' : 'The rest is left out: "call" has it.'
    })
  }
})

/** `path`: precedes the path of the request. */
type Address = Readonly<Record<'host' | 'path', string> & {port: number}>

/** Returns the address for a request: the `port` of an app, or a sidecar. Throws a UserError. */
function placeOf(to: string, apps: readonly Api.App[], callers: readonly Api.App[], from: string): Address {
  const sidecar = callers.find(({httpPort}) => httpPort > 0)
  // a call at `port` has no caller's name, like one by curl, so that `from` needs a sidecar
  const port = Number(/:(\d+)$/.exec(apps[0]?.url ?? '')?.[1] ?? 0)
  if (port > 0 && from === '') return {host: '127.0.0.1', port, path: '/'}
  if (sidecar !== undefined) {
    const host = (sidecar.sidecarHost ?? '127.0.0.1').replaceAll(/[[\]]/g, '')
    return {host, port: sidecar.httpPort, path: `/v1.0/invoke/${encodeURIComponent(to)}/method/`}
  }
  throw new UserError(`"${from || to}" is stopped, and its sidecar with it`, {
    explanation: 'The tool "start" starts it.'
  })
}

/** The response, with the reason if it is incomplete; `size`: bytes of its whole body. */
type Sent = Readonly<{message: IncomingMessage; body: Buffer; size: number; fault: string}>

/** Sends a request. Throws a UserError if there is no response. */
async function send({host, port, path}: Address, given: Arguments, signal: AbortSignal): Promise<Sent> {
  const wanted = given['body'] ?? ''
  const content = typeof wanted === 'string' ? wanted : JSON.stringify(wanted)
  const target = givenText(given, 'path').replace(/^\/+/, '')
  if (/[^\x21-\x7e]/.test(target))
    throw new UserError(`"${target}" is not a URL path`, {
      explanation: 'Percent-encode spaces and characters beyond ASCII.'
    })
  const token = process.env['DAPR_API_TOKEN'] ?? ''
  const headers = {
    'user-agent': 'pillion/mcp', // for a tool of this name, the response has the header `Pillion-Call`
    ...(token !== '' && {'dapr-api-token': token}),
    ...(content !== '' && {'content-type': 'application/json', 'content-length': Buffer.byteLength(content)}),
    ...(given['headers'] as Readonly<Record<string, string>> | undefined)
  }
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const ended = AbortSignal.any([signal, timeout])
  const method = givenText(given, 'method').toUpperCase() || 'GET'
  try {
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = {host, port, method, path: path + target, headers, agent: false, signal: ended}
      http.request(options, resolve).on('error', reject).end(content)
    })
    const pieces: Buffer[] = []
    let [size, fault] = [0, '']
    try {
      for await (const piece of message as AsyncIterable<Buffer>) {
        if (size < MAX_BODY) pieces.push(piece.subarray(0, MAX_BODY - size))
        size += piece.length
      }
    } catch (error) {
      fault = timeout.aborted ? ', and the response has not ended' : `, and the response broke off: ${messageOf(error)}`
    }
    return {message, body: Buffer.concat(pieces), size, fault}
  } catch (error) {
    const why = timeout.aborted ? ` within ${TIMEOUT_MS / 1000} s` : `: ${messageOf(error)}`
    throw new UserError(`no response${why}`, {cause: error})
  }
}
