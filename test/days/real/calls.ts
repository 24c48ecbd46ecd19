import {credentials} from '@grpc/grpc-js'
import {request} from 'node:http'
import {setTimeout as pause} from 'node:timers/promises'
import {EchoClient} from '../../integration/dapr/sidecar/grpc/echo-client.ts'
import type {Call} from '../world.ts'

type Mutable<T> = {-readonly [K in keyof T]: T[K]}

/** Of `HTTPExtension.Verb` in Dapr's common.proto. */
const POST = 3

let last = 0

/** Calls through sidecars, and their answers. */
export class Calls {
  readonly #all: Mutable<Call>[] = []
  readonly #open = new Set<Promise<void>>()

  get all(): readonly Call[] {
    return this.#all
  }

  /** Sends a POST, which nothing may send again, through the sidecar at a port of HTTP or gRPC, or to the `port` of an app. */
  make(
    port: number,
    {from, to, isGrpc = false, isPlain = false}: Pick<Call, 'from' | 'to' | 'isGrpc'> & {readonly isPlain?: boolean}
  ): void {
    const call: Mutable<Call> = {number: (++last).toString(), from, to, status: undefined, body: '', isGrpc}
    this.#all.push(call)
    const answered = isGrpc ? invoked(port, call) : posted(port, call, isPlain ? '/x' : `/v1.0/invoke/${to}/method/x`)
    this.#open.add(answered)
    void answered.then(() => this.#open.delete(answered))
  }

  /** Waits for the answers, for so long at most. */
  async over(ms: number): Promise<void> {
    await Promise.race([Promise.all(this.#open), pause(ms, undefined, {ref: false})])
  }
}

const posted = async (port: number, call: Mutable<Call>, at: string): Promise<void> =>
  new Promise<void>(resolve => {
    const end = (status: number, body: string): void => {
      call.status = status
      call.body = body
      resolve()
    }
    const path = `${at}?call=${call.number}`
    request({host: '127.0.0.1', port, path, method: 'POST', agent: false}, response => {
      let body = ''
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece))
      response.on('end', () => end(response.statusCode ?? 0, body)).on('error', error => end(0, error.message))
    })
      .on('error', error => end(0, error.message))
      .end('x')
  })

/** `InvokeService` of Dapr's gRPC API. */
async function invoked(port: number, call: Mutable<Call>): Promise<void> {
  const client = new EchoClient(`127.0.0.1:${port}`, credentials.createInsecure())
  const {code, message} = await client.invoke(call.to, {method: 'x', verb: POST, query: `call=${call.number}`})
  client.close()
  call.status = code === 0 ? 200 : 500
  call.body = message
}
