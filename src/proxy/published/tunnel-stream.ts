import type {OpenStream} from '../../model/call.ts'

/** A connection with any bytes. A reload or a stop of the app ends it at once. */
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

  /** Called when it begins to carry bytes. */
  open(): void {
    this.#isStream = true
    this.changed?.()
  }

  endStream(): void {
    this.#end()
  }
}
