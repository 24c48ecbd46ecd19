import type {IncomingMessage} from 'node:http'
import {UserError} from '../../../model/errors.ts'
import {Collector} from '../../../proxy/net/collector.ts'
import type {ClusterClient} from './api-client.ts'
import {ClusterError, type ClusterStatus} from './api-error.ts'
import {pause} from '../../../platform/delay.ts'

/** The parts of every watched object. */
export interface WatchedObject {
  readonly metadata: {readonly uid: string; readonly name: string; readonly resourceVersion: string}
}

/** The objects to watch: their path, and the labels that they have. */
interface Watched {
  readonly path: string
  readonly labels: string
  readonly signal: AbortSignal
}

export interface WatchHandler<T extends WatchedObject> {
  /** An object is new, or has changed. */
  changed(object: T): void
  gone(object: T): void
  /** The server cannot be asked at the moment; undefined: it can again. */
  troubled?(error: unknown): void
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: unknown
}

/** The server ends a watch after this time; it ends all of them sometime. */
const WATCH_SECONDS = 300
/** A connection that brings nothing for longer than the server's own limit is dead. */
const SILENCE_MS = (WATCH_SECONDS + 30) * 1000
/** A watch that lasts less than this is not asked for again at once. */
const SHORT_MS = 1000
const MAX_PAUSE_MS = 15_000

/**
 * Calls the handler for all objects at `path` that `labels` selects, and of each change, until `signal` is aborted. A watch
 * that ends continues where it was; after an outage, or if the server has forgotten that place (410), the objects are listed
 * again. Rejects only if the first list fails.
 */
export async function watch<T extends WatchedObject>(
  client: ClusterClient,
  what: Watched,
  handler: WatchHandler<T>
): Promise<void> {
  const watcher = new Watcher<T>(client, what, handler)
  await watcher.list(undefined)
  void watcher.follow()
}

class Watcher<T extends WatchedObject> {
  readonly #client: ClusterClient
  readonly #what: Watched
  readonly #handler: WatchHandler<T>
  readonly #known = new Map<string, T>()
  /** The version from which the watch continues; '' = list first. */
  #version = ''
  #isTroubled = false

  constructor(client: ClusterClient, what: Watched, handler: WatchHandler<T>) {
    this.#client = client
    this.#what = what
    this.#handler = handler
  }

  async list(patienceMs: number | undefined): Promise<void> {
    const {path, labels, signal} = this.#what
    const {items, version} = await this.#client.list<T>(path, {query: {labelSelector: labels}, signal, patienceMs})
    for (const item of items) this.#changed(item)
    this.#version = version
    const found = new Set(items.map(({metadata}) => metadata.uid))
    for (const [uid, object] of this.#known) if (!found.has(uid)) this.#gone(object)
  }

  async follow(): Promise<void> {
    const {signal} = this.#what
    let failures = 0
    while (!signal.aborted) {
      const startedAt = performance.now()
      try {
        if (this.#version === '') await this.list(0)
        await this.#watchOnce()
        failures = performance.now() - startedAt < SHORT_MS ? failures + 1 : 0
      } catch (error) {
        if (signal.aborted) return
        failures++
        this.#version = ''
        if (!isTooOld(error)) this.#trouble(error)
      }
      if (failures > 0) await pause(Math.min(250 * 2 ** failures, MAX_PAUSE_MS), signal)
    }
  }

  /** Resolves when the server ends the watch. */
  async #watchOnce(): Promise<void> {
    const {path, labels, signal} = this.#what
    const query = {
      watch: true,
      allowWatchBookmarks: true,
      labelSelector: labels,
      resourceVersion: this.#version,
      timeoutSeconds: WATCH_SECONDS
    }
    const response = await this.#client.open('GET', path, {query, signal, patienceMs: 0})
    this.#trouble(undefined)
    response.setTimeout(SILENCE_MS, () => response.destroy())
    try {
      for await (const line of jsonLines(response)) this.#take(line as WatchEvent)
    } catch (error) {
      // else the connection was cut: that is an end like any other
      if (error instanceof ClusterError || error instanceof UserError) throw error
    }
  }

  #take({type, object}: WatchEvent): void {
    if (type === 'ERROR') {
      const status = object as ClusterStatus & {readonly code?: number}
      throw new ClusterError(status.code ?? 500, status, {method: 'GET', path: this.#what.path})
    }
    const item = object as T
    this.#version = item.metadata.resourceVersion
    if (type === 'DELETED') this.#gone(item)
    else if (type !== 'BOOKMARK') this.#changed(item)
  }

  #changed(object: T): void {
    const before = this.#known.get(object.metadata.uid)
    this.#known.set(object.metadata.uid, object)
    if (before?.metadata.resourceVersion !== object.metadata.resourceVersion) apart(() => this.#handler.changed(object))
  }

  #gone(object: T): void {
    this.#known.delete(object.metadata.uid)
    apart(() => this.#handler.gone(object))
  }

  /** Called once, and once when it is over. */
  #trouble(error: unknown): void {
    const isTroubled = error !== undefined
    if (isTroubled !== this.#isTroubled) this.#handler.troubled?.(error)
    this.#isTroubled = isTroubled
  }
}

/** What a handler throws is a bug, which is reported as any other: it is no trouble of the server, and no other handler's. */
function apart(work: () => void): void {
  try {
    work()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

const isTooOld = (error: unknown): boolean =>
  error instanceof ClusterError && (error.code === 410 || error.status.reason === 'Expired')

/** Objects of a cluster have 1.5 MiB at most (etcd's limit); as JSON they are longer. */
const MAX_LINE_BYTES = 16 * 1024 * 1024

/** A line that the end of the connection has cut is dropped: the next watch brings it again. */
async function* jsonLines(response: IncomingMessage): AsyncGenerator {
  const line = new Collector(MAX_LINE_BYTES)
  const add = (bytes: Buffer): void => {
    if (line.add(bytes) !== 'added') throw new UserError('the API server sends an object that is too large')
  }
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      let start = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        add(chunk.subarray(start, end))
        start = end + 1
        const text = line.take().toString()
        if (text !== '') yield JSON.parse(text)
      }
      if (start < chunk.length) add(chunk.subarray(start))
    }
  } finally {
    line.release()
  }
}
