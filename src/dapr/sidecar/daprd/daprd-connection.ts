import {join} from 'node:path'
import {FrameClients} from '#h2-frames'
import {DaprdError} from '../../components/daprd/daprd-access.ts'
import {jsonIn} from '../../../model/is-json.ts'
import {isObject} from '../../../model/is-object.ts'
import {headFields} from '../../../proxy/net/grpc/head-fields.ts'
import {UnaryCall} from '../../../proxy/net/grpc/unary-call.ts'
import {collect, type Collector} from '../../../platform/collector.ts'
import {http} from '../../../proxy/net/http1/node-http.ts'

const SERVICE = '/dapr.proto.runtime.v1.Dapr/'
const AUTHORITY = 'localhost'

/** The connections to daprd's API, over its unix domain sockets for HTTP and gRPC. */
export class DaprdConnection {
  readonly #clients: FrameClients
  readonly #httpSocket: string
  readonly #agent = new http.Agent({keepAlive: true})
  readonly #heads = new Map<string, string>()

  constructor(folder: string, appId: string, warn: (text: string) => void) {
    this.#httpSocket = join(folder, `dapr-${appId}-http.socket`)
    const socketPath = join(folder, `dapr-${appId}-grpc.socket`)
    this.#clients = new FrameClients({hosts: [AUTHORITY], port: 0, socketPath, isSecure: false, warn})
  }

  /** Calls a method of daprd's gRPC API. Rejects with a DaprdError if daprd answered with an error. */
  async call(method: string, message: Uint8Array): Promise<Uint8Array> {
    const {promise, resolve, reject} = Promise.withResolvers<Uint8Array>()
    new UnaryCall({
      clients: this.#clients,
      block: this.#headOf(method),
      message,
      maxBytes: 0,
      done: ({status: {code, message: why}, head, message: answer, isCut}) =>
        // without a head the status is not daprd's own
        code === 0 ? resolve(answer) : reject(isCut || head === '' ? new Error(why) : new DaprdError(code, why)),
      refused: why => reject(new Error(why))
    }).start()
    return promise
  }

  /** Sends a request to daprd's HTTP API. Rejects if there is no response, or the request is aborted. */
  async request(method: 'GET' | 'PUT', path: string, body = '', signal?: AbortSignal) {
    const {promise, resolve, reject} = Promise.withResolvers<{readonly status: number; readonly body: string}>()
    const options = {socketPath: this.#httpSocket, agent: this.#agent, method, path, signal}
    const request = http.request(options, response => {
      const answer = (answered: Collector): void =>
        resolve({status: response.statusCode ?? 0, body: answered.take().toString()})
      collect(response, 0).then(answer, reject)
    })
    request.once('error', reject).end(body)
    return promise
  }

  /** Returns the body of a successful response. Rejects with daprd's error for others. */
  async get(path: string, signal?: AbortSignal): Promise<string> {
    const {status, body} = await this.request('GET', path, '', signal)
    if (status >= 200 && status < 300) return body
    throw new Error(errorIn(body) || `daprd has answered ${status}`)
  }

  close(): void {
    this.#clients.cut()
    this.#agent.destroy()
  }

  #headOf(method: string): string {
    const known = this.#heads.get(method)
    if (known !== undefined) return known
    const head = headFields({protocol: 'grpc', authority: AUTHORITY}, SERVICE + method, 'application/grpc')
    this.#heads.set(method, head)
    return head
  }
}

function errorIn(body: string): string {
  const value = jsonIn(body)
  const message = isObject(value) ? value['message'] : body
  return typeof message === 'string' ? message : ''
}
