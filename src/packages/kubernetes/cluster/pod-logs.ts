import {pause} from '../../../platform/delay.ts'
import {TEMPLATE_LABEL} from '../object.ts'
import type {Kubectl} from './kubectl.ts'

/** `[pod/shop-1/daprd] 2026-01-02T03:04:05.000000006Z text`, as kubectl prints a line with prefix and timestamp. */
const LINE = /^\[pod\/([^/\]]+)\/([^\]]+)\] (\S+) ?(.*)$/s
/** Containers that start together are read by one kubectl: the wait for more of them, in ms. */
const GATHER_MS = 300
/** A restarted kubectl reads again from this time before the newest line, in ms; lines that were read are dropped. */
const OVERLAP_MS = 60_000
/** Lines of pods that are older than the run. */
const TAIL = 10
/** Streams that kubectl may open; its own limit is 5. */
const MAX_STREAMS = 200

/** Lines that are read of a container that has ended. */
const MAX_END = 200
/** A log that lasted this long, in ms, was ended by a limit. */
const MIN_LIMITED_MS = 60_000

export interface PodLogsOptions {
  readonly kubectl: Kubectl
  readonly template: string
  readonly signal: AbortSignal
  /** Receives one line, as bytes (latin1). */
  readonly take: (pod: string, container: string, line: string) => void
}

/** Logs of all containers of a template. A single kubectl reads them, and restarts for containers that start later. */
export class PodLogs {
  readonly #options: PodLogsOptions
  /** Time of the last line of each container. */
  readonly #last = new Map<string, string>()
  readonly #known = new Set<string>()
  #newest = 0
  #reader: {readonly abort: AbortController; readonly ended: Promise<boolean>} | undefined
  /** Whether a restart of kubectl is due. */
  #isDue = false

  constructor(options: PodLogsOptions) {
    this.#options = options
  }

  /** Reads a container, which runs or has ended. `id` identifies one start of it; `isOld`: the pod is older than the run. */
  follow(id: string, {isOld}: {readonly isOld: boolean}): void {
    if (this.#known.has(id)) return
    this.#known.add(id)
    if (!this.#isDue) void this.#restart(isOld)
  }

  /** Reads lines of a container that has ended, which a restarted kubectl no longer finds. Returns the last line; '' if there is none. */
  async readEnd(pod: string, container: string, isPrevious: boolean): Promise<string> {
    const args = ['logs', pod, '-c', container, '--prefix', '--timestamps', `--tail=${MAX_END}`]
    let last = ''
    const put = (line: string): void => {
      this.#read(line)
      last = LINE.exec(line)?.[4] ?? ''
    }
    const previous = isPrevious ? ['--previous'] : []
    await this.#options.kubectl.lines([...args, ...previous], this.#options.signal, put).catch(() => undefined)
    return Buffer.from(last, 'latin1').toString()
  }

  /** Settles when no line arrives any more, or after a second. */
  async end(): Promise<void> {
    await Promise.race([this.#reader?.ended, pause(1000)])
    this.#reader?.abort.abort()
  }

  async #restart(isOld: boolean): Promise<void> {
    const {kubectl, template, signal} = this.#options
    this.#isDue = true
    await pause(GATHER_MS, signal)
    this.#isDue = false
    this.#reader?.abort.abort()
    await this.#reader?.ended
    if (signal.aborted) return
    const from =
      this.#newest > 0
        ? `--since-time=${new Date(this.#newest - OVERLAP_MS).toISOString()}`
        : `--tail=${isOld ? TAIL : -1}`
    const args = ['logs', '-f', '-l', `${TEMPLATE_LABEL}=${template}`, '--all-containers', '--prefix', '--timestamps']
    const more = ['--ignore-errors', `--max-log-requests=${MAX_STREAMS}`, from]
    const abort = new AbortController()
    const both = AbortSignal.any([signal, abort.signal])
    const startedAt = performance.now()
    const ended = kubectl
      .lines([...args, ...more], both, line => this.#read(line))
      .then(
        () => performance.now() - startedAt > MIN_LIMITED_MS,
        () => true
      )
    this.#reader = {abort, ended}
    // kubectl ends when all containers have ended, too
    if ((await ended) && !both.aborted) {
      await pause(1000, both)
      if (!both.aborted && !this.#isDue) void this.#restart(false)
    }
  }

  #read(line: string): void {
    const [, pod = '', container = '', time = '', text = line] = LINE.exec(line) ?? []
    const key = `${pod}/${container}`
    if (pod === '' || time <= (this.#last.get(key) ?? '')) return
    this.#last.set(key, time)
    this.#newest = Math.max(this.#newest, Date.parse(time) || 0)
    this.#options.take(pod, container, text)
  }
}
