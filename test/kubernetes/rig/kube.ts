import {once} from 'node:events'
import type {IncomingMessage} from 'node:http'
import {Agent, request} from 'node:https'

/** An API server as the stand-ins and the tests ask it: not by the code that is tested. */
export class Kube {
  readonly server: string
  readonly #token: string
  readonly #agent = new Agent({keepAlive: true, rejectUnauthorized: false})

  constructor(server: string, token: string) {
    this.server = server
    this.#token = token
  }

  async open(
    method: string,
    path: string,
    {body, type = 'application/json'}: {body?: unknown; type?: string} = {}
  ): Promise<IncomingMessage> {
    const text = body === undefined ? '' : JSON.stringify(body)
    const length = Buffer.byteLength(text)
    const headers = {authorization: `Bearer ${this.#token}`, 'content-type': type, 'content-length': length}
    for (;;) {
      const sent = request(this.server + path, {method, agent: this.#agent, headers})
      sent.end(text)
      try {
        const [response] = (await once(sent, 'response')) as [IncomingMessage]
        sent.on('error', () => {}) // the response has it, too
        return response
      } catch (error) {
        // the server has closed an idle connection in the moment in which this took it (Node.js: request.reusedSocket)
        if (!sent.reusedSocket || (error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
      }
    }
  }

  /** The answer; an object with `code` from 400 on. */
  async ask<T = Live>(method: string, path: string, body?: unknown, type?: string): Promise<T> {
    const response = await this.open(method, path, {body, ...(type !== undefined && {type})})
    const pieces: Buffer[] = []
    for await (const piece of response as AsyncIterable<Buffer>) pieces.push(piece)
    return JSON.parse(Buffer.concat(pieces).toString()) as T
  }

  /** As `ask`, and throws what the server refuses. */
  async must<T = Live>(method: string, path: string, body?: unknown, type?: string): Promise<T> {
    const answer = await this.ask<T & {kind?: string; status?: unknown; message?: string}>(method, path, body, type)
    if (answer.kind === 'Status' && answer.status === 'Failure') throw new Error(`${method} ${path}: ${answer.message}`)
    return answer
  }

  async merge(path: string, patch: unknown) {
    return this.ask<{readonly code?: number}>('PATCH', path, patch, 'application/merge-patch+json')
  }

  /** All objects there are and come. */
  async *watch(path: string): AsyncGenerator<{type: string; object: Live}> {
    const response = await this.open('GET', `${path}?watch=1`)
    let rest = ''
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line) as {type: string; object: Live}
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Any object; tests know what they look at. */
export interface Live {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly resourceVersion: string
    readonly generation: number
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly items?: readonly Live[]
  readonly spec: Spec
  readonly status?: Readonly<Record<string, unknown>>
  readonly data?: Readonly<Record<string, string>>
}

/** What tests read of a Pod, a Deployment, a Service. */
export interface Spec {
  readonly containers?: readonly ContainerSpec[]
  readonly initContainers?: readonly ContainerSpec[]
  readonly restartPolicy?: string
  readonly replicas?: number
  /** Of the pods that a Deployment makes. */
  readonly template?: {readonly spec: Spec}
  readonly type?: string
}

export interface ContainerSpec {
  readonly name: string
  readonly image: string
  readonly args?: readonly string[]
  readonly env?: readonly {readonly name: string; readonly value: string}[]
}
