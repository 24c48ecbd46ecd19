import {messageOf} from '../../model/errors.ts'
import type {Database} from '../engine/database.ts'
import {Journal} from '../engine/journal.ts'
import type {KeyWriter} from './key-writer.ts'

/** Changes of so long are written together. */
const DELAY_MS = 50
/** After a failure: a disk is not freed in a moment. */
const RETRY_MS = 5000
/** Writing takes at most this part of the time: one large value that changes all the time must not stop the others. */
const MAX_SHARE = 0.1

/** Writes changes some time after they were made, many in one transaction. A disk that is full is told once; memory goes on. */
export class WriteBehind {
  readonly journal = new Journal(() => this.#wake(DELAY_MS))
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
    if (this.journal.changed.size > 0) this.#wake(DELAY_MS)
  }

  /** Writes everything, and closes the file. */
  close(): void {
    clearTimeout(this.#timer)
    this.#flush()
    clearTimeout(this.#timer)
    this.#writer?.close()
    this.#writer = undefined
  }

  #wake(delay: number): void {
    if (this.#writer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#flush(), this.#isFailing ? RETRY_MS : Math.max(delay, this.#pauseMs))
  }

  #flush(): void {
    const changed = this.journal.take()
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
      this.#wake(RETRY_MS)
    }
    this.#pauseMs = (performance.now() - start) / MAX_SHARE
  }

  #keep(changed: ReadonlyMap<Database, ReadonlySet<string>>): void {
    for (const [database, keys] of changed) for (const key of keys) this.journal.note(database, key)
  }
}
