import {Attempt} from './attempt.ts'
import type {BrokenResponse} from './broken-response.ts'
import {bugText} from '../../model/errors.ts'
import type {Direction} from '../../model/call.ts'
import type {CallHandler, Downstream} from './exchange-parts.ts'
import {TOO_LARGE} from '../../platform/collector.ts'
import {LateReply} from './late-reply.ts'
import {MAX_EARLY} from './http1/caller-socket.ts'
import {CHUNKED, PLAIN_RULES, type HeaderRules, type ResponseHead} from './http1/response-head.ts'
import type {Failure, ResponseHandler, Upstream} from './upstream.ts'
import type {Copy} from './copy.ts'
import type {UpstreamSource} from './pool.ts'
import {changed, KeptBody, lateTo, maySendAgain, type PartTarget, Unsent, writeChunk} from './request-body.ts'
import {faultLine, numberLine, type Reply} from './reply.ts'

/**
 * Transfers one call after the other between a caller and its callees: gets a connection, sends the request, repeats it if that is safe,
 * relays the response, and ends each call exactly once. The handler decides, the downstream speaks the caller's protocol.
 */
export class Exchange implements ResponseHandler {
  isSent = false
  /** Changes each piece of the request's body in place before it is sent (middleware); undefined: no change. */
  onPiece: ((piece: Buffer) => void) | undefined
  /** Why the previous connection ended, if its callee may have processed the request; '': it has not. The request may have crashed it: no other process gets it. */
  #previousEnd = ''
  /** Interruption of the response by a fault; undefined: none. */
  #interruption: BrokenResponse | undefined
  readonly #downstream: Downstream
  #handler: CallHandler | undefined
  /** Copy for shadows. Stays after the call's end until the whole body has arrived. */
  #copy: Copy | undefined
  #method = ''
  /** Length of the request's body, or `CHUNKED`; 0: no body. */
  #length = 0
  /** Maximum size of the body; 0: no limit. */
  #maxBodyBytes = 0
  #pool: UpstreamSource | undefined
  #upstream: Upstream | undefined
  #head = ''
  #isHeadSent = false
  /** Whether the response is chunked and its chunks pass unchanged. */
  #passesChunks = false
  #hasResponse = false
  /** Called with the status of each response; set while policies hold responses back. */
  #onStatus: ((status: number) => void) | undefined
  #attempt: Attempt | undefined
  #kept: KeptBody | undefined
  readonly #unsent = new Unsent()
  #lateReply: LateReply | undefined

  constructor(downstream: Downstream) {
    this.#downstream = downstream
  }

  get rules(): HeaderRules {
    return this.#handler?.rules ?? PLAIN_RULES
  }

  get toHead(): boolean {
    return this.#downstream.toHead
  }

  get isTunnel(): boolean {
    return this.#downstream.isTunnel === true
  }

  get isVerbatim(): boolean {
    return this.#downstream.isVerbatim === true
  }

  /** Whether a call is in flight. */
  get isBusy(): boolean {
    return this.#handler !== undefined
  }

  /** Whether the call may have ended, but its copy for shadows still needs the rest of the body. */
  get isCopying(): boolean {
    return this.#copy !== undefined && this.#length !== 0 && !this.isSent
  }

  /** Starts a call after the end of the previous one. `length`: length of the body, or `CHUNKED`; 0: no body. `maxBodyBytes`: 0: no limit. */
  begin(handler: CallHandler, method: string, length: number, maxBodyBytes = 0): this {
    this.#handler = handler
    this.#copy = handler.copy
    this.#method = method
    this.#length = length
    this.#maxBodyBytes = maxBodyBytes
    this.isSent = false
    this.#hasResponse = false
    this.#onStatus = undefined
    this.onPiece = undefined
    return this
  }

  /**
   * Holds each response back until `accept` or `discard`, for resiliency policies. Keeps the request's body for retries, unless its length is
   * unknown: Dapr streams such a body once (pkg/messaging). Called before the first `send`. `responded`: called with the status of each response.
   */
  intercept(responded: (status: number) => void): void {
    this.#onStatus = responded
    if (this.#length > 0) this.#kept = new KeptBody(this.#maxBodyBytes)
  }

  /** Sends the request to a callee, again after `refused` or for another attempt. `head`: latin1 text with the empty line. */
  send(pool: UpstreamSource, head: string): void {
    const handler = this.#handler
    if (handler === undefined) return
    if (this.#maxBodyBytes > 0 && this.#length > this.#maxBodyBytes) return this.#giveUp(TOO_LARGE)
    this.#interruption = handler.broken
    if (this.#unsent.text !== '') this.#unsent.text = head + this.#unsent.text.slice(this.#head.length)
    this.#pool = pool
    this.#head = head
    this.#previousEnd = ''
    this.#unsent.wasSent = false
    this.#useUpstream(this.isTunnel ? pool.connect() : pool.take())
  }

  #useUpstream(upstream: Upstream): void {
    if (this.#handler !== undefined) this.#handler.journal.attempts++
    this.#isHeadSent = this.#unsent.text !== ''
    this.isSent &&= this.#isHeadSent
    this.#upstream = upstream
    if (this.#onStatus !== undefined) this.#attempt = new Attempt(this, upstream, this.#onStatus)
    upstream.serve(this.#attempt ?? this)
  }

  open(wasOpen: boolean): void {
    this.#handler?.journal.connected(wasOpen)
    if (this.#length === 0) this.sendBody(undefined, true)
    this.#interruption?.opened?.()
    if (this.#unsent.text !== '' || this.#kept?.isStarted === true) return this.#sendAgain()
    if (this.#kept !== undefined) this.#kept.isStarted = true
    this.#downstream.sendBody?.()
  }

  /** Sends the request on a new connection: the unprocessed bytes of the previous connection or the kept body, then the rest. */
  #sendAgain(): void {
    const [upstream, kept] = [this.#upstream, this.#kept]
    if (upstream === undefined) return
    if (this.#unsent.text !== '') this.#unsent.sendTo(upstream, this.isSent)
    else if (kept?.isLost === true) return this.#giveUp(`the request cannot be sent again: ${this.whyNotAgain}`)
    else if (kept !== undefined) this.#write(upstream, kept.whole(), kept.isWhole)
    if (!this.isSent) this.#downstream.resume?.()
  }

  /**
   * Sends a piece of the request's body. Writes the head with the first piece. Returns false if the downstream has to pause until its `resume()`.
   * Also called after the end of the call, for the copy for shadows.
   */
  sendBody(bytes: Buffer | undefined, isLast: boolean): boolean {
    if (bytes !== undefined) this.#copy?.take(bytes)
    if (isLast) this.#copy?.whole()
    this.#kept?.add(bytes, isLast)
    // until the connection is open, the bytes wait in `#kept` or `#unsent`
    const to = this.#upstream?.isOpen === true ? this.#upstream : this.#unsent.text === '' ? undefined : this.#unsent
    if (this.isSent) return true
    const journal = this.#handler?.journal
    // a chunked body that passes unchanged contains framing: the downstream reports its content by `content`
    if (bytes !== undefined && journal !== undefined && (this.#length !== CHUNKED || !this.isVerbatim)) {
      journal.passed(bytes, 'request')
      if (this.#maxBodyBytes > 0 && journal.requestBytes > this.#maxBodyBytes) {
        this.#giveUp(TOO_LARGE)
        return true
      }
    }
    if (to === undefined) this.isSent = isLast
    this.#lateReply?.arrived(isLast)
    const isLate = isLast && journal?.isFirstTurn === false && journal.requestBytes > MAX_EARLY
    return to === undefined || this.#write(to, bytes, isLast, isLate)
  }

  /** Writes a piece of the body, and before the first one the head. `isLate`: writes it in a later turn, by `writeLate`. */
  #write(to: PartTarget, piece: Buffer | undefined, isLast: boolean, isLate = false): boolean {
    const bytes = this.onPiece === undefined || piece === undefined ? piece : changed(piece, this.onPiece)
    this.isSent = isLast
    const head = this.#isHeadSent ? '' : this.#head
    this.#isHeadSent = true
    if (to.isUnframed === true) return to.writeAll(head, bytes, '', isLast)
    const out = isLate ? lateTo(to) : to
    if (this.#length === CHUNKED && !this.isVerbatim) return writeChunk(out, head, bytes, isLast)
    return bytes === undefined && head === '' ? true : out.writeAll(head, bytes)
  }

  /** Sends bytes through a tunnel to the callee. Returns false if the downstream has to pause until its `resume()`. */
  write(bytes: Buffer): boolean {
    return this.#upstream?.write(bytes) ?? true
  }

  /** Called when the caller has ended its side of a tunnel. */
  finishSending(): void {
    this.#upstream?.finishSending()
  }

  whole(head: ResponseHead, body: string): void {
    if (this.#interruption !== undefined && body.length > this.#interruption.left) {
      this.#upstream = undefined // the connection is free again
      this.head(head)
      return void this.body(Buffer.from(body, 'latin1'))
    }
    const handler = this.#noteResponse(head, body)
    if (handler === undefined) return
    this.#upstream = undefined
    handler.journal.isWhole = true
    handler.journal.responseBytes = body.length
    this.#downstream.whole(head, handler.headersFor(head), body)
    this.#copy?.responded()
    this.#endCall()
  }

  head(head: ResponseHead): void {
    const handler = this.#noteResponse(head)
    if (handler === undefined) return
    this.#passesChunks = this.isVerbatim && head.left === CHUNKED
    this.#downstream.head(head, handler.headersFor(head))
    if (this.#interruption?.left === 0) this.#interruptSoon(this.#interruption)
  }

  /** Notes the begin of a response. Returns the handler; undefined: the response is not relayed. */
  #noteResponse(head: ResponseHead, body = ''): CallHandler | undefined {
    const handler = this.#handler
    if (handler === undefined) return undefined
    if (head.status === 101 && this.#downstream.refusesSwitch === true) {
      this.#giveUp('HTTP status 101 without an upgrade', 'bad-status')
      return undefined
    }
    const {journal} = handler
    if (journal.isRecorded) journal.firstByteAt = performance.now()
    if (this.#interruption?.left === -1) {
      this.#interruption.isOver = true
      this.#giveUp('EOF', 'silent')
      return undefined
    }
    this.#hasResponse = true
    journal.status = head.status
    journal.observer?.responded(journal.call, head, body)
    return handler
  }

  body(piece: Buffer): boolean {
    const broken = this.#interruption
    if (broken?.isOver === true) return false
    const bytes = broken === undefined ? piece : broken.take(piece, () => this.#interruptSoon(broken))
    if (!this.#passesChunks) this.content(bytes)
    return this.#downstream.body(bytes)
  }

  interim(text: string): void {
    this.#downstream.interim?.(text)
  }

  /** Counts bytes of a body's content, without framing, and reports them to the observer. */
  content(bytes: Buffer, direction: Direction = 'response'): void {
    this.#handler?.journal.passed(bytes, direction)
  }

  end(): void {
    this.#upstream = undefined
    if (this.#interruption?.isOver === true) return
    this.#downstream.end?.()
    this.#copy?.responded()
    this.#endCall()
  }

  drain(): void {
    this.#downstream.resume?.()
  }

  /** Called when the caller accepts more of the response. */
  resume(): void {
    this.#upstream?.resume()
  }

  /** Interrupts the response in the next turn of the event loop, after the bytes before are written. */
  #interruptSoon(broken: BrokenResponse): void {
    broken.isOver = true
    setImmediate(() => this.#interruption === broken && this.#giveUp('cut by a fault', 'cut'))
  }

  /** Reason why the request cannot be sent again; '': it can. */
  get whyNotAgain(): string {
    if (this.#length === CHUNKED && this.#isHeadSent) return 'its body has no known length'
    return this.#kept?.isLost === true ? 'its body is too large to be kept' : ''
  }

  /** Sends the response that was held back to the caller. */
  accept(): void {
    const attempt = this.#attempt
    this.#attempt = undefined
    this.#onStatus = undefined
    this.#kept?.release()
    this.#kept = undefined
    attempt?.accept()
  }

  /** Drops the current attempt with its connection and response. */
  discard(): void {
    this.#dropUpstream()
    this.#attempt = undefined
  }

  /** Replies in place of the callee, after the recorder has received the request's body. */
  reply(plain: Reply): void {
    const journal = this.#handler?.journal
    if (journal === undefined || this.#lateReply !== undefined) return
    const isWhole = this.isSent || this.#kept?.isWhole === true || this.#downstream.sendBody === undefined
    this.#lateReply = LateReply.of(journal, isWhole ? 0 : this.#length, this, plain)
    if (this.#lateReply === undefined) return this.replyNow(plain)
    this.#downstream.sendBody?.()
    this.#downstream.resume?.()
  }

  replyNow(plain: Reply): void {
    const journal = this.#handler?.journal
    if (journal === undefined) return
    const response = {...plain, lines: plain.lines + faultLine(journal.call)}
    journal.replied(response)
    this.#copy?.responded()
    if (this.#length === 0) this.#copy?.whole()
    this.#downstream.reply({...response, lines: response.lines + numberLine(journal.call)})
    this.#endCall()
  }

  /** Resets the caller's connection in place of a response. */
  reset(): void {
    this.#downstream.reset()
    this.leave()
  }

  fail(failure: Failure, why: string): void {
    const [upstream, handler, pool, broken] = [this.#upstream, this.#handler, this.#pool, this.#interruption]
    this.#upstream = undefined
    if (handler === undefined) return
    if (this.#previousEnd !== '') return this.#giveUp(this.#previousEnd, 'silent')
    const isUnprocessed = broken === undefined && this.#unsent.take(upstream)
    const isReplaced = pool?.isRetired !== false
    if (failure === 'refused' || (isUnprocessed && isReplaced)) return handler.refused(why)
    const unanswered = {isUnprocessed, hasBody: this.#length !== 0, wasUsed: (upstream?.served ?? 0) > 0}
    const mayAgain = failure === 'silent' && maySendAgain({method: this.#method, ...unanswered})
    if (isReplaced || broken !== undefined || !mayAgain) return this.#giveUp(why, failure)
    handler.resent()
    this.#previousEnd = isUnprocessed ? '' : why
    this.#useUpstream(pool.connect())
  }

  /** Ends the call after the caller has disconnected: the rest of the body will not arrive. */
  abort(): void {
    this.#copy?.drop()
    this.leave()
  }

  /** Ends the call. More of the body may still arrive for the copy. */
  leave(): void {
    this.#copy?.gone()
    this.#dropUpstream()
    this.#endCall()
  }

  /** Ends the call after an internal error, and closes only its caller's connection. */
  crash(error: unknown): void {
    if (this.#handler === undefined) process.emitWarning(bugText(error))
    else this.#handler.crashed(error)
    this.#downstream.destroy()
  }

  /** Closes the connection to the callee. After a complete response it stays open, since it may already carry another call. */
  #dropUpstream(): void {
    if (this.#attempt?.isComplete !== true) this.#upstream?.drop()
    this.#upstream = undefined
  }

  #giveUp(why: string, failure?: Failure): void {
    this.#dropUpstream()
    const handler = this.#handler
    if (handler === undefined) return
    if (!this.#hasResponse) return handler.failed(why, failure)
    handler.cut(why)
    this.#downstream.cut(why)
    this.#endCall()
  }

  #endCall(): void {
    const handler = this.#handler
    if (handler === undefined) return
    this.#handler = undefined
    this.#attempt = undefined
    this.#unsent.text = ''
    this.#kept?.release()
    this.#kept = undefined
    this.#lateReply = this.#lateReply?.cancel()
    handler.journal.isCutShort = this.#length === CHUNKED && !this.isSent
    try {
      handler.over()
    } catch (error) {
      handler.crashed(error)
      return this.#downstream.destroy()
    }
    this.#downstream.done?.()
  }
}
