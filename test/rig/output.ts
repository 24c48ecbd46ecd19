import type {Readable} from 'node:stream'
import {StringDecoder} from 'node:string_decoder'

/** Text that a line holds, or an expression that it matches. */
export type Pattern = string | RegExp

/** Much longer than what is waited for takes on a busy machine. */
export const STALLED_MS = 60_000

export interface WaitOptions {
  /** Which of the lines that match, counted from 1. */
  readonly nth?: number
  /** After so long a wait has stalled: it fails and shows what came instead. */
  readonly limitMs?: number
}

const matches = (line: string, pattern: Pattern): boolean =>
  typeof pattern === 'string' ? line.includes(pattern) : line.search(pattern) >= 0

/** Everything that a program has written on one stream so far: as bytes, as text, as lines; and a way to wait for a line. */
export class Output {
  /** Whole lines, and after the end of the stream a last one without a newline. */
  readonly lines: string[] = []
  readonly #chunks: Buffer[] = []
  readonly #decoder = new StringDecoder('utf8')
  readonly #lookers = new Set<() => void>()
  #rest = ''
  #hasEnded = false

  constructor(stream: Readable) {
    stream.on('data', (chunk: Buffer) => this.#take(chunk))
    stream.once('close', () => this.#end())
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  get text(): string {
    return this.bytes.toString()
  }

  /** The line that matches, at once if it was written before; fails when the stream ends without it. */
  async line(pattern: Pattern, {nth = 1, limitMs = STALLED_MS}: WaitOptions = {}): Promise<string> {
    const stalled = new Error(`no line ${String(pattern)}${nth > 1 ? ` (number ${nth})` : ''}`)
    return new Promise((resolve, reject) => {
      let at = 0
      let found = 0
      const settle = (finish: () => void): void => {
        clearTimeout(timer)
        this.#lookers.delete(look)
        finish()
      }
      const look = (): void => {
        for (; at < this.lines.length; at++) {
          const line = this.lines[at] ?? ''
          if (matches(line, pattern) && ++found === nth) return settle(() => resolve(line))
        }
        if (this.#hasEnded) settle(() => reject(this.#explain(stalled, 'before the stream ended')))
      }
      const timer = setTimeout(() => settle(() => reject(this.#explain(stalled, `in ${limitMs} ms`))), limitMs)
      this.#lookers.add(look)
      look()
    })
  }

  /** What `find` finds, looked for again whenever something comes; `what` names it for the error. */
  async until<T>(find: () => T | undefined, what: string, limitMs = STALLED_MS): Promise<T> {
    const stalled = new Error(`no ${what}`)
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer)
        this.#lookers.delete(look)
        finish()
      }
      const look = (): void => {
        const found = find()
        if (found !== undefined) settle(() => resolve(found))
        else if (this.#hasEnded) settle(() => reject(this.#explain(stalled, 'before the stream ended')))
      }
      const timer = setTimeout(() => settle(() => reject(this.#explain(stalled, `in ${limitMs} ms`))), limitMs)
      this.#lookers.add(look)
      look()
    })
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    const pieces = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = pieces.pop() ?? ''
    this.lines.push(...pieces)
    this.#tell()
  }

  #end(): void {
    const last = this.#rest + this.#decoder.end()
    if (last !== '') this.lines.push(last)
    this.#hasEnded = true
    this.#tell()
  }

  #tell(): void {
    for (const look of this.#lookers) look()
  }

  #explain(error: Error, when: string): Error {
    error.message += ` ${when}; the last lines were:\n${this.lines.slice(-20).join('\n')}`
    return error
  }
}
