import {Collector, type Room} from '../../platform/collector.ts'

/** Maximum size of a body: calls with a larger one are not mirrored. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024

/** Events for which a copy waits before it is sent. `over`: it was sent or dropped. */
type Awaited = 'body and response' | 'body' | 'response' | 'over'

interface CopyActions {
  /** Called if the body exceeds a limit. */
  readonly tooLarge: () => void
  /** Sends the copy. The body is released when `sent` is called. */
  readonly send: (body: Buffer, sent: () => void) => void
}

/**
 * The copy of one call for its shadows (`mirror.ts`). The call's exchange gives it the pieces of the request's body. The copy is sent once
 * the whole body has arrived and the caller has its response, so that mirroring never delays a caller.
 */
export class Copy {
  readonly #options: CopyActions
  readonly #body: Collector
  #awaited: Awaited = 'body and response'

  /** `bodies`: memory budget for the bodies of all copies. */
  constructor(bodies: Room, options: CopyActions) {
    this.#options = options
    this.#body = new Collector(MAX_BODY_BYTES, bodies)
  }

  /** Stores a piece of the body. */
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

  /** Drops the copy when the caller disconnects before its response. After the response, only waits for the rest of the body. */
  gone(): void {
    if (this.#awaited !== 'body') this.drop()
  }

  /** Drops the copy and its body. */
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
