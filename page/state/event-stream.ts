const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 8000

/** An event of the run (`GET /events`); samples have no id. */
export interface RunEvent {
  readonly id?: number
  /** The time of the event (ISO 8601). Undefined for samples, which are current. */
  readonly at?: string
  readonly type: string
  readonly data: unknown
}

export interface StreamOptions {
  /** Requests events of these types that follow the event with id `after`; 0 requests only new ones. */
  readonly open: (types: string, after: number, signal: AbortSignal) => Promise<AsyncIterable<RunEvent>>
  readonly onEvent: (event: RunEvent) => void
  readonly onOpen: () => void
  /** Called when the connection is lost; the next attempt is at `retryAt` (ms since 1970). */
  readonly onLost: (error: unknown, retryAt: number) => void
}

/** Receives the events of the run. After a loss it reconnects and resumes at the last event, with a longer pause after each failure. */
export class EventStream {
  readonly #options: StreamOptions
  #types: readonly string[] = []
  /** Whether it is connected, or connecting. */
  #isFollowing = false
  #last = 0
  #reading = new AbortController()
  #pauseMs = FIRST_PAUSE_MS
  #retry: ReturnType<typeof setTimeout> | undefined

  constructor(options: StreamOptions) {
    this.#options = options
  }

  /** Connects again if other types are wanted than now; events that carry the whole state always come. */
  follow(types: readonly string[]): void {
    if (this.#isFollowing && types.join() === this.#types.join()) return
    this.#types = types
    this.now()
  }

  /** Closes the connection; `follow` resumes at the last event. */
  end(): void {
    clearTimeout(this.#retry)
    this.#isFollowing = false
    this.#reading.abort()
  }

  /** Connects again, without a pause. */
  now(): void {
    this.end()
    this.#isFollowing = true
    this.#reading = new AbortController()
    const {signal} = this.#reading
    this.#read(signal).catch((error: unknown) => {
      if (signal.aborted) return
      this.#isFollowing = false
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
      // the new connection resumes after #last, so it also delivers the events that this aborted one still holds
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
