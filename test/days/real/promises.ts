import {readdir, readFile, stat} from 'node:fs/promises'
import {join} from 'node:path'
import type {Published} from '../world.ts'
import {DueWork} from './due-work.ts'
import {KeptEvents} from './kept-events.ts'
import {SavedState} from './saved-state.ts'
import {statusOf} from './status-of.ts'

type Mutable<T> = {-readonly [K in keyof T]: T[K]}

interface Flood {
  readonly folder: string
  readonly mark: string
  readonly count: number
}

/** What apps got since the last rest, and who runs. */
export interface Received {
  /** Numbers of events, each as often as it came. */
  readonly received: readonly string[]
  /** Numbers of jobs and reminders, each as often as it came. */
  readonly fired: readonly string[]
  /** Ids of the apps that serve, with all their instances. */
  readonly running: ReadonlySet<string>
}

/** What the run has acknowledged, which it has to keep: state, events and lines. */
export class Promises {
  published: readonly Mutable<Published>[] = []
  readonly state = new SavedState()
  readonly work = new DueWork()
  readonly #kept = new KeptEvents()
  #floods: readonly Flood[] = []

  /** `base`: the address of the sidecar of `from`. */
  async publish(base: string, {from, to, number, bus}: Omit<Published, 'status'>): Promise<void> {
    const event: Mutable<Published> = {number, from, to, bus, status: undefined}
    this.published = [...this.published, event]
    event.status = await statusOf(`${base}/v1.0/publish/${bus}/to-${to}`, JSON.stringify(number))
    if (bus === 'redis' && event.status === 204) this.#kept.add(event)
  }

  /** An app with this folder, whose own address is `base`, writes so many lines. */
  async flood(base: string, flood: Flood): Promise<void> {
    const {mark, count} = flood
    const status = await statusOf(`${base}/flood?mark=${mark}&count=${count}`, '')
    if (status === 200) this.#floods = [...this.#floods, flood]
  }

  /** The size of the largest log file of a folder, in bytes. */
  async largestLog(root: string, folder: string): Promise<number> {
    const logs = join(root, folder, '.dapr/logs')
    const names = await readdir(logs).catch(() => [])
    const sizes = await Promise.all(names.map(async name => (await stat(join(logs, name))).size))
    return Math.max(0, ...sizes)
  }

  /** The run has ended, and what it had in memory with it. */
  ended({isKilled}: {readonly isKilled: boolean}): void {
    this.state.ended({isKilled})
    if (isKilled) this.#kept.killed()
    this.published = []
    this.#floods = []
  }

  /** What has been looked at is not looked at again, besides state and what waits. */
  settle({received, fired, running}: Received): void {
    this.state.settle()
    this.work.settle(fired, running)
    this.#kept.settle(received, running)
    this.published = []
    this.#floods = []
  }

  /** What was not kept, a sentence each; `base`: the address of a sidecar, '' = there is none. */
  async broken(base: string, folder: string, {received, fired, running}: Received): Promise<readonly string[]> {
    const states = base === '' ? [] : await this.state.broken(base)
    const lines = await Promise.all(this.#floods.map(async flood => floodFault(folder, flood)))
    return [
      ...states,
      ...lines.filter(fault => fault !== ''),
      ...this.#kept.broken(received, running),
      ...this.work.broken(fired, running)
    ]
  }
}

/** Each line of a flood stands in the log files of its app, once. */
async function floodFault(root: string, {folder, mark, count}: Flood): Promise<string> {
  const logs = join(root, folder, '.dapr/logs')
  const names = (await readdir(logs).catch(() => [])).filter(name => name.includes('_app_'))
  const texts = await Promise.all(names.map(async name => readFile(join(logs, name), 'utf8')))
  const found = texts.flatMap(text => [...text.matchAll(new RegExp(`flood ${mark} (\\d+)$`, 'gm'))].map(([, n]) => n))
  const different = new Set(found).size
  if (found.length === count && different === count) return ''
  return `of ${count} lines ${found.length} are in the log of ${folder}, ${different} different ones`
}
