import {Collector, type Room} from '../../platform/collector.ts'

/** Calls with a larger body are not mirrored. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024

/** The events that a copy waits for; `over`: it was sent or dropped. */
type Awaited = 'body and response' | 'body' | 'response' | 'over'

interface CopyActions {
  /** Called if the body exceeds a limit. */
  readonly tooLarge: () => void
  /** Sends the copy. The body is released when `sent` is called. */
  readonly send: (body: Buffer, sent: () => void) => void
}

/**
 * The copy of one call for its shadows (`mirror.ts`). An exchange passes it the body on its way to the callee. The copy is sent after the
 * whole body has arrived and the caller has the response.
 */
export class Copy {
  readonly #options: CopyActions
  readonly #body: Collector
  #awaited: Awaited = 'body and response'

  /** `bodies`: the room for the bodies of all copies. */
  constructor(bodies: Room, options: CopyActions) {
    this.#options = options
    this.#body = new Collector(MAX_BODY_BYTES, bodies)
  }

  /** Keeps a piece of the body. */
  take(bytes: Buffer): void {
    if (this.#awaited === 'over' || bytes.length === 0 || this.#body.add(bytes) === 'added') return
    this.#options.tooLarge()
    this.drop()
  }

  /** Called when the whole body has arrived. */
  whole(): void {
    if (this.#awaited === 'body') this.#send()
    else if (this.#awaited === 'body and response') this.#awaited = 'response'
  }

  /** Called when the caller has the whole response, with any status. */
  responded(): void {
    if (this.#awaited === 'response') this.#send()
    else if (this.#awaited === 'body and response') this.#awaited = 'body'
  }

  /** Called when the caller has disconnected. After the response, the rest of the body may still arrive. */
  gone(): void {
    if (this.#awaited !== 'body') this.drop()
  }

  /** Drops the copy: the rest of the body will not arrive. */
  drop(): void {
    if (this.#awaited === 'over') return
    this.#awaited = 'over'
    this.#body.release()
  }

  #send(): void {
    this.#awaited = 'over'
    this.#options.send(this.#body.whole(), () => this.#body.release())
  }
}
