import {readdir, readFile, stat} from 'node:fs/promises'
import {join} from 'node:path'
import type {Published} from '../world.ts'

type Mutable<T> = {-readonly [K in keyof T]: T[K]}

interface Flood {
  readonly folder: string
  readonly mark: string
  readonly count: number
}

/** What the run has acknowledged, which it has to keep: state, events and lines. */
export class Promises {
  published: readonly Mutable<Published>[] = []
  readonly #saved = new Map<string, string>()
  #floods: readonly Flood[] = []

  /** `base`: the address of the sidecar of `from`. */
  async publish(base: string, {from, to, number, bus}: Omit<Published, 'status'>): Promise<void> {
    const event: Mutable<Published> = {number, from, to, bus, status: undefined}
    this.published = [...this.published, event]
    event.status = await statusOf(`${base}/v1.0/publish/${bus}/to-${to}`, JSON.stringify(number))
  }

  /** Any sidecar reads it: the keys of the store have no prefix. */
  async save(base: string, key: string, value: string): Promise<void> {
    const status = await statusOf(`${base}/v1.0/state/store`, JSON.stringify([{key, value}]))
    if (status === 204) this.#saved.set(key, value)
    else this.#saved.delete(key)
  }

  /** An app with this folder, whose own address is `base`, writes so many lines. */
  async flood(base: string, flood: Flood): Promise<void> {
    const {mark, count} = flood
    const status = await statusOf(`${base}/flood?mark=${mark}&count=${count}`, '')
    if (status === 200) this.#floods = [...this.#floods, flood]
  }

  /** The size of the largest log file of an app. */
  async largestLog(root: string, folder: string): Promise<number> {
    const logs = join(root, folder, '.dapr/logs')
    const names = await readdir(logs).catch(() => [])
    return Math.max(0, ...(await Promise.all(names.map(async name => (await stat(join(logs, name))).size))))
  }

  /** The run has ended, and what it had in memory with it. */
  forget(): void {
    this.#saved.clear()
    this.published = []
    this.#floods = []
  }

  /** What has been looked at is not looked at again, besides state. */
  settle(): void {
    this.published = []
    this.#floods = []
  }

  /** What was not kept, a sentence each; `base`: the address of a sidecar, '' = there is none. */
  async broken(base: string, folder: string): Promise<readonly string[]> {
    const states = base === '' ? [] : await Promise.all([...this.#saved].map(async saved => stateFault(base, saved)))
    const lines = await Promise.all(this.#floods.map(async flood => floodFault(folder, flood)))
    return [...states, ...lines].filter(fault => fault !== '')
  }
}

async function statusOf(url: string, body: string): Promise<number> {
  try {
    const response = await fetch(url, {method: 'POST', headers: {'content-type': 'application/json'}, body})
    await response.arrayBuffer()
    return response.status
  } catch {
    return 0
  }
}

async function stateFault(base: string, [key, value]: readonly [string, string]): Promise<string> {
  try {
    const text = await (await fetch(`${base}/v1.0/state/store/${key}`)).text()
    return text === JSON.stringify(value) ? '' : `the state ${key} is ${text}, not ${JSON.stringify(value)}`
  } catch {
    return '' // that sidecar was closed in between
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
