import {frameOf, PULSE, type ApiEvent, type EventFormat} from './event.ts'

/** Maximum number of characters that wait for a slow reader. */
const MAX_WAITING = 256 * 1024
/** Time without progress after which a reader is disconnected, in ms. */
const CUT_MS = 30_000
const PULSE_MS = 15_000

/** The functions of a response by which events are written. */
export interface EventSink {
  write(text: string): boolean
  end(): void
  destroy(): void
  on(event: 'drain' | 'close', listener: () => void): void
}

/** How a reader is connected: by the control socket, or by the port of the page. */
export type Via = 'socket' | 'page'

interface ReaderOptions {
  readonly via?: Via
  readonly format: EventFormat
  readonly types: ReadonlySet<string>
  /** Sends only events of this app; '': of all. */
  readonly app: string
  /** The state of the run, for a reader that has missed events. */
  readonly reset: () => ApiEvent
  readonly cutMs?: number
  readonly maxWaiting?: number
}

/**
 * A reader of events. The run does not wait for a slow reader: up to 256 KiB wait in memory, then samples are omitted and counted. If
 * that is not enough, the reader gets the whole state instead of news. Ends of apps are never omitted.
 */
export class EventReader {
  readonly app: string
  readonly via: Via
  readonly #sink: EventSink
  readonly #options: ReaderOptions
  readonly #pulse: NodeJS.Timeout
  #waiting: ApiEvent[] = []
  #size = 0
  #dropped: Record<string, number> = {}
  #hasLost = false
  #isFull = false
  #hasEnded = false
  #cut: NodeJS.Timeout | undefined

  constructor(sink: EventSink, options: ReaderOptions) {
    this.#sink = sink
    this.#options = options
    this.app = options.app
    this.via = options.via ?? 'socket'
    sink.on('drain', () => this.#drained())
    sink.on('close', () => {
      this.#hasEnded = true
      clearInterval(this.#pulse)
      clearTimeout(this.#cut)
    })
    this.#pulse = setInterval(() => {
      if (!this.#isFull) this.#write(PULSE[options.format])
    }, PULSE_MS).unref()
  }

  wants(type: string): boolean {
    return this.#options.types.has(type)
  }

  /** Passes an event on if the reader wants it. */
  send(event: ApiEvent): void {
    if (this.#hasEnded || !this.#isMeant(event)) return
    if (this.#isFull) this.#keep(event)
    else this.#write(frameOf(event, this.#options.format))
  }

  /** Sends a new reader all kept events at once: at most 1 MiB. */
  sendKept(events: readonly ApiEvent[]): void {
    const text = events.filter(event => this.#isMeant(event)).map(event => frameOf(event, this.#options.format))
    if (text.length > 0) this.#write(text.join(''))
  }

  /** Ends the stream once all waiting text is written. */
  end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearInterval(this.#pulse)
    this.#writeLoss()
    for (const event of this.#waiting) this.#write(frameOf(event, this.#options.format))
    this.#waiting = []
    this.#sink.end()
  }

  #isMeant({type, app}: ApiEvent): boolean {
    if (type === 'hello' || type === 'reset' || type === 'bye') return true
    return this.wants(type) && (app === '' || this.app === '' || app === this.app)
  }

  #write(text: string): void {
    if (this.#sink.write(text) || this.#isFull) return
    this.#isFull = true
    this.#cut = setTimeout(() => this.#sink.destroy(), this.#options.cutMs ?? CUT_MS).unref()
  }

  #keep(event: ApiEvent): void {
    const {subject} = event
    if (subject !== '') this.#drop(each => each.subject === subject)
    this.#waiting.push(event)
    this.#size += event.data.length
    const most = this.#options.maxWaiting ?? MAX_WAITING
    if (this.#size > most) this.#dropSamples(most)
    if (this.#size <= most) return
    this.#hasLost = true
    this.#drop(({type}) => type !== 'death' && type !== 'bye')
  }

  /** Drops the oldest samples until there is room. */
  #dropSamples(most: number): void {
    this.#drop(({id, type, subject}) => {
      if (id !== 0 || subject !== '' || this.#size <= most) return false
      this.#dropped[type] = (this.#dropped[type] ?? 0) + 1
      return true
    })
  }

  #drop(isDropped: (event: ApiEvent) => boolean): void {
    this.#waiting = this.#waiting.filter(event => {
      if (!isDropped(event)) return true
      this.#size -= event.data.length
      return false
    })
  }

  #drained(): void {
    clearTimeout(this.#cut)
    this.#isFull = false
    if (this.#hasEnded) return
    this.#writeLoss()
    let next = 0
    for (const event of this.#waiting) {
      if (this.#isFull) break
      this.#write(frameOf(event, this.#options.format))
      this.#size -= event.data.length
      next++
    }
    this.#waiting = this.#waiting.slice(next)
  }

  /** Replaces lost events: news by the whole state, samples by their number. */
  #writeLoss(): void {
    const {format, reset} = this.#options
    const data = JSON.stringify(this.#dropped)
    if (this.#hasLost) this.#write(frameOf(reset(), format))
    if (data !== '{}') this.#write(frameOf({id: 0, at: 0, type: 'dropped', app: '', subject: '', data}, format))
    this.#hasLost = false
    this.#dropped = {}
  }
}
