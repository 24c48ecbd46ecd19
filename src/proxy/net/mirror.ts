import type {CallObserver, SentRequest} from '../../model/call.ts'
import {messageOf} from '../../model/errors.ts'
import {CallJournal} from './call-journal.ts'
import {Budget, Collector, type Room} from '../../platform/collector.ts'
import type {Pool} from './pool.ts'
import {PLAIN_RULES, type ResponseHead} from './http1/response-head.ts'
import type {Failure, ResponseHandler, Upstream} from './upstream.ts'

/** A call that is mirrored to shadows. */
export interface CopyOf {
  /** App id of the caller. */
  readonly caller: string
  readonly method: string
  /** The path with the query. */
  readonly path: string
  /** The head for the callee behind a pool, without the headers about the body's length and the empty line. */
  readonly headFor: (pool: Pool) => string
}

/** A callee that gets copies of calls; its responses are discarded. */
export interface Shadow {
  /** The name in warnings. */
  readonly name: string
  /** The callee for observers: `<id>@<version>`. */
  readonly callee: string
  /** Admits a copy, later if the shadow is starting; a text is the reason for a rejection. Never rejects the promise. */
  admit(pendingCall: PendingCall): Promise<ShadowPermit | string> | ShadowPermit | string
}

type PendingCall = Pick<CopyOf, 'caller' | 'method' | 'path'>

export interface ShadowPermit {
  readonly pool: Pool
  /** The pid of the process; left out: not known. */
  readonly pid?: number | undefined
  /** The copy has ended. Called exactly once. */
  leave(): void
}

/** Calls with a larger body are not mirrored. */
const MAX_BODY_BYTES = 64 * 1024 * 1024
/** Maximum size of all bodies that are queued for shadows. */
const MAX_QUEUED_BYTES = 4 * MAX_BODY_BYTES
/** Maximum number of copies in flight to a shadow, and queued for it: a hanging shadow must not use up all sockets. */
const MAX_IN_FLIGHT = 64
const MAX_QUEUE = 1000

/** A queued copy for one shadow. */
interface QueuedCopy {
  readonly shadow: Shadow
  readonly of: CopyOf
  readonly body: Buffer
  /** The copy has ended; '' or why it did not reach the shadow. */
  readonly over: (why: string) => void
}

interface ShadowQueue {
  inFlight: number
  readonly waiting: QueuedCopy[]
  /** The last copy failed; this is reported only once. */
  isReported: boolean
}

/** The shadows of a run, with a queue for each. Mirroring never affects a caller. */
export class Mirror {
  readonly #warn: (text: string) => void
  readonly #observer: CallObserver | undefined
  readonly #queues = new WeakMap<Shadow, ShadowQueue>()
  readonly #bodies = new Budget(MAX_QUEUED_BYTES)
  #copies = {begun: 0, ended: 0}

  /** `observer`: gets each copy as a call. */
  constructor(warn: (text: string) => void, observer?: CallObserver) {
    this.#warn = warn
    this.#observer = observer
  }

  /** Numbers of all copies, and of open ones. */
  get copies(): {readonly begun: number; readonly open: number} {
    const {begun, ended} = this.#copies
    return {begun, open: begun - ended}
  }

  /** A copy that is sent when the call has got its response and its whole body has arrived. */
  copy(of: CopyOf, shadows: readonly Shadow[]): Copy {
    const tooLarge = (): void => {
      const names = shadows.map(({name}) => name).join(', ')
      this.#warn(`${of.method} ${of.path} was not mirrored to ${names}: its body is too large`)
    }
    return new Copy(this.#bodies, tooLarge, (body, sent) => {
      let left = shadows.length
      for (const shadow of shadows)
        this.#enqueue({shadow, of, body}, () => {
          if (--left === 0) sent()
        })
    })
  }

  #enqueue(sending: Omit<QueuedCopy, 'over'>, over: () => void): void {
    const {shadow} = sending
    const queue = this.#queueOf(shadow)
    if (queue.waiting.length >= MAX_QUEUE) {
      this.#report(shadow, queue, 'its queue of copies is full')
      return over()
    }
    this.#copies.begun++
    queue.waiting.push({
      ...sending,
      over: why => {
        if (why === '') queue.isReported = false
        else this.#report(shadow, queue, why)
        queue.inFlight--
        this.#copies.ended++
        over()
        this.#next(queue)
      }
    })
    this.#next(queue)
  }

  #next(queue: ShadowQueue): void {
    if (queue.inFlight >= MAX_IN_FLIGHT) return
    const sending = queue.waiting.shift()
    if (sending === undefined) return
    queue.inFlight++
    const permit = sending.shadow.admit(sending.of)
    if (permit instanceof Promise) void permit.then(later => go(sending, later, this.#observer))
    else go(sending, permit, this.#observer)
  }

  #queueOf(shadow: Shadow): ShadowQueue {
    const queue = this.#queues.get(shadow) ?? {inFlight: 0, waiting: [], isReported: false}
    this.#queues.set(shadow, queue)
    return queue
  }

  #report({name}: Shadow, queue: ShadowQueue, why: string): void {
    if (!queue.isReported) this.#warn(`copies of calls do not reach ${name}: ${why}`)
    queue.isReported = true
  }
}

type SendCopy = (body: Buffer, sent: () => void) => void

/** The copy of one call. Collects the body on its way to the callee, and is sent after the caller has the response. */
export class Copy {
  readonly #tooLarge: () => void
  readonly #send: SendCopy
  readonly #body: Collector
  #isComplete = false
  #hasResponse = false
  #isOver = false

  /** `bodies` is the room for the bodies of all copies. */
  constructor(bodies: Room, tooLarge: () => void, send: SendCopy) {
    this.#tooLarge = tooLarge
    this.#send = send
    this.#body = new Collector(MAX_BODY_BYTES, bodies)
  }

  /** More of the body. */
  take(bytes: Buffer): void {
    if (this.#isOver || bytes.length === 0 || this.#body.add(bytes) === 'added') return
    this.#tooLarge()
    this.drop()
  }

  /** Called when the whole body was collected. */
  whole(): void {
    this.#isComplete = true
    this.#sendIfReady()
  }

  /** Called when the caller has the whole response, with any status. */
  responded(): void {
    this.#hasResponse = true
    this.#sendIfReady()
  }

  /** The caller has disconnected: before the response the copy is dropped; afterwards the rest of the body may still arrive. */
  gone(): void {
    if (!this.#hasResponse) this.drop()
  }

  /** The rest of the body will not arrive. */
  drop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#body.release()
  }

  #sendIfReady(): void {
    if (this.#isOver || !this.#isComplete || !this.#hasResponse) return
    this.#isOver = true
    this.#send(this.#body.whole(), () => this.#body.release())
  }
}

function go(sending: QueuedCopy, permit: ShadowPermit | string, observer: CallObserver | undefined): void {
  if (typeof permit === 'string') return sending.over(permit)
  const upstream = permit.pool.take()
  upstream.serve(new Delivery(sending, permit, upstream, observer))
}

/** A copy on a connection; the response is read to its end and discarded. */
class Delivery implements ResponseHandler {
  readonly isTunnel = false
  readonly rules = PLAIN_RULES
  isSent = false
  #journal: CallJournal | undefined
  readonly #sending: QueuedCopy
  readonly #permit: ShadowPermit
  #upstream: Upstream
  #wasLeft = false
  readonly #observer: CallObserver | undefined

  constructor(sending: QueuedCopy, permit: ShadowPermit, upstream: Upstream, observer: CallObserver | undefined) {
    this.#observer = observer
    this.#sending = sending
    this.#permit = permit
    this.#upstream = upstream
  }

  get toHead(): boolean {
    return this.#sending.of.method === 'HEAD'
  }

  open(): void {
    const {of, body, shadow} = this.#sending
    const hasLength = body.length > 0 || of.method === 'POST' || of.method === 'PUT' || of.method === 'PATCH'
    const length = hasLength ? `Content-Length: ${body.length}\r\n` : ''
    const {pool, pid = 0} = this.#permit
    const head = `${of.headFor(pool)}${length}\r\n`
    const {caller, method, path} = of
    if (this.#observer !== undefined && this.#journal === undefined) {
      const call = {caller, callee: shadow.callee, method, path, isShadow: true}
      const request: SentRequest = {protocol: 'none', method, path, lines: '', text: head, size: head.length}
      this.#journal = new CallJournal(call, request, this.#observer, undefined)
      this.#journal.begun()
      this.#journal.sentWhole(true, {pid, protocol: pool.protocolOfHttp}, body)
    }
    this.#upstream.writeAll(head, body, '', true)
    this.isSent = true
  }

  whole(head: ResponseHead, body: string): void {
    this.#journal?.responded(head.status, head, body)
    this.#over('')
  }

  // the response is discarded
  head(head: ResponseHead): void {
    this.#journal?.responded(head.status, head)
  }

  body(bytes: Buffer): boolean {
    this.#journal?.passed(bytes, 'response')
    return true
  }

  end(): void {
    this.#over('')
  }

  /** A failed response shows that the copy was delivered. */
  fail(failure: Failure, why: string): void {
    const {pool} = this.#permit
    if (this.#upstream.unsent !== '' && !pool.isRetired && !this.#wasLeft) {
      // the shadow has not begun to handle it
      this.#wasLeft = true
      this.#upstream = pool.connect()
      return this.#upstream.serve(this)
    }
    this.#over(failure === 'cut' || failure === 'bad-status' ? '' : why)
  }

  crash(error: unknown): void {
    this.#over(messageOf(error))
  }

  #over(why: string): void {
    this.#permit.leave()
    if (this.#journal !== undefined) {
      this.#journal.failure = why
      this.#journal.ended()
    }
    this.#sending.over(why)
  }
}
