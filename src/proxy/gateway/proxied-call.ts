import type {Hit} from '../faults/hit.ts'
import type {Protocol} from '../../model/call-protocol.ts'
import {messageOf, bugText} from '../../model/errors.ts'
import type {Call, SentRequest} from '../../model/call.ts'
import type {BrokenResponse} from '../net/broken-response.ts'
import type {CallHandler} from '../net/exchange-parts.ts'
import type {CallJournal} from '../net/call-journal.ts'
import {TOO_LARGE} from '../../platform/collector.ts'
import type {Exchange} from '../net/exchange.ts'
import {pairsOf} from '../net/http1/header-lines.ts'
import {PLAIN_RULES, type HeaderRules, type ResponseHead} from '../net/http1/response-head.ts'
import type {Failure} from '../net/upstream.ts'
import type {Copy} from '../net/copy.ts'
import {faultLine, numberLine, type Reply} from '../net/reply.ts'
import type {Pool} from '../net/pool.ts'
import type {Admission, Admitted, Denied, Held, AppPipeline} from './admission.ts'
import type {CallContext} from './call-context.ts'
import {RESET} from './faulted-call.ts'
import {readAhead} from './held-bodies.ts'
import {verdictOfStatus, type CallOutcome} from './interceptor.ts'
import {Passage} from './passage.ts'
import type {Passenger} from './passenger.ts'
import type {Verdict} from './interceptors/resiliency/resilient-call.ts'

/**
 * Base of all calls over HTTP/1 through the gateway: its passage admits the call, its exchange transfers the bytes. Subclasses define headers
 * and error responses of the API at which the call arrived: Dapr's, the Daeploy manager's, or a published port.
 */
export abstract class ProxiedCall implements CallHandler, Passenger {
  readonly call: Call
  readonly journal: CallJournal
  readonly rules: HeaderRules = PLAIN_RULES
  readonly copy: Copy | undefined
  protected readonly passage: Passage
  protected abstract readonly exchange: Exchange
  readonly #context: Partial<CallContext>
  /** Status of the current attempt's response while policies decide about it; 0: no response. */
  #attemptStatus = 0

  /** `length`: length of the request's body; 0: none, -1: chunked. `journal`: record of a call that has begun already. */
  constructor(context: Partial<CallContext>, call: Call, request: SentRequest, length: number, journal?: CallJournal) {
    this.call = call
    this.#context = context
    this.passage = new Passage(this, context, journal ?? {call, request}, readAhead(length))
    this.journal = this.passage.journal
  }

  /** Asks for admission, then sends the call. */
  start(): void {
    const {journal, passage} = this
    if (journal.startedAt === 0) journal.begun()
    const run = this.isInterceptable ? passage.under(this.call, this.#context.interceptor) : undefined
    if (run !== undefined)
      this.exchange.intercept(status => {
        this.#attemptStatus = status
        run.settle({kind: 'response', verdict: this.verdictOf(status), discard: () => passage.discard()})
      })
    passage.start()
  }

  get broken(): BrokenResponse | undefined {
    return this.passage.broken
  }

  headersFor(head: ResponseHead): string {
    this.passage.isBroken = false
    return this.responseHeaders(head) + faultLine(this.call) + numberLine(this.call)
  }

  refused(why: string): void {
    if (!this.passage.refused()) this.#fail(why, 'refused')
  }

  resent(): void {
    this.passage.isBroken = true
  }

  failed(why: string, failure?: Failure): void {
    this.passage.isBroken = why !== TOO_LARGE && failure !== 'bad-status'
    this.#fail(why, failure)
  }

  cut(why: string): void {
    this.passage.isBroken = true
    this.journal.failure = why
    this.warnCut(why)
  }

  crashed(error: unknown): void {
    this.journal.failure = messageOf(error)
    this.warn(bugText(error))
  }

  over(): void {
    this.passage.over()
  }

  abstract ask(isRefused: boolean): Admission | Held

  protocolAt(pool: Pool): Protocol {
    return this.journal.request.protocol === 'WebSocket' ? 'WebSocket' : pool.protocolOfHttp
  }

  abstract send(admitted: Admitted): void

  filter(admitted: Admitted, pipeline: AppPipeline): void {
    void this.#filter(admitted, pipeline)
  }

  denied(denied: Denied): void {
    this.passage.settle({kind: 'denied', denied})
  }

  endByFault(hit: Hit): void {
    if (hit.kind === 'status') this.passage.settle({kind: 'replied', reply: hit.response()})
    else this.#fail(RESET)
  }

  restart(): void {
    const status = this.#attemptStatus
    const firstByteAt = status === 0 ? 0 : performance.now()
    this.journal.followed({status, grpcStatus: undefined, firstByteAt, failure: ''})
    this.#attemptStatus = 0
  }

  drop(): void {
    this.exchange.discard()
  }

  conclude(outcome: CallOutcome): void {
    switch (outcome.kind) {
      case 'response':
        return this.exchange.accept()
      case 'replied':
        return this.replyAs(outcome.reply)
      case 'denied':
        return this.#deny(outcome.denied)
      case 'failed':
        return this.#giveUp(outcome.why, outcome.failure)
      case 'ended':
        return this.#deny({ok: false, status: 500, error: outcome.reason})
    }
  }

  whyNotAgain(): string {
    return this.exchange.whyNotAgain
  }

  crash(error: unknown): void {
    this.exchange.crash(error)
  }

  /** Whether policies may apply: the call is not a tunnel, and the callee's id is valid. */
  protected abstract readonly isInterceptable: boolean
  protected abstract responseHeaders(head: ResponseHead): string
  protected abstract replyDenied(denied: Denied): void
  /** Replies to a call without a response: the callee was unreachable, or its response malformed. */
  protected abstract replyFailed(why: string, failure: Failure | undefined): void
  protected abstract warnCut(why: string): void
  /** Writes to the log of the listener that received the call. */
  protected abstract warn(text: string): void

  /** Sends this response to the caller in place of the callee's. */
  protected replyAs(reply: Reply): void {
    this.exchange.reply(reply)
  }

  protected verdictOf(status: number): Verdict {
    return verdictOfStatus(status)
  }

  /** Sends the request through the callee's middleware. */
  async #filter(admitted: Admitted, pipeline: AppPipeline): Promise<void> {
    const {passage, exchange} = this
    try {
      const passed = await pipeline(this.call.path, pairsOf(this.journal.request.lines))
      if (passage.isOver || passage.admitted !== admitted) return
      if ('status' in passed) return passage.settle({kind: 'replied', reply: passed})
      exchange.onPiece = passed.onPiece
      this.send({...admitted, path: passed.path})
    } catch (error) {
      exchange.crash(error)
    }
  }

  #deny(denied: Denied): void {
    this.journal.failure = denied.error
    this.replyDenied(denied)
  }

  #fail(why: string, failure?: Failure): void {
    this.passage.settle({kind: 'failed', why, failure})
  }

  #giveUp(why: string, failure: Failure | undefined): void {
    this.journal.failure = why
    if (why === RESET) return this.exchange.reset()
    const mayHaveEnded = failure === 'silent' || failure === 'malformed'
    if (!mayHaveEnded) return this.replyFailed(why, failure)
    this.passage.explain(why, explained => {
      this.journal.failure = explained
      this.replyFailed(explained, failure)
    })
  }
}
