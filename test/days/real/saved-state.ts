import type {Store} from '../steps/step.ts'
import {MAY_BE_LOST_MS} from './kept-events.ts'
import {statusOf} from './status-of.ts'

/** The values that a key has had since the last rest, the latest last. */
interface Saves {
  readonly all: readonly {readonly value: string; readonly at: number}[]
  /** The run was killed right after: any of them may be there. */
  readonly isUnsure: boolean
}

/** State that was acknowledged: what is read is what was written. */
export class SavedState {
  /** By store and key: `store/key-1`. */
  readonly #saves = new Map<string, Saves>()

  /** Any sidecar reads it: the keys of the stores have no prefix. */
  async save(base: string, store: Store, {key, value}: {readonly key: string; readonly value: string}): Promise<void> {
    const path = `${store}/${key}`
    const status = await statusOf(`${base}/v1.0/state/${store}`, JSON.stringify([{key, value}]))
    const {all: before = [], isUnsure = false} = this.#saves.get(path) ?? {}
    // of several that may be there none is surely on the disk
    const earlier = isUnsure ? before.map(each => ({...each, at: Infinity})) : before
    const all = [...earlier, {value, at: performance.now()}]
    if (status === 204) this.#saves.set(path, {all, isUnsure: false})
    else this.#saves.delete(path) // it may have been saved, or not
  }

  /** The run has ended. */
  ended({isKilled}: {readonly isKilled: boolean}): void {
    const before = performance.now() - MAY_BE_LOST_MS
    for (const [path, {all}] of this.#saves) {
      const sure = all.findLastIndex(({at}) => at < before)
      if (path.startsWith('store/') || (isKilled && sure === -1)) this.#saves.delete(path)
      else if (isKilled) this.#saves.set(path, {all: all.slice(sure), isUnsure: true})
    }
  }

  settle(): void {
    for (const [path, {all, isUnsure}] of this.#saves)
      if (!isUnsure) this.#saves.set(path, {all: all.slice(-1), isUnsure})
  }

  /** What is not there, a sentence each; `base`: the address of a sidecar. */
  async broken(base: string): Promise<readonly string[]> {
    const faults = await Promise.all([...this.#saves].map(async ([path, saves]) => faultOf(base, path, saves)))
    return faults.filter(fault => fault !== '')
  }
}

async function faultOf(base: string, path: string, {all, isUnsure}: Saves): Promise<string> {
  try {
    const text = await (await fetch(`${base}/v1.0/state/${path}`)).text()
    const may = (isUnsure ? all : all.slice(-1)).map(({value}) => JSON.stringify(value))
    return may.includes(text) ? '' : `the state ${path} is ${text}, not ${may.join(' or ')}`
  } catch {
    return '' // that sidecar was closed in between
  }
}
