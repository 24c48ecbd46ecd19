import type {Call, CallObserver, SentRequest} from '../../model/call.ts'
import {messageOf} from '../../model/errors.ts'
import {CallJournal} from './call-journal.ts'
import {PLAIN_RULES, type ResponseHead} from './http1/response-head.ts'
import type {Pool} from './pool.ts'
import type {Failure, ResponseHandler, Upstream} from './upstream.ts'

/** The original call of a copy. */
export interface CopyOf {
  /** App id of the caller. */
  readonly caller: string
  readonly method: string
  /** The path with the query. */
  readonly path: string
  /** Returns the head for the shadow behind a pool, without the headers about the body's length and the empty line. */
  readonly headFor: (pool: Pool) => string
}

/** A shadow's admission of one copy. */
export interface ShadowPermit {
  readonly pool: Pool
  /** Process of the shadow; omitted: unknown. */
  readonly pid?: number | undefined
  /** Called exactly once, when the copy has ended. */
  leave(): void
}

/** The result of a copy. Any response counts as delivered. */
export type DeliveryEnd = {readonly kind: 'delivered'} | {readonly kind: 'failed'; readonly why: string}

/** A copy for one shadow. */
export interface ShadowCopy {
  readonly of: CopyOf
  readonly body: Buffer
  /** Name of the shadow in records: `<id>@<version>`. */
  readonly callee: string
  readonly ended: (end: DeliveryEnd) => void
}

const DELIVERED: DeliveryEnd = {kind: 'delivered'}
/** Methods whose requests have a Content-Length even without a body. */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])

/** Sends a copy to the shadow that has admitted it. `observer`: notified of the copy as of a call. */
export function deliver(copy: ShadowCopy, permit: ShadowPermit, observer: CallObserver | undefined): void {
  const upstream = permit.pool.take()
  upstream.serve(new ShadowDelivery(copy, permit, upstream, observer))
}

/** A copy on a connection to a shadow. Reads the whole response and discards it. */
class ShadowDelivery implements ResponseHandler {
  readonly rules = PLAIN_RULES
  readonly toHead: boolean
  isSent = false
  readonly #copy: ShadowCopy
  readonly #permit: ShadowPermit
  readonly #head: string
  readonly #journal: CallJournal | undefined
  #upstream: Upstream
  #isRepeated = false

  constructor(copy: ShadowCopy, permit: ShadowPermit, upstream: Upstream, observer: CallObserver | undefined) {
    this.#copy = copy
    this.#permit = permit
    this.#upstream = upstream
    this.toHead = copy.of.method === 'HEAD'
    this.#head = headOf(copy, permit)
    this.#journal = observer && journalOf(copy, this.#head, observer)
  }

  open(): void {
    const {body} = this.#copy
    const {pool, pid = 0} = this.#permit
    if (this.#journal?.startedAt === 0) {
      this.#journal.begun()
      this.#journal.sentWhole(true, {pid, protocol: pool.protocolOfHttp}, body)
    }
    this.#upstream.writeAll(this.#head, body, '', true)
    this.isSent = true
  }

  whole(head: ResponseHead, body: string): void {
    this.#journal?.responded(head.status, head, body)
    this.#over(DELIVERED)
  }

  head(head: ResponseHead): void {
    this.#journal?.responded(head.status, head)
  }

  body(bytes: Buffer): boolean {
    this.#journal?.passed(bytes, 'response')
    return true
  }

  end(): void {
    this.#over(DELIVERED)
  }

  /** Sends the copy once more if the shadow has not processed it. */
  fail(failure: Failure, why: string): void {
    const {pool} = this.#permit
    if (this.#upstream.unsent !== '' && !pool.isRetired && !this.#isRepeated) {
      this.#isRepeated = true
      this.#upstream = pool.connect()
      return this.#upstream.serve(this)
    }
    const hasResponse = failure === 'cut' || failure === 'bad-status'
    this.#over(hasResponse ? DELIVERED : {kind: 'failed', why})
  }

  crash(error: unknown): void {
    this.#over({kind: 'failed', why: messageOf(error)})
  }

  #over(end: DeliveryEnd): void {
    this.#permit.leave()
    if (this.#journal !== undefined) {
      if (end.kind === 'failed') this.#journal.failure = end.why
      this.#journal.ended()
    }
    this.#copy.ended(end)
  }
}

/** Returns the whole head of a copy. */
function headOf({of, body}: ShadowCopy, {pool}: ShadowPermit): string {
  const hasLength = body.length > 0 || WITH_BODY.has(of.method)
  const length = hasLength ? `Content-Length: ${body.length}\r\n` : ''
  return `${of.headFor(pool)}${length}\r\n`
}

function journalOf({of, callee}: ShadowCopy, head: string, observer: CallObserver): CallJournal {
  const {caller, method, path} = of
  const call: Call = {caller, callee, method, path, isShadow: true}
  const request: SentRequest = {protocol: 'none', method, path, lines: '', text: head, size: head.length}
  return new CallJournal(call, request, observer, undefined)
}
