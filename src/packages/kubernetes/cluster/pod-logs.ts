import {pause} from '../../../platform/delay.ts'
import {STREAM_LIMIT, type Kubectl} from './kubectl.ts'

/** `[pod/shop-1/daprd] 2026-01-02T03:04:05.000000006Z text`, as kubectl prints a line with prefix and timestamp. */
const LINE = /^\[pod\/([^/\]]+)\/([^\]]+)\] (\S+) ?(.*)$/s
/** Containers that start together are read by one kubectl: the wait for more of them, in ms. */
const GATHER_MS = 300
/** Pause after a kubectl that ended by itself, in ms. */
const PAUSE_MS = 1000
/** A restarted kubectl reads again from this time before the newest line, in ms. */
const OVERLAP_MS = 60_000

export interface PodLogsOptions {
  readonly kubectl: Kubectl
  /** Selects the pods. */
  readonly label: string
  /** Lines of containers that the first kubectl finds; -1 means all. */
  readonly tail: number
  readonly signal: AbortSignal
  /** Receives one line, as bytes (latin1). Returns undefined for a pod that is not known yet: its lines are read again. */
  readonly take: (pod: string, container: string, line: string) => Promise<void> | undefined
}

/** Logs of all containers of a label. A single kubectl reads them, and restarts for containers that start later. */
export class PodLogs {
  readonly #options: PodLogsOptions
  /** Time of the last line of each container. */
  readonly #last = new Map<string, string>()
  #newest = 0
  #tail: number
  #reader = new AbortController()
  #current = Promise.resolve()
  #isFollowing = false

  constructor(options: PodLogsOptions) {
    this.#options = options
    this.#tail = options.tail
  }

  /** Reads a container that has started, too. */
  restart(): void {
    this.#reader.abort()
    if (!this.#isFollowing) void this.#follow()
    this.#isFollowing = true
  }

  /** Reads the lines that are there. */
  async flush(): Promise<void> {
    await this.#read([], this.#options.signal)
  }

  /** Settles when kubectl has no more lines, or after a second. */
  async end(): Promise<void> {
    await Promise.race([this.#current, pause(PAUSE_MS)])
  }

  async #follow(): Promise<void> {
    const {signal} = this.#options
    while (!signal.aborted) {
      await pause(this.#reader.signal.aborted ? GATHER_MS : PAUSE_MS, signal)
      this.#reader = new AbortController()
      this.#current = this.#read(['-f'], AbortSignal.any([signal, this.#reader.signal]))
      await this.#current
    }
  }

  async #read(follow: readonly string[], signal: AbortSignal): Promise<void> {
    const {kubectl, label} = this.#options
    const from =
      this.#newest > 0 ? `--since-time=${new Date(this.#newest - OVERLAP_MS).toISOString()}` : `--tail=${this.#tail}`
    this.#tail = -1
    const all = ['--all-containers', '--prefix', '--timestamps', '--ignore-errors', '--max-log-requests=200']
    await kubectl
      .lines(['logs', ...follow, '-l', label, ...all, from, STREAM_LIMIT], line => this.#take(line), signal)
      .catch(() => undefined)
  }

  #take(line: string): Promise<void> | undefined {
    const [, pod = '', container = '', time = '', text = ''] = LINE.exec(line) ?? []
    const key = `${pod}/${container}`
    if (time <= (this.#last.get(key) ?? '')) return undefined
    const taken = this.#options.take(pod, container, text)
    if (taken === undefined) return undefined
    this.#last.set(key, time)
    this.#newest = Math.max(this.#newest, Date.parse(time) || 0)
    return taken
  }
}
