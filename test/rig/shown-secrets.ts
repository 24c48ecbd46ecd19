import {readdirSync, readFileSync} from 'node:fs'
import {join, relative} from 'node:path'
import type {Canaries} from './canaries.ts'

/** Collects which secrets each exit shows. */
export class ShownSecrets {
  readonly #canaries: Canaries
  readonly #found = new Map<string, Set<string>>()

  constructor(canaries: Canaries) {
    this.#canaries = canaries
  }

  /** An exit has shown a text. */
  add(exit: string, text: string): void {
    for (const place of this.#canaries.in(text)) {
      const places = this.#found.get(exit) ?? new Set()
      this.#found.set(exit, places.add(place))
    }
  }

  /** All files below a folder but those that a test has written itself. */
  addFiles(folder: string, isOwn: (path: string) => boolean): void {
    for (const entry of readdirSync(folder, {recursive: true, withFileTypes: true})) {
      const path = relative(folder, join(entry.parentPath, entry.name))
      if (entry.isFile() && !isOwn(path))
        this.add(path.includes('_daprd_') ? 'sidecar log' : `file ${path}`, readFileSync(join(folder, path), 'latin1'))
    }
  }

  /** Exits with the places whose secrets they show. */
  get all(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...this.#found].map(([exit, places]) => [exit, [...places].toSorted()]))
  }
}
