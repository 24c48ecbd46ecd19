import {pause, within} from '../../../platform/delay.ts'
import type {ClusterClient} from './api-client.ts'
import {isStatus} from './api-error.ts'
import {LogCursor} from './log-cursor.ts'
import type {ContainerStatus} from './pod.ts'

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

/** One start of a container. */
interface Instance {
  readonly id: string
  readonly isPrevious: boolean
}

/** The last line of a container may come after the news of its end. */
export const LAST_LINE_MS = 2000
const FIRST_PAUSE_MS = 100
const MAX_PAUSE_MS = 5000

/** Follows the log of a container across its restarts, from its first line, and continues where a connection was cut. */
export class ContainerLog {
  readonly #options: ContainerLogOptions
  readonly #cursor = new LogCursor()
  /** By start: its last line, once all are read. */
  readonly #read = new Map<string, PromiseWithResolvers<string>>()
  #status: ContainerStatus | undefined
  #queue: Instance[] = []
  #isPumping = false
  #isFirst = true

  constructor(options: ContainerLogOptions) {
    this.#options = options
  }

  /** Must be called with each new status of the container. */
  look(status: ContainerStatus): void {
    this.#status = status
    const before = status.lastState?.terminated?.containerID
    if (before !== undefined) this.#addPrevious(before)
    const {containerID, state} = status
    if (containerID !== undefined && (state?.running ?? state?.terminated) !== undefined)
      this.#add({id: containerID, isPrevious: false})
  }

  /** The last line of this start of the container that is not blank, as text, or the last one that is known: when all are read, or after a moment. */
  async lastLine(id: string): Promise<string> {
    return (await within(LAST_LINE_MS, Promise.resolve(this.#read.get(id)?.promise))) ?? this.#cursor.lastLine
  }

  /** Settles when all lines of all its starts so far are read. */
  async allRead(): Promise<void> {
    await Promise.all([...this.#read.values()].map(async ({promise}) => promise))
  }

  /** Earlier starts are left out where only the last lines are wanted. */
  #addPrevious(id: string): void {
    const isLeftOut = this.#isFirst && this.#read.size === 0 && this.#options.tail !== undefined
    if (isLeftOut) this.#read.set(id, {...Promise.withResolvers<string>(), promise: Promise.resolve('')})
    else this.#add({id, isPrevious: true})
  }

  #add(instance: Instance): void {
    if (this.#read.has(instance.id)) return
    this.#read.set(instance.id, Promise.withResolvers())
    this.#queue.push(instance)
    if (!this.#isPumping) void this.#pump()
  }

  async #pump(): Promise<void> {
    this.#isPumping = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#cursor.begin()
      await this.#readInstance(next)
      this.#isFirst = false
      this.#read.get(next.id)?.resolve(this.#cursor.lastLine)
    }
    this.#isPumping = false
  }

  async #readInstance(instance: Instance): Promise<void> {
    const {signal} = this.#options
    const tail = this.#isFirst ? this.#options.tail : undefined
    for (let tries = 0; !signal.aborted; tries++) {
      const startedAt = performance.now()
      const isOver = this.#isOver(instance.id)
      const end = await this.#stream(
        {...instance, isPrevious: this.#isPrevious(instance)},
        {isOver, tail: this.#cursor.since === undefined ? tail : undefined}
      )
      const isLast = end === 'gone' || (end === 'complete' && isOver)
      const rest = (isLast ? this.#cursor.end() : '') + this.#cursor.resume()
      if (rest !== '') await this.#options.take(rest)
      if (isLast) return end === 'gone' ? undefined : this.#cursor.complete()
      if (performance.now() - startedAt > MAX_PAUSE_MS) tries = 0
      // the status says sooner or later whether the container has ended, or the connection
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** tries, MAX_PAUSE_MS), signal)
    }
  }

  /** This start of the container has ended. */
  #isOver(id: string): boolean {
    const {containerID, state} = this.#status ?? {}
    return containerID !== id || state?.running === undefined
  }

  /** The next start has come meanwhile. */
  #isPrevious({id, isPrevious}: Instance): boolean {
    return isPrevious || this.#status?.lastState?.terminated?.containerID === id
  }

  async #stream(
    {isPrevious}: Instance,
    {isOver, tail}: {readonly isOver: boolean; readonly tail: number | undefined}
  ): Promise<'complete' | 'cut' | 'gone'> {
    const {client, namespace, pod, container, take, signal} = this.#options
    const query = {
      container,
      follow: !isOver && !isPrevious,
      previous: isPrevious || undefined,
      timestamps: true,
      tailLines: tail,
      sinceTime: this.#cursor.since
    }
    try {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`
      const response = await client.open('GET', path, {query, signal, patienceMs: 0, waits: true})
      for await (const chunk of response as AsyncIterable<Buffer>) {
        const text = this.#cursor.push(chunk)
        if (text !== '') await take(text)
      }
      return 'complete'
    } catch (error) {
      // the pod is gone, or has no log of that start any more
      return isStatus(error, 404) || (isPrevious && isStatus(error, 400)) ? 'gone' : 'cut'
    }
  }
}
