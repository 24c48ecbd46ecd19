import {pause, within} from '../../../platform/delay.ts'
import type {ClusterClient} from './api-client.ts'
import {isStatus} from './api-error.ts'
import {LogCursor} from './log-cursor.ts'
import {statusesOf, type ContainerStatus, type Pod} from './pod.ts'

export interface ContainerLogOptions {
  readonly client: ClusterClient
  readonly namespace: string
  readonly pod: string
  readonly container: string
  /** The number of existing lines to read; undefined: all. */
  readonly tail: number | undefined
  /** Gets whole lines, or pieces of very long ones, as latin1. The next ones wait for its promise. */
  readonly take: (text: string) => Promise<void> | undefined
  readonly signal: AbortSignal
}

/** The last line of a container may come after the news of its end. */
export const LAST_LINE_MS = 2000
const FIRST_PAUSE_MS = 100
const MAX_PAUSE_MS = 5000

/** Follows the log of a container across its restarts, from its first line, and continues where a connection was cut. */
export class ContainerLog {
  readonly #options: ContainerLogOptions
  readonly #path: string
  readonly #cursor = new LogCursor()
  /** By start: its last line, once all are read. */
  readonly #read = new Map<string, PromiseWithResolvers<string>>()
  #status: ContainerStatus | undefined
  /** Ids of starts that are still to be read. */
  #queue: string[] = []
  #isPumping = false
  #isFirst = true

  constructor(options: ContainerLogOptions) {
    this.#options = options
    this.#path = `/api/v1/namespaces/${options.namespace}/pods/${options.pod}`
  }

  /** Must be called with each new status of the container. */
  look(status: ContainerStatus): void {
    this.#status = status
    const before = status.lastState?.terminated?.containerID
    // earlier starts are left out where only the last lines are wanted
    const isLeftOut = this.#isFirst && this.#read.size === 0 && this.#options.tail !== undefined
    if (before !== undefined && !isLeftOut) this.#add(before)
    else if (before !== undefined)
      this.#read.set(before, {...Promise.withResolvers<string>(), promise: Promise.resolve('')})
    const {containerID, state} = status
    if (containerID !== undefined && (state?.running ?? state?.terminated) !== undefined) this.#add(containerID)
    else if (!this.#isPumping) this.#isFirst = false // what starts from now on is read whole
  }

  /** The last line of this start of the container that is not blank, as text, or the last one that is known: when all are read, or after a moment. */
  async lastLine(id: string): Promise<string> {
    return (await within(LAST_LINE_MS, Promise.resolve(this.#read.get(id)?.promise))) ?? this.#cursor.lastLine
  }

  /** Settles when all lines of all its starts so far are read. */
  async allRead(): Promise<void> {
    await Promise.all([...this.#read.values()].map(async ({promise}) => promise))
  }

  #add(id: string): void {
    if (this.#read.has(id)) return
    this.#read.set(id, Promise.withResolvers())
    this.#queue.push(id)
    if (!this.#isPumping) void this.#pump()
  }

  async #pump(): Promise<void> {
    this.#isPumping = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#cursor.begin()
      await this.#readStart(next)
      this.#isFirst = false
      this.#read.get(next)?.resolve(this.#cursor.lastLine)
    }
    this.#isPumping = false
  }

  async #readStart(id: string): Promise<void> {
    const {signal} = this.#options
    for (let tries = 0; !signal.aborted; tries++) {
      const startedAt = performance.now()
      const end = await this.#stream(id)
      const isLast = end !== 'cut'
      const rest = (isLast ? this.#cursor.end() : '') + this.#cursor.resume()
      if (rest !== '') await this.#options.take(rest)
      if (isLast) return end === 'gone' ? undefined : this.#cursor.complete()
      if (performance.now() - startedAt > MAX_PAUSE_MS) tries = 0
      // the status says sooner or later whether the container has ended, or the connection
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** tries, MAX_PAUSE_MS), signal)
    }
  }

  /** The status of the container as it is now, or as it is known where pods may only be watched. */
  async #ask(): Promise<ContainerStatus | undefined> {
    const {client, container, signal} = this.#options
    try {
      const pod = await client.json<Pod>('GET', this.#path, {signal, patienceMs: 0})
      return statusesOf(pod).find(({name}) => name === container)
    } catch (error) {
      if (!isStatus(error, 403)) throw error
      return this.#status
    }
  }

  async #stream(id: string): Promise<'complete' | 'cut' | 'gone'> {
    const {client, container, tail, take, signal} = this.#options
    let isPrevious = false
    try {
      // a watch may tell of a restart later than the log is asked for, and that log would be another start's
      const {containerID, state, lastState} = (await this.#ask()) ?? {}
      isPrevious = lastState?.terminated?.containerID === id
      if (!isPrevious && containerID !== id) return 'gone'
      const isOver = isPrevious || state?.running === undefined
      const query = {
        container,
        follow: !isOver,
        previous: isPrevious || undefined,
        timestamps: true,
        tailLines: this.#isFirst && this.#cursor.since === undefined ? tail : undefined,
        sinceTime: this.#cursor.since
      }
      const response = await client.open('GET', `${this.#path}/log`, {query, signal, patienceMs: -1, waits: true})
      for await (const chunk of response as AsyncIterable<Buffer>) {
        const text = this.#cursor.push(chunk)
        if (text !== '') await take(text)
      }
      return isOver ? 'complete' : 'cut'
    } catch (error) {
      // the pod is gone, or has no log of that start any more
      return isStatus(error, 404) || (isPrevious && isStatus(error, 400)) ? 'gone' : 'cut'
    }
  }
}
