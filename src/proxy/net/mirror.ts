import type {CallObserver} from '../../model/call.ts'
import {Budget} from '../../platform/collector.ts'
import {Copy, MAX_BODY_BYTES} from './copy.ts'
import {deliver, type CopyOf, type ShadowCopy, type ShadowPermit} from './shadow-delivery.ts'

/** A callee that gets copies of calls. Its responses are discarded. */
export interface Shadow {
  /** Name in warnings. */
  readonly name: string
  /** Name of the callee in records: `<id>@<version>`. */
  readonly callee: string
  /** Admits a copy, at once or after the shadow has started. A text is the reason for a denial. The promise never rejects. */
  admit(pendingCall: PendingCall): Promise<ShadowPermit | string> | ShadowPermit | string
}

type PendingCall = Pick<CopyOf, 'caller' | 'method' | 'path'>

/** Maximum size of all bodies of copies that have not been sent. */
const MAX_QUEUED_BYTES = 4 * MAX_BODY_BYTES
/** Maximum number of copies in flight to a shadow, so that a hanging shadow cannot use up all sockets. */
const MAX_IN_FLIGHT = 64
/** Maximum number of copies that wait for a shadow. */
const MAX_QUEUE = 1000

/** The copies for one shadow. */
interface ShadowQueue {
  readonly shadow: Shadow
  inFlight: number
  readonly waiting: ShadowCopy[]
  /** Whether the latest copy failed. Only the first of several failures in a row is reported. */
  isFailing: boolean
}

/** Sends copies of calls to the shadows of a run, with a queue for each shadow. Never affects a caller. */
export class Mirror {
  readonly #warn: (text: string) => void
  readonly #observer: CallObserver | undefined
  readonly #queues = new WeakMap<Shadow, ShadowQueue>()
  readonly #bodies = new Budget(MAX_QUEUED_BYTES)
  #copies = {begun: 0, ended: 0}

  /** `observer`: notified of each copy as of a call. */
  constructor(warn: (text: string) => void, observer?: CallObserver) {
    this.#warn = warn
    this.#observer = observer
  }

  /** Number of copies so far, and of copies that have not ended. */
  get copies(): {readonly begun: number; readonly open: number} {
    const {begun, ended} = this.#copies
    return {begun, open: begun - ended}
  }

  /** Begins a copy of a call for these shadows. */
  copy(of: CopyOf, shadows: readonly Shadow[]): Copy {
    const tooLarge = (): void => {
      const names = shadows.map(({name}) => name).join(', ')
      this.#warn(`${of.method} ${of.path} was not mirrored to ${names}: its body is too large`)
    }
    const send = (body: Buffer, sent: () => void): void => {
      let left = shadows.length
      const ended = (): void => {
        if (--left === 0) sent()
      }
      for (const shadow of shadows) this.#enqueue(this.#queueOf(shadow), of, body, ended)
    }
    return new Copy(this.#bodies, {tooLarge, send})
  }

  /** Queues a copy for one shadow. `over`: called when the copy has ended. */
  #enqueue(queue: ShadowQueue, of: CopyOf, body: Buffer, over: () => void): void {
    const {shadow, waiting} = queue
    if (waiting.length >= MAX_QUEUE) {
      this.#report(queue, 'its queue of copies is full')
      return over()
    }
    this.#copies.begun++
    waiting.push({
      of,
      body,
      callee: shadow.callee,
      ended: end => {
        if (end.kind === 'delivered') queue.isFailing = false
        else this.#report(queue, end.why)
        queue.inFlight--
        this.#copies.ended++
        over()
        this.#sendNext(queue)
      }
    })
    this.#sendNext(queue)
  }

  #sendNext(queue: ShadowQueue): void {
    if (queue.inFlight >= MAX_IN_FLIGHT) return
    const copy = queue.waiting.shift()
    if (copy === undefined) return
    queue.inFlight++
    const permit = queue.shadow.admit(copy.of)
    if (permit instanceof Promise) void permit.then(later => this.#send(copy, later))
    else this.#send(copy, permit)
  }

  #send(copy: ShadowCopy, permit: ShadowPermit | string): void {
    if (typeof permit === 'string') copy.ended({kind: 'failed', why: permit})
    else deliver(copy, permit, this.#observer)
  }

  #queueOf(shadow: Shadow): ShadowQueue {
    const queue = this.#queues.get(shadow) ?? {shadow, inFlight: 0, waiting: [], isFailing: false}
    this.#queues.set(shadow, queue)
    return queue
  }

  #report(queue: ShadowQueue, why: string): void {
    if (!queue.isFailing) this.#warn(`copies of calls do not reach ${queue.shadow.name}: ${why}`)
    queue.isFailing = true
  }
}
