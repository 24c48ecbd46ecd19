/** Time of a search before its first line, and between changes of the line. */
const FIRST_MS = 500
const NEXT_MS = 100

/** On a terminal: a line with the number of folders that a long search has read, which goes when the search ends. */
export class FolderProgress {
  readonly #stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>
  readonly #now: () => number
  #next: number
  #isShown = false

  constructor(stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>, now = () => performance.now()) {
    this.#stream = stream
    this.#now = now
    this.#next = now() + FIRST_MS
  }

  show(count: number): void {
    if (!this.#stream.isTTY || this.#now() < this.#next) return
    this.#next = this.#now() + NEXT_MS
    this.#isShown = true
    // the search keeps the event loop: a terminal is written to at once
    this.#stream.write(`\r\x1b[Kreading folders: ${count.toLocaleString('en')} …`)
  }

  clear(): void {
    if (this.#isShown) this.#stream.write('\r\x1b[K')
    this.#isShown = false
  }
}
