import {frameOf, PULSE, type ApiEvent, type EventFormat} from './event.ts'

/** Characters that wait for a reader who is slow. */
const MAX_WAITING = 256 * 1024
/** A reader that accepts nothing for this long is disconnected. */
const CUT_MS = 30_000
const PULSE_MS = 15_000

/** Where the events of a reader are written: a response. */
export interface EventSink {
  write(text: string): boolean
  end(): void
  destroy(): void
  on(event: 'drain' | 'close', listener: () => void): void
}

/** How a reader came in: by the control socket, or as a page. */
export type Via = 'socket' | 'page'

export interface ReaderOptions {
  readonly via?: Via
  readonly format: EventFormat
  readonly types: ReadonlySet<string>
  /** Only events of this app; '' = of all. */
  readonly app: string
  /** The state of the run, for a reader that has missed events. */
  readonly reset: () => ApiEvent
  readonly cutMs?: number
  readonly maxWaiting?: number
}

/**
 * One reader of events. The run does not wait for it: what it cannot take yet waits, up to 256 KiB. Then samples are left out
 * and counted. If that is not enough, so are other news, and it gets the whole state instead; ends of apps are never left out.
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
  #cut: NodeJS.Timeout | undefined

  constructor(sink: EventSink, options: ReaderOptions) {
    this.#sink = sink
    this.#options = options
    this.app = options.app
    this.via = options.via ?? 'socket'
    sink.on('drain', () => this.#drained())
    sink.on('close', () => this.#stop())
    this.#pulse = setInterval(() => {
      if (!this.#isFull) this.#write(PULSE[options.format])
    }, PULSE_MS).unref()
  }

  wants(type: string): boolean {
    return this.#options.types.has(type)
  }

  /** Passes an event on if the reader wants it. */
  send(event: ApiEvent): void {
    const {type, app} = event
    const isForAll = type === 'hello' || type === 'reset' || type === 'bye'
    if (!isForAll && (!this.wants(type) || (app !== '' && this.app !== '' && app !== this.app))) return
    if (this.#isFull) this.#keep(event)
    else this.#write(frameOf(event, this.#options.format))
  }

  /** Nothing more will come. */
  end(): void {
    this.#stop()
    this.#sink.end()
  }

  #write(text: string): void {
    if (this.#sink.write(text)) return
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

  /** The oldest ones, until there is room. */
  #dropSamples(most: number): void {
    this.#drop(({id, type}) => {
      if (id !== 0 || this.#size <= most) return false
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
    const {format, reset} = this.#options
    if (this.#hasLost) {
      this.#hasLost = false
      this.#dropped = {}
      this.#write(frameOf(reset(), format))
    } else if (Object.keys(this.#dropped).length > 0) {
      const data = JSON.stringify(this.#dropped)
      this.#dropped = {}
      this.#write(frameOf({id: 0, at: 0, type: 'dropped', app: '', subject: '', data}, format))
    }
    let next = 0
    for (const event of this.#waiting) {
      if (this.#isFull) break
      this.#write(frameOf(event, format))
      this.#size -= event.data.length
      next++
    }
    this.#waiting = this.#waiting.slice(next)
  }

  #stop(): void {
    clearInterval(this.#pulse)
    clearTimeout(this.#cut)
  }
}
