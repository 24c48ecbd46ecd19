import {messageOf} from '../../model/errors.ts'
import {withHeaders} from '../../proxy/net/http2/http2-adapter.ts'
import {isStreamType} from '../telemetry/recorder/call-content.ts'
import type {Resent} from './send.ts'

interface SentAgain {
  /** Host and port. */
  readonly authority: string
  readonly method: string
  readonly path: string
  /** Names and values by turns. */
  readonly headers: readonly string[]
  readonly body: Buffer
}

/** Sends a request over HTTP/2 without TLS, as a client with prior knowledge does (RFC 9113, 3.3). Settles as `sendAgain` does. */
export async function sendOverHttp2(
  {authority, method, path, headers, body}: SentAgain,
  signal: AbortSignal
): Promise<Resent> {
  const session = process.getBuiltinModule('node:http2').connect(`http://${authority}`)
  try {
    return await new Promise(resolve => {
      const failed = (error: unknown): void =>
        resolve({status: 0, why: signal.aborted ? messageOf(signal.reason) : messageOf(error)})
      session.on('error', failed)
      const pairs = headers.map((text, at) => (at % 2 === 0 && text.toLowerCase() === 'host' ? ':authority' : text))
      const pseudo = [':method', method, ':path', path]
      if (body.length > 0) pairs.push('content-length', body.length.toString())
      const stream = withHeaders([...pseudo, ...pairs], own =>
        session.request(own, {endStream: body.length === 0, signal})
      )
      let status = 0
      stream
        .on('error', failed)
        .on('response', head => {
          status = head[':status'] ?? 0
          if (isStreamType(head['content-type'] ?? '')) resolve({status, why: ''})
        })
        .on('close', () => resolve({status, why: status === 0 ? 'the connection has ended' : ''}))
        .resume()
      if (body.length > 0) stream.end(body)
    })
  } catch (error) {
    return {status: 0, why: messageOf(error)} // a head that node:http2 does not write
  } finally {
    session.destroy()
  }
}
