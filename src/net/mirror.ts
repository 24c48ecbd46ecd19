import {messageOf} from '../model/errors.ts'
import type {Pool} from './pool.ts'
import {PLAIN_RULES} from './http1/response-head.ts'
import type {Failure, ResponseHandler, Upstream} from './http1/upstream.ts'

/** A call that is copied to shadows. */
export interface CopyOf {
  readonly method: string
  /** With the query. */
  readonly path: string
  /** The head that goes to the callee behind a pool, without the lines that tell the body's length and the empty line. */
  readonly headFor: (pool: Pool) => string
}

/** Somebody who gets copies and is never heard. */
export interface Shadow {
  /** For warnings. */
  readonly name: string
  /** Lets a copy in, later where the shadow is starting; a text says why not. Never rejects. */
  admit(pendingCall: PendingCall): Promise<ShadowPermit | string> | ShadowPermit | string
}

interface PendingCall {
  readonly method: string
  readonly path: string
}

export interface ShadowPermit {
  readonly pool: Pool
  /** The copy is over. Called exactly once. */
  leave(): void
}

/** A body beyond this goes to the callee alone. */
const MAX_BODY = 64 * 1024 * 1024
/** All bodies that wait for shadows. */
const MAX_WAITING = 4 * MAX_BODY
/** Copies that a shadow has at once, and that wait for it: one that hangs must not cost us every socket. */
const AT_ONCE = 64
const MAX_QUEUE = 1000

/** A copy on its way to one shadow. */
interface Sending {
  readonly shadow: Shadow
  readonly of: CopyOf
  readonly body: Buffer
  /** It is over; '' or why it did not get through. */
  readonly over: (why: string) => void
}

interface StartQueue {
  busy: number
  readonly waiting: Sending[]
  /** The last copy did not get through: said once. */
  isTold: boolean
}

/** The shadows of a run: keeps account of what waits for them. Nothing they do is felt by a caller. */
export class Mirror {
  readonly #warn: (text: string) => void
  readonly #queues = new WeakMap<Shadow, StartQueue>()
  #bytes = 0

  constructor(warn: (text: string) => void) {
    this.#warn = warn
  }

  /** A copy that is sent when the call has been answered and its body has come. */
  copy(of: CopyOf, shadows: readonly Shadow[]): Copy {
    return new Copy({
      keep: size => this.#keep(size),
      release: size => {
        this.#bytes -= size
      },
      tooLarge: () => {
        this.#warn(
          `${of.method} ${of.path} was not copied to ${shadows.map(({name}) => name).join(', ')}: its body is too large`
        )
      },
      send: (body, sent) => {
        let left = shadows.length
        for (const shadow of shadows)
          this.#enqueue({shadow, of, body}, () => {
            if (--left === 0) sent()
          })
      }
    })
  }

  #keep(size: number): boolean {
    if (this.#bytes + size > MAX_WAITING) return false
    this.#bytes += size
    return true
  }

  #enqueue(sending: Omit<Sending, 'over'>, over: () => void): void {
    const {shadow} = sending
    const queue = this.#queueOf(shadow)
    if (queue.waiting.length >= MAX_QUEUE) {
      this.#tell(shadow, queue, 'too many copies wait for it already')
      return over()
    }
    queue.waiting.push({
      ...sending,
      over: why => {
        if (why === '') queue.isTold = false
        else this.#tell(shadow, queue, why)
        queue.busy--
        over()
        this.#next(queue)
      }
    })
    this.#next(queue)
  }

  #next(queue: StartQueue): void {
    if (queue.busy >= AT_ONCE) return
    const sending = queue.waiting.shift()
    if (sending === undefined) return
    queue.busy++
    const {shadow, of} = sending
    const answer = shadow.admit(of)
    if (answer instanceof Promise) void answer.then(later => go(sending, later))
    else go(sending, answer)
  }

  #queueOf(shadow: Shadow): StartQueue {
    const queue = this.#queues.get(shadow) ?? {busy: 0, waiting: [], isTold: false}
    this.#queues.set(shadow, queue)
    return queue
  }

  #tell({name}: Shadow, queue: StartQueue, why: string): void {
    if (!queue.isTold) this.#warn(`copies of calls do not reach ${name}: ${why}`)
    queue.isTold = true
  }
}

interface CopyOptions {
  readonly keep: (size: number) => boolean
  readonly release: (size: number) => void
  readonly tooLarge: () => void
  readonly send: (body: Buffer, sent: () => void) => void
}

/** The copy of one call: gathers the body on its way to the callee, and leaves when the caller has his answer. */
export class Copy {
  readonly #options: CopyOptions
  #pieces: Buffer[] = []
  #size = 0
  #isWhole = false
  #isAnswered = false
  #isOver = false

  constructor(options: CopyOptions) {
    this.#options = options
  }

  /** More of the body; the bytes must stay as they are. */
  take(bytes: Buffer): void {
    if (this.#isOver || bytes.length === 0) return
    if (this.#size + bytes.length > MAX_BODY || !this.#options.keep(bytes.length)) {
      this.#options.tooLarge()
      return this.drop()
    }
    this.#size += bytes.length
    this.#pieces.push(bytes)
  }

  /** All of the body was taken. */
  whole(): void {
    this.#isWhole = true
    this.#sendIfDue()
  }

  /** The caller has the whole answer, whatever it is. */
  answered(): void {
    this.#isAnswered = true
    this.#sendIfDue()
  }

  /** The caller has left: without his answer nothing is copied; with it the rest of the body may still come. */
  gone(): void {
    if (!this.#isAnswered) this.drop()
  }

  /** There will be no more of the body. */
  drop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#release()
  }

  #sendIfDue(): void {
    if (this.#isOver || !this.#isWhole || !this.#isAnswered) return
    this.#isOver = true
    const body = this.#pieces.length === 1 ? (this.#pieces[0] ?? EMPTY) : Buffer.concat(this.#pieces)
    this.#options.send(body, () => this.#release())
  }

  #release(): void {
    this.#options.release(this.#size)
    this.#pieces = []
  }
}

const EMPTY = Buffer.alloc(0)

function go(sending: Sending, permit: ShadowPermit | string): void {
  if (typeof permit === 'string') return sending.over(permit)
  const upstream = permit.pool.take()
  upstream.serve(new Delivery(sending, permit, upstream))
}

/** One copy on one connection; what comes back is read to its end and dropped. */
class Delivery implements ResponseHandler {
  readonly isTunnel = false
  readonly rules = PLAIN_RULES
  isSent = false
  readonly #sending: Sending
  readonly #permit: ShadowPermit
  readonly #upstream: Upstream

  constructor(sending: Sending, permit: ShadowPermit, upstream: Upstream) {
    this.#sending = sending
    this.#permit = permit
    this.#upstream = upstream
  }

  get toHead(): boolean {
    return this.#sending.of.method === 'HEAD'
  }

  open(): void {
    const {of, body} = this.#sending
    const hasLength = body.length > 0 || of.method === 'POST' || of.method === 'PUT' || of.method === 'PATCH'
    const length = hasLength ? `Content-Length: ${body.length.toString()}\r\n` : ''
    this.#upstream.writeAll(`${of.headFor(this.#permit.pool)}${length}\r\n`, body)
    this.isSent = true
  }

  whole(): void {
    this.#over('')
  }

  head(): void {
    // nobody is told
  }

  body(): boolean {
    return true
  }

  end(): void {
    this.#over('')
  }

  drain(): void {
    // the whole body was handed over
  }

  /** What breaks within an answer, or is answered by a status that is none, has got through. */
  fail(failure: Failure, why: string): void {
    this.#over(failure === 'cut' || failure === 'bad-status' ? '' : why)
  }

  crash(error: unknown): void {
    this.#over(messageOf(error))
  }

  #over(why: string): void {
    this.#permit.leave()
    this.#sending.over(why)
  }
}
