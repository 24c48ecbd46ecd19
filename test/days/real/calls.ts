import {request} from 'node:http'
import {setTimeout as pause} from 'node:timers/promises'
import type {Call} from '../world.ts'

type Mutable<T> = {-readonly [K in keyof T]: T[K]}

let last = 0

/** Calls through sidecars, and their answers. */
export class Calls {
  readonly #all: Mutable<Call>[] = []
  readonly #open = new Set<Promise<void>>()

  get all(): readonly Call[] {
    return this.#all
  }

  /** Sends a POST, which nothing may send again, through the sidecar at a port. */
  make(port: number, {from, to}: {readonly from: string; readonly to: string}): void {
    const call: Mutable<Call> = {number: (++last).toString(), from, to, status: undefined, body: ''}
    this.#all.push(call)
    const path = `/v1.0/invoke/${to}/method/x?call=${call.number}`
    const answered = new Promise<void>(resolve => {
      const end = (status: number, body: string): void => {
        call.status = status
        call.body = body
        resolve()
      }
      request({host: '127.0.0.1', port, path, method: 'POST', agent: false}, response => {
        let body = ''
        response.setEncoding('utf8').on('data', (piece: string) => (body += piece))
        response.on('end', () => end(response.statusCode ?? 0, body)).on('error', error => end(0, error.message))
      })
        .on('error', error => end(0, error.message))
        .end('x')
    })
    this.#open.add(answered)
    void answered.then(() => this.#open.delete(answered))
  }

  /** Waits for the answers, for so long at most. */
  async over(ms: number): Promise<void> {
    await Promise.race([Promise.all(this.#open), pause(ms, undefined, {ref: false})])
  }
}
