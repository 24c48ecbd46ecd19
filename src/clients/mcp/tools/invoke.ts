import type {IncomingMessage} from 'node:http'
import type * as Api from '../../../model/api.generated.ts'
import {durationText} from '../../../model/duration.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import {messageView} from '../../../observe/api/call-view.ts'
import {http} from '../../../proxy/net/http1/node-http.ts'
import {textAnswer} from '../answer.ts'
import {recordedText} from '../bodies.ts'
import {givenText, type Arguments, type Tool} from '../tool.ts'

const TIMEOUT_MS = 30_000
/** This much of a response is read; `call` shows the rest. */
const MAX_BODY = 64 * 1024

export const invokeTool: Pick<Tool, 'run'> = {
  run: async (run, given, signal) => {
    const to = givenText(given, 'app')
    const from = givenText(given, 'from') || to
    const [{apps}, {apps: callers}] = await Promise.all([
      run.api.ask('GET /apps/{id}', {at: {id: to}, signal}),
      run.api.ask('GET /apps/{id}', {at: {id: from}, signal})
    ])
    const place = placeOf(to, apps, callers, givenText(given, 'from'))
    const began = performance.now()
    const {message, body, size, fault} = await send(place, given, signal)
    const took = durationText(performance.now() - began)
    const number = Number(message.headers['pillion-call'] ?? 0)
    const recorded =
      number === 0 ? undefined : await recordedOf(run.api.ask('GET /calls/{number}', {at: {number}, signal}))
    const shown = recorded ?? responseText(message, body, size)
    return textAnswer(
      `${message.statusCode} after ${took}${fault}.${number === 0 ? '' : ` It is call ${number}.`}`,
      shown,
      {
        from: 0,
        rest: number === 0 ? 'The rest is left out: it is not recorded.' : 'The rest is left out: "call" has it.',
        facts: {status: message.statusCode, ...(number > 0 && {call: number})}
      }
    )
  }
}

interface Place {
  readonly host: string
  readonly port: number
  /** Before the path of the request. */
  readonly path: string
}

/** Returns the address for a request: a sidecar, or the port of an app without one. Throws a UserError. */
function placeOf(to: string, apps: readonly Api.App[], callers: readonly Api.App[], from: string): Place {
  const sidecar = callers.find(({httpPort}) => httpPort > 0)
  const port = Number(/:(\d+)$/.exec(apps[0]?.url ?? '')?.[1] ?? 0)
  if (sidecar !== undefined)
    return {
      host: (sidecar.sidecarHost ?? '127.0.0.1').replaceAll(/[[\]]/g, ''),
      port: sidecar.httpPort,
      path: `/v1.0/invoke/${encodeURIComponent(to)}/method/`
    }
  if (port > 0 && from === '') return {host: '127.0.0.1', port, path: '/'}
  throw new UserError(`"${from || to}" is stopped, and its sidecar with it`, {
    explanation: 'The tool "start" starts it.'
  })
}

/** The response, as much of it as is recorded, without what is secret by the template as well; undefined: it is not recorded. */
async function recordedOf(asked: Promise<Api.CallDetail>): Promise<string | undefined> {
  const detail = await asked.catch(() => undefined)
  if (detail?.isKept !== true || detail.response.line === '') return undefined
  const part = `(only a part of the bodies is recorded; the response has ${detail.responseBytes} bytes)\n`
  return recordedText(detail.response) + (detail.isTruncated ? part : '')
}

interface Sent {
  readonly message: IncomingMessage
  readonly body: Buffer
  /** Bytes of the whole body. */
  readonly size: number
  /** Why the response is not whole; '' = it is. */
  readonly fault: string
}

/** Sends a request. Throws a UserError if there is no response. */
async function send({host, port, path}: Place, given: Arguments, signal: AbortSignal): Promise<Sent> {
  const wanted = given['body']
  const body = wanted === undefined ? '' : typeof wanted === 'string' ? wanted : JSON.stringify(wanted)
  const target = givenText(given, 'path').replace(/^\/+/, '')
  if (/[^\x21-\x7e]/.test(target))
    throw new UserError(`"${target}" is not a URL path`, {
      explanation: 'Percent-encode spaces and characters beyond ASCII.'
    })
  const token = process.env['DAPR_API_TOKEN'] ?? ''
  const headers = {
    'user-agent': 'pillion/mcp', // the response names its call
    ...(token !== '' && {'dapr-api-token': token}),
    ...(body !== '' && {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}),
    ...(given['headers'] as Readonly<Record<string, string>> | undefined)
  }
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const options = {
    host,
    port,
    method: givenText(given, 'method').toUpperCase() || 'GET',
    path: path + target,
    headers,
    agent: false
  }
  try {
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      http
        .request({...options, signal: AbortSignal.any([signal, timeout])}, resolve)
        .on('error', reject)
        .end(body)
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

function responseText(message: IncomingMessage, body: Buffer, size: number): string {
  const {rawHeaders: headers, httpVersion, statusCode, statusMessage} = message
  const lines = headers.flatMap((name, at) => (at % 2 === 1 ? [] : [`${name}: ${headers[at + 1] ?? ''}`]))
  const head = [`HTTP/${httpVersion} ${statusCode} ${statusMessage}`, ...lines].join('\r\n')
  return recordedText(messageView({head, headers, body}, size)) + (size > MAX_BODY ? `… (${size} bytes in all)\n` : '')
}
