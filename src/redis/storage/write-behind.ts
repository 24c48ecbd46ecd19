import {messageOf} from '../../model/errors.ts'
import type {Database} from '../engine/database.ts'
import {Journal} from '../engine/journal.ts'
import type {KeyWriter} from './key-writer.ts'

/** Changes of so long are written together. */
const DELAY_MS = 50
/** More keys than these are written in several transactions: calls are not to wait for a hundred thousand. */
const MAX_KEYS = 5000
/** After a failure: a disk is not freed in a moment. */
const RETRY_MS = 5000
/** Writing takes at most this part of the time: one large value that changes all the time must not stop the others. */
const MAX_SHARE = 0.25

/** Writes changes some time after they were made, many in one transaction. A disk that is full is told once; memory goes on. */
export class WriteBehind {
  readonly journal = new Journal(() => this.#wake())
  readonly #warn: (text: string) => void
  #writer: KeyWriter | undefined
  #timer: NodeJS.Timeout | undefined
  #pauseMs = 0
  #isFailing = false

  constructor(warn: (text: string) => void) {
    this.#warn = warn
  }

  /** Starts to write what is changed from now on. */
  open(writer: KeyWriter): void {
    this.#writer = writer
    if (this.journal.changed.size > 0) this.#wake()
  }

  /** Writes everything, and closes the file. */
  close(): void {
    clearTimeout(this.#timer)
    this.#flush(Infinity)
    clearTimeout(this.#timer)
    this.#writer?.close()
    this.#writer = undefined
  }

  #wake(): void {
    if (this.#writer === undefined) return
    clearTimeout(this.#timer)
    const delay = this.#isFailing ? RETRY_MS : Math.max(DELAY_MS, this.#pauseMs)
    this.#timer = setTimeout(() => this.#flush(MAX_KEYS), delay)
  }

  #flush(limit: number): void {
    const changed = this.journal.take(limit)
    if (changed.size === 0 || this.#writer === undefined) return
    const start = performance.now()
    try {
      this.#writer.write(changed)
      if (this.#isFailing) this.#warn('the keys of Redis are written again')
      this.#isFailing = false
    } catch (error) {
      this.#keep(changed)
      if (!this.#isFailing)
        this.#warn(`the keys of Redis cannot be written: ${messageOf(error)}; they are kept in memory until that works`)
      this.#isFailing = true
    }
    this.#pauseMs = (performance.now() - start) / MAX_SHARE
    if (this.journal.changed.size > 0) this.#wake()
  }

  #keep(changed: ReadonlyMap<Database, ReadonlySet<string>>): void {
    for (const [database, keys] of changed) for (const key of keys) this.journal.note(database, key)
  }
}
