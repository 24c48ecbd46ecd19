const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 8000

/** An event of the run (`GET /events`); samples have no id. */
export interface RunEvent {
  readonly id?: number
  /** When it was (ISO 8601); samples are of now. */
  readonly at?: string
  readonly type: string
  readonly data: unknown
}

export interface StreamOptions {
  /** Asks the run for events of these types behind an event; `after`: 0: those that come from now on. */
  readonly open: (types: string, after: number, signal: AbortSignal) => Promise<AsyncIterable<RunEvent>>
  readonly onEvent: (event: RunEvent) => void
  readonly onOpen: () => void
  /** It was lost; the next attempt is at `retryAt` (ms since 1970). */
  readonly onLost: (error: unknown, retryAt: number) => void
}

/** Events of the run, as they arrive. After a loss it reconnects at the event where it was, with longer pauses each time. */
export class EventStream {
  readonly #options: StreamOptions
  #types: readonly string[] = []
  #last = 0
  #reading = new AbortController()
  #pauseMs = FIRST_PAUSE_MS
  #retry: ReturnType<typeof setTimeout> | undefined

  constructor(options: StreamOptions) {
    this.#options = options
  }

  /** Events of these types from now on, besides those that bring the whole state. */
  follow(types: readonly string[]): void {
    this.#types = types
    this.now()
  }

  /** Ends the connection; `follow` resumes at the event where it was. */
  end(): void {
    clearTimeout(this.#retry)
    this.#reading.abort()
  }

  /** Connects again, without a pause. */
  now(): void {
    this.end()
    this.#reading = new AbortController()
    const {signal} = this.#reading
    this.#read(signal).catch((error: unknown) => {
      if (signal.aborted) return
      this.#options.onLost(error, Date.now() + this.#pauseMs)
      this.#retry = setTimeout(() => this.now(), this.#pauseMs)
      this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS)
    })
  }

  async #read(signal: AbortSignal): Promise<void> {
    const events = await this.#options.open(this.#types.join(','), this.#last, signal)
    this.#pauseMs = FIRST_PAUSE_MS
    this.#options.onOpen()
    for await (const event of events) {
      // what has arrived before it was ended comes again by the next connection, which is behind it by now
      if (signal.aborted) return
      this.#take(event)
    }
    throw new Error('it ended')
  }

  #take(event: RunEvent): void {
    if (event.id !== undefined) this.#last = event.id
    this.#options.onEvent(event)
  }
}
