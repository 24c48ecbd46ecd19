/** Number of cached heads: a client or an app sends few different ones. */
const COUNT = 4
/** Maximum length of a text whose head is cached. */
const MAX_TEXT = 2048

interface Head {
  /** Text that begins with the head. */
  readonly text: string
  readonly size: number
}

/** Cache of the latest heads with their parsed results: comparing an equal head is faster than parsing it again. */
export class KnownHeads<H extends Head> {
  readonly #known: {readonly text: string; readonly head: H}[] = []
  #next = 0

  /** Returns the result for the head at the start of a text; undefined: not cached. */
  find(text: string): H | undefined {
    for (const known of this.#known) if (text.slice(0, known.head.size) === known.text) return known.head
    return undefined
  }

  add(head: H): void {
    if (head.text.length > MAX_TEXT) return
    this.#known[this.#next] = {text: head.text.slice(0, head.size), head}
    this.#next = (this.#next + 1) % COUNT
  }
}
