import type {Pool} from './pool.ts'
import {PLAIN_RULES} from './answer.ts'
import type {Failure, Receiver, Upstream} from './upstream.ts'

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
  admit(visit: {readonly method: string; readonly path: string}): Promise<ShadowPass | string>
}

export interface ShadowPass {
  readonly pool: Pool
  /** The copy is over. Called exactly once. */
  leave(): void
}

/** A body beyond this goes to the callee alone. */
const BODY_MOST = 64 * 1024 * 1024
/** All bodies that wait for shadows. */
const WAITING_MOST = 4 * BODY_MOST
/** Copies that a shadow has at once, and that wait for it: one that hangs must not cost us every socket. */
const AT_ONCE = 64
const QUEUE_MOST = 1000

interface Queue {
  busy: number
  readonly waiting: (() => Promise<void>)[]
  /** The last copy did not get through: said once. */
  isTold: boolean
}

/** The shadows of a run: keeps account of what waits for them. Nothing they do is felt by a caller. */
export class Mirror {
  readonly #warn: (text: string) => void
  readonly #queues = new WeakMap<Shadow, Queue>()
  #bytes = 0

  constructor(warn: (text: string) => void) {
    this.#warn = warn
  }

  /** A copy that is sent when the call has been answered and its body has come. */
  copy(of: CopyOf, shadows: readonly Shadow[]): Copy {
    return new Copy({
      of,
      keep: size => this.#keep(size),
      release: size => {
        this.#bytes -= size
      },
      tooLarge: () => {
        this.#warn(
          `${of.method} ${of.path} was not copied to ${shadows.map(({name}) => name).join(', ')}: its body is too large`
        )
      },
      send: async body => {
        await Promise.all(shadows.map(async shadow => this.#enqueue(shadow, of, body)))
      }
    })
  }

  #keep(size: number): boolean {
    if (this.#bytes + size > WAITING_MOST) return false
    this.#bytes += size
    return true
  }

  async #enqueue(shadow: Shadow, of: CopyOf, body: Buffer): Promise<void> {
    const queue = this.#queueOf(shadow)
    if (queue.waiting.length >= QUEUE_MOST) return this.#tell(shadow, queue, 'too many copies wait for it already')
    const {promise, resolve} = Promise.withResolvers<void>()
    queue.waiting.push(async () => {
      const why = await deliver(shadow, of, body)
      if (why === '') queue.isTold = false
      else this.#tell(shadow, queue, why)
      resolve()
    })
    this.#next(queue)
    await promise
  }

  #next(queue: Queue): void {
    if (queue.busy >= AT_ONCE) return
    const send = queue.waiting.shift()
    if (send === undefined) return
    queue.busy++
    void send().finally(() => {
      queue.busy--
      this.#next(queue)
    })
  }

  #queueOf(shadow: Shadow): Queue {
    const queue = this.#queues.get(shadow) ?? {busy: 0, waiting: [], isTold: false}
    this.#queues.set(shadow, queue)
    return queue
  }

  #tell({name}: Shadow, queue: Queue, why: string): void {
    if (!queue.isTold) this.#warn(`copies of calls do not reach ${name}: ${why}`)
    queue.isTold = true
  }
}

interface CopyOptions {
  readonly of: CopyOf
  readonly keep: (size: number) => boolean
  readonly release: (size: number) => void
  readonly tooLarge: () => void
  readonly send: (body: Buffer) => Promise<void>
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
    if (this.#size + bytes.length > BODY_MOST || !this.#options.keep(bytes.length)) {
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
    void this.#options.send(body).then(() => this.#release())
  }

  #release(): void {
    this.#options.release(this.#size)
    this.#pieces = []
  }
}

const EMPTY = Buffer.alloc(0)

/** Sends a copy and reads the answer to its end; why it did not get through, '' when it did. */
async function deliver(shadow: Shadow, of: CopyOf, body: Buffer): Promise<string> {
  const pass = await shadow.admit(of)
  if (typeof pass === 'string') return pass
  const why = await new Promise<string>(resolve => {
    const {pool} = pass
    const hasLength = body.length > 0 || of.method === 'POST' || of.method === 'PUT' || of.method === 'PATCH'
    const length = hasLength ? `Content-Length: ${body.length.toString()}\r\n` : ''
    const upstream = pool.take()
    upstream.serve(
      new Delivery({upstream, head: `${of.headFor(pool)}${length}\r\n`, body, toHead: of.method === 'HEAD', resolve})
    )
  })
  pass.leave()
  return why
}

interface DeliveryOptions {
  readonly upstream: Upstream
  readonly head: string
  readonly body: Buffer
  readonly toHead: boolean
  readonly resolve: (why: string) => void
}

/** One copy on one connection; what comes back is dropped. */
class Delivery implements Receiver {
  readonly toHead: boolean
  readonly isTunnel = false
  readonly rules = PLAIN_RULES
  isSent = false
  readonly #options: DeliveryOptions

  constructor(options: DeliveryOptions) {
    this.toHead = options.toHead
    this.#options = options
  }

  open(): void {
    const {upstream, head, body} = this.#options
    upstream.cork()
    upstream.write(head)
    if (body.length > 0) upstream.write(body)
    this.isSent = true
  }

  whole(): void {
    this.#options.resolve('')
  }

  head(): void {
    // nobody is told
  }

  body(): boolean {
    return true
  }

  end(): void {
    this.#options.resolve('')
  }

  drain(): void {
    // the whole body was handed over
  }

  /** What breaks within an answer has got through. */
  fail(failure: Failure, why: string): void {
    this.#options.resolve(failure === 'cut' ? '' : why)
  }
}
