import type {OpenStream} from '../../model/call.ts'

/** A tunnel (WebSocket or raw TCP) as a call in flight: a reload or stop of the app ends it instead of waiting for it. */
export class TunnelStream implements OpenStream {
  changed: (() => void) | undefined
  #isStream = false
  readonly #end: () => void

  constructor(end: () => void) {
    this.#end = end
  }

  get isStream(): boolean {
    return this.#isStream
  }

  /** Called when the tunnel is established. */
  open(): void {
    this.#isStream = true
    this.changed?.()
  }

  endStream(): void {
    this.#end()
  }
}
