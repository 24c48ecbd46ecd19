import {once} from 'node:events'
import http from 'node:http'
import type {AddressInfo} from 'node:net'
import {codeOf} from '../../src/model/errors.ts'

/** What a caller who broke off leaves behind: no fault of the sidecar. */
const BROKEN_OFF = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'])

/** Bytes above 7F in a query travel as they are, and node:http takes none of them. */
const isHighQuery = (text: string): boolean => /^[A-Z]+ [^\0-\x20\x7f]+ HTTP\/1\.1\r\n/.test(text)

/** An app that answers with what it gets, lets `/never` wait, and notes each request that it cannot read. */
export class EchoApp {
  readonly faults: string[] = []
  readonly #server = http.createServer({maxHeaderSize: 1 << 20, keepAliveTimeout: 0}, (request, response) => {
    request.on('error', () => undefined)
    if (request.url?.includes('/never') === true) return void request.resume()
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece)).on('end', () => response.end(Buffer.concat(pieces)))
  })

  constructor() {
    this.#server
      .on('clientError', (error, socket) => {
        const text = (error as {rawPacket?: Buffer}).rawPacket?.toString('latin1').slice(0, 2000) ?? ''
        const isTheirs = BROKEN_OFF.has(codeOf(error)) || (codeOf(error) === 'HPE_INVALID_URL' && isHighQuery(text))
        if (!isTheirs) this.faults.push(`${error.message}: ${JSON.stringify(text)}`)
        socket.destroy()
      })
      .on('upgrade', (_, socket) => {
        socket.on('error', () => undefined)
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
        socket.pipe(socket)
      })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async open(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return this
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
