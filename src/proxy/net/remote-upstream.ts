import {codeOf, messageOf} from '../../model/errors.ts'
import {pairsOf, valueOf} from './http1/header-lines.ts'
import {OF_CONNECTION} from './http1/header-kinds.ts'
import type {Failure, ResponseHandler, Upstream, UpstreamOwner} from './upstream.ts'
import type {Connect, Lost, RemoteSink, RemoteSide, RequestBody} from './remote-side.ts'
import {isValidStatus, statusFault} from './status.ts'

/** Adapts a client for HTTP/2, gRPC or redirects to an `Upstream`. Gets the request's head as HTTP/1.1 text, and its body without framing. */
export class RemoteUpstream implements Upstream, RemoteSink {
  served = 0
  idleMs = 0
  isOpen = false
  unsent = ''
  readonly isUnframed = true
  readonly #owner: UpstreamOwner
  #remote: RemoteSide | undefined
  #head = ''
  #isOver = false
  #handler: ResponseHandler | undefined
  #body: RequestBody | undefined
  #hasHead = false
  /** Remaining bytes of the response's body; negative: unknown. */
  #left = -1

  /** `loaded`: resolves with the client once its code is loaded. */
  constructor(owner: UpstreamOwner, loaded: Promise<Connect>) {
    this.#owner = owner
    loaded.then(
      connect => this.#connect(connect),
      (error: unknown) => this.fail(new Error(messageOf(error)))
    )
  }

  serve(handler: ResponseHandler): void {
    this.#handler = handler
  }

  writeAll(head: string, bytes: Buffer | undefined, _after = '', isLast = false): boolean {
    const isBegun = head === '' || this.#begin(head)
    if (!isBegun || (bytes === undefined && !isLast)) return true
    const body = this.#body
    if (isLast) this.#body = undefined
    return body?.write(bytes, isLast) ?? true
  }

  /** Does nothing, since only HTTP/1.1 has tunnels. */
  write(): boolean {
    return true
  }

  finishSending(): void {}

  resume(): void {
    this.#remote?.resume()
  }

  drop(): void {
    this.#leave(false)
  }

  cut(): void {
    this.fail(new Error('EOF'))
  }

  respond(status: number, pairs: readonly string[]): void {
    this.#tell(handler => {
      if (this.#hasHead) return
      const text = headText(status, pairs)
      const head = this.#owner.responseHeads.read(text, handler.toHead, handler.rules)
      if (head === undefined || typeof head === 'string') return this.#fail('malformed', head ?? 'unexpected EOF')
      if (!isValidStatus(status)) return this.#fail('bad-status', statusFault(text))
      this.#hasHead = true
      this.#left = head.left
      if (head.left !== 0) return handler.head(head)
      this.#leave(true)
      handler.whole(head, '')
    })
  }

  data(bytes: Buffer): boolean {
    let isTaken = true
    this.#tell(handler => {
      if (bytes.length === 0) return
      if (this.#left >= 0 && bytes.length > this.#left) return this.#fail('cut', 'more bytes than Content-Length')
      isTaken = handler.body(bytes)
      this.#left -= bytes.length
      if (this.#left === 0) this.#end(handler)
    })
    return isTaken
  }

  end(): void {
    this.#tell(handler => {
      if (!this.#hasHead || this.#left > 0) return this.fail(new Error('unexpected EOF'))
      this.#end(handler)
    })
  }

  drain(): void {
    this.#tell(handler => handler.drain?.())
  }

  fail(error: Error, lost?: Lost): void {
    if (lost?.unsent !== undefined) this.unsent = this.#head + lost.unsent
    if (lost?.wasUsed === true) this.served++
    const isRefused = codeOf(error) === 'ECONNREFUSED' && (!this.isOpen || this.unsent !== '')
    if (this.#hasHead) this.#fail('cut', error.message)
    else if (isRefused) this.#fail('refused', error.message)
    else this.#fail(this.isOpen ? 'silent' : 'unreachable', error.message)
  }

  #connect(connect: Connect): void {
    if (!this.#isOver) this.#remote = connect({opened: () => this.#opened(), failed: error => this.fail(error)})
  }

  #opened(): void {
    this.isOpen = true
    this.#tell(handler => handler.open(false))
  }

  #leave(isWhole: boolean): void {
    this.#handler = undefined
    this.#body = undefined
    this.#owner.forget(this)
    this.#isOver = true
    this.#remote?.end(isWhole)
  }

  /** Starts the request. Returns whether a body follows; false also if the request failed. */
  #begin(text: string): boolean {
    this.#head = text
    const line = text.indexOf('\r\n')
    const [method = '', path = ''] = text.slice(0, line).split(' ')
    const all = pairsOf(text.slice(line + 2, -2))
    const hasBody = valueOf(all, 'transfer-encoding') !== undefined || (valueOf(all, 'content-length') ?? '0') !== '0'
    const pairs = all.filter((_, at) => !OF_CONNECTION.has((all[at - (at % 2)] ?? '').toLowerCase()))
    try {
      const body = this.#remote?.request({method, path, pairs, hasBody}, this)
      if (hasBody) this.#body = body
      return hasBody
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(messageOf(error)))
      return false
    }
  }

  /** Ends the call after a complete response. */
  #end(handler: ResponseHandler): void {
    this.#leave(true)
    handler.end()
  }

  #fail(failure: Failure, why: string): void {
    this.#tell(handler => {
      this.drop()
      handler.fail(failure, why)
    })
  }

  /** Calls the handler, unless the call has ended. An internal error ends only this call. */
  #tell(act: (handler: ResponseHandler) => void): void {
    const handler = this.#handler
    if (handler === undefined) return
    try {
      act(handler)
    } catch (error) {
      this.drop()
      handler.crash(error)
    }
  }
}

/** Returns the head of a response as HTTP/1.1 text. A body without a length becomes chunked. */
function headText(status: number, pairs: readonly string[]): string {
  // a coding has precedence over a length
  const isCounted = valueOf(pairs, 'content-length') !== undefined && valueOf(pairs, 'transfer-encoding') === undefined
  let lines = isCounted ? '' : 'Transfer-Encoding: chunked\r\n'
  for (let at = 0; at < pairs.length; at += 2) {
    const name = (pairs[at] ?? '').toLowerCase()
    if (!OF_CONNECTION.has(name) && (isCounted || name !== 'content-length'))
      lines += `${pairs[at] ?? ''}: ${pairs[at + 1] ?? ''}\r\n`
  }
  return `HTTP/1.1 ${status.toString().padStart(3, '0')}\r\n${lines}\r\n`
}
