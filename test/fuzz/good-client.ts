import http from 'node:http'
import http2 from 'node:http2'
import {callStream, http1Caller, type Call, type Caller, type Seen} from './caller.ts'

const PATH = '/v1.0/invoke/echo/method/good'
const SIZES = [1, 20, 3000, 200_000]

/** Somebody who calls as programs do while others do not, and looks at every byte that comes back. */
export class GoodClient {
  /** Calls that were right. */
  made = 0
  readonly #port: number
  readonly #agent = new http.Agent({keepAlive: true, maxSockets: 4})
  readonly #session: http2.ClientHttp2Session
  #isOver = false

  constructor(port: number) {
    this.#port = port
    this.#session = http2.connect(`http://127.0.0.1:${port}`)
    this.#session.on('error', () => undefined)
  }

  /** Calls on until `stop`; rejects with the first call that is not answered as it must be. */
  async start(): Promise<void> {
    this.#isOver = false
    const kept = http1Caller(this.#agent)
    const ways: readonly Caller[] = [
      kept,
      async call => kept({...call, isChunked: true}),
      async call => callStream(this.#session, call)
    ]
    while (!this.#isOver) await Promise.all(ways.map(async way => this.#check(way)))
  }

  stop(): void {
    this.#isOver = true
  }

  /** Ends its connections. */
  close(): void {
    this.#agent.destroy()
    this.#session.destroy()
  }

  async #check(way: Caller): Promise<void> {
    const number = this.made++
    const body = `${number} `.repeat(SIZES[number % SIZES.length] ?? 1).slice(0, 200_000)
    const call: Call = {port: this.#port, path: PATH, method: 'POST', body}
    const seen = await way(call)
    if (!isEcho(seen, body))
      throw new Error(
        `good call ${number}: ${seen.isWhole ? 'whole' : 'cut'}, ${seen.status}, ${seen.body.length} bytes instead of ${body.length}: ${seen.body.slice(0, 200)}`
      )
  }
}

const isEcho = ({isWhole, status, body}: Seen, sent: string): boolean => isWhole && status === 200 && body === sent
