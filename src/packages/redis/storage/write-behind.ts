import {messageOf} from '../../../model/errors.ts'
import {keysIn, Journal} from '../engine/journal.ts'
import type {KeyWriter} from './key-writer.ts'

/** Time in which changes are collected, in ms. With the write itself, a killed process loses the last 50 ms. */
const DELAY_MS = 25
/** After how long without changes the rest of a flood of messages is written. */
const REST_MS = 1000
/** Maximum number of keys in one transaction: other work must not wait for thousands. */
const MAX_KEYS = 5000
/** Maximum bytes in one transaction: some 10 ms, and at times the disk's time for four times as much. */
const MAX_BYTES = 4_000_000
/** After a failure: a disk is not freed in a moment. */
const RETRY_MS = 5000
/** Number of keys below which a slow write means large values. */
const FEW_KEYS = 100
const LONG_MS = 50
/** Maximum share of time for large values: a value that changes constantly must not stop other work. */
const MAX_SHARE = 0.25

/**
 * Writes changes soon after they are made, many in one transaction. A flood is written while it lasts, which slows it down. A full disk
 * is reported once; the engine continues in memory.
 */
export class WriteBehind {
  readonly journal = new Journal({
    wake: () => this.#wake(),
    writeMany: () => {
      if (!this.#isFailing && this.#pauseMs === 0) this.#flush()
    },
    writeAll: () => {
      this.#flush(true)
      this.#writeRest(true)
      return !this.#isFailing
    }
  })
  readonly #warn: (text: string) => void
  #writer: KeyWriter | undefined
  #timer: NodeJS.Timeout | undefined
  #pauseMs = 0
  #isFailing = false

  constructor(warn: (text: string) => void) {
    this.#warn = warn
  }

  /** Starts to write changes from now on. */
  open(writer: KeyWriter): void {
    this.#writer = writer
    if (this.journal.changed.size > 0) this.#wake()
  }

  /** Writes everything, and closes the file. */
  close(): void {
    this.#flush(true)
    this.#writeRest(true)
    if (this.journal.changed.size > 0) this.#warn('the keys of Redis that could not be written are lost')
    clearTimeout(this.#timer)
    this.#writer?.close()
    this.#writer = undefined
  }

  #wake(): void {
    if (this.#writer === undefined) return
    clearTimeout(this.#timer)
    const delay = this.#isFailing ? RETRY_MS : Math.max(DELAY_MS, this.#pauseMs)
    this.#timer = setTimeout(() => this.#flush(), delay)
  }

  #flush(isAll = false): void {
    clearTimeout(this.#timer)
    const changed = this.journal.take()
    if (changed.size === 0 || this.#writer === undefined) return
    const start = performance.now()
    const count = keysIn(changed)
    // keys that are written as a whole grow during a pause, and so would the next pause
    const mostMs = this.journal.moved.size > 0 ? LONG_MS : Infinity
    let isLarge = false
    try {
      const left = isAll
        ? this.#writer.write(changed)
        : this.#writer.write(changed, MAX_BYTES, MAX_KEYS, this.journal.moved)
      this.journal.keep(left)
      this.journal.moved.clear()
      isLarge = left.size > 0 && count - keysIn(left) < MAX_KEYS
      this.#succeeded()
    } catch (error) {
      this.journal.keep(changed)
      this.#failed(error)
    }
    const tookMs = performance.now() - start
    const isSlow = isLarge || (tookMs >= LONG_MS && count < FEW_KEYS)
    this.#pauseMs = isSlow ? Math.min(tookMs, mostMs) / MAX_SHARE : 0
    if (this.journal.changed.size > 0) this.#wake()
    else if (this.#writer.hasRest) this.#timer = setTimeout(() => this.#writeRest(false), REST_MS)
  }

  /** Writes the rest of a flood, in pieces, once no key changes. */
  #writeRest(isAll: boolean): void {
    if (this.#writer?.hasRest !== true || this.journal.changed.size > 0) return // after the changes
    clearTimeout(this.#timer)
    let pauseMs = DELAY_MS
    try {
      this.#writer.writeRest(isAll)
      this.#succeeded()
    } catch (error) {
      this.#failed(error)
      pauseMs = RETRY_MS
    }
    if (this.#writer.hasRest) this.#timer = setTimeout(() => this.#writeRest(false), pauseMs)
  }

  #succeeded(): void {
    if (this.#isFailing) this.#warn('the keys of Redis are written again')
    this.#isFailing = false
  }

  #failed(error: unknown): void {
    if (!this.#isFailing)
      this.#warn(`the keys of Redis cannot be written: ${messageOf(error)}; they are kept in memory until that works`)
    this.#isFailing = true
  }
}
