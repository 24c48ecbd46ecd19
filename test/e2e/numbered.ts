import {Agent, request} from 'node:http'
import {setTimeout as pause} from 'node:timers/promises'

/** How calls are made, and how fast. */
export interface Traffic {
  /** The caller's sidecar. */
  readonly port: number
  readonly path: string
  readonly method: 'GET' | 'POST'
  readonly keepsAlive: boolean
  readonly perSecond: number
  /** Of a body; each call has another length up to this. */
  readonly bytes: number
}

export interface Result {
  readonly sent: number
  /** Numbers and what they got instead of 200. */
  readonly failed: readonly string[]
  /** ms, in rising order. */
  readonly took: readonly number[]
}

/** Where the machine does not keep up, fewer are sent: these tests are about exchanges, not about floods. */
const MAX = 3000
/** So much of bodies at once. */
const MAX_BYTES = 1 << 27

/** Calls that carry numbers, at an even pace, until they are told to end. */
export class Numbered {
  readonly #traffic: Traffic
  readonly #agent: Agent
  readonly #underWay = new Set<Promise<void>>()
  readonly #failed: string[] = []
  readonly #took: number[] = []
  readonly #pacing: Promise<void>
  #sent = 0
  #isOver = false

  constructor(traffic: Traffic) {
    this.#traffic = traffic
    this.#agent = new Agent({keepAlive: traffic.keepsAlive})
    this.#pacing = this.#pace()
  }

  /** Settles when all that is under way now has been answered. */
  async calm(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  async end(): Promise<Result> {
    this.#isOver = true
    await this.#pacing
    await Promise.all(this.#underWay)
    this.#agent.destroy()
    return {sent: this.#sent, failed: this.#failed, took: this.#took.toSorted((a, b) => a - b)}
  }

  async #pace(): Promise<void> {
    const start = performance.now()
    const max = Math.min(MAX, MAX_BYTES / (this.#traffic.bytes + 1))
    while (!this.#isOver) {
      const due = Math.floor(((performance.now() - start) / 1000) * this.#traffic.perSecond)
      while (this.#sent < due && this.#underWay.size < max) this.#call(this.#sent++)
      await pause(5)
    }
  }

  #call(number: number): void {
    const call = this.#send(number).finally(() => this.#underWay.delete(call))
    this.#underWay.add(call)
  }

  async #send(number: number): Promise<void> {
    const {port, path, method, bytes} = this.#traffic
    const start = performance.now()
    await new Promise<void>(resolve => {
      const fail = (why: string): void => {
        this.#failed.push(`${number}: ${why}`)
        resolve()
      }
      const call = request({port, host: '127.0.0.1', agent: this.#agent, method, path: `${path}?n=${number}`})
      call.on('error', error => fail(error.message))
      call.on('response', response => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('error', error => fail(error.message))
        response.on('end', () => {
          this.#took.push(performance.now() - start)
          if (response.statusCode === 200) resolve()
          else fail(`${response.statusCode ?? 0} ${text}`)
        })
      })
      call.end(method === 'GET' || bytes === 0 ? undefined : Buffer.alloc((number * 7919) % (bytes + 1), 'x'))
    })
  }
}
