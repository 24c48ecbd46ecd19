import fs, {type NoParamCallback} from 'node:fs'
import {syncBuiltinESMExports} from 'node:module'

type Written = (error: NoParamCallback extends (error: infer E) => void ? E : never, written: number) => void

const noSpace = (): Error => Object.assign(new Error('no space left on device'), {code: 'ENOSPC', errno: -28})

/** The disk under what this process writes with `fs.write`: quick, slow, or with little room. */
export class LogDisk {
  /** How many bytes have room. */
  room = Infinity
  isSlow = false
  #held: (() => void)[] = []
  readonly #write = fs.write

  constructor() {
    const write = (fd: number, data: string | Buffer, ...rest: readonly unknown[]): void => {
      const done = rest.at(-1) as Written
      const [from, length] = typeof data === 'string' ? [0, data.length] : (rest as readonly [number, number])
      const bytes =
        typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data.subarray(from, from + length))
      const go = (): void => {
        if (this.room <= 0) return void setImmediate(() => done(noSpace(), 0))
        const count = Math.min(this.room, bytes.length)
        this.room -= count
        this.#write(fd, bytes, 0, count, null, (error, written) => done(error, written))
      }
      if (this.isSlow) this.#held.push(go)
      else go()
    }
    Object.assign(fs, {write})
    syncBuiltinESMExports()
  }

  get isWaiting(): boolean {
    return this.#held.length > 0
  }

  /** What waits is written. */
  letGo(): void {
    for (const go of this.#held.splice(0)) go()
  }

  close(): void {
    Object.assign(fs, {write: this.#write})
    syncBuiltinESMExports()
  }
}
