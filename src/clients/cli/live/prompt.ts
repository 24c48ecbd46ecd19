import {characters, widthOf} from '../width.ts'

/** A line of input below the output: a question, and the text typed so far. */
export class Prompt {
  readonly #question: string
  readonly #answered: (answer: string) => void
  #text = ''

  constructor(question: string, answered: (answer: string) => void) {
    this.#question = question
    this.#answered = answered
  }

  get text(): string {
    return this.#text
  }

  /** Returns the text to show, or its end if there is not enough space. */
  shown(width: number): string {
    const text = `${this.#question} ${this.#text}`
    if (widthOf(text) <= width) return text
    const signs = characters(text)
    let room = width - 1
    const first = signs.findLastIndex(sign => (room -= widthOf(sign)) < 0)
    return `…${signs.slice(first + 1).join('')}`
  }

  /** Adds the text that one read of the terminal returned. Ignores line breaks in it: pasted text must not confirm anything. */
  insert(chunk: string): void {
    if (chunk.startsWith('\x1b')) return // a key such as an arrow, which is no character
    for (const sign of chunk) {
      if (sign === '\x7f' || sign === '\b') this.#text = characters(this.#text).slice(0, -1).join('')
      else if (sign === '\x15') this.#text = ''
      else if (sign >= ' ') this.#text += sign
    }
  }

  answer(): void {
    this.#answered(this.#text.trim())
  }
}

/** Returns the ids that an answer names: in full, by number from 1, or by an unambiguous prefix. Unknown words are returned unchanged. */
export function idsIn(answer: string, ids: readonly string[]): {known: readonly string[]; unknown: readonly string[]} {
  const words = answer.split(/[\s,]+/).filter(word => word !== '')
  const meant = words.map(word => {
    if (ids.includes(word)) return word
    const beginning = ids.filter(id => id.startsWith(word))
    return ids[Number(word) - 1] ?? (beginning.length === 1 ? beginning[0] : undefined)
  })
  return {
    known: [...new Set(meant.filter(id => id !== undefined))],
    unknown: words.filter((_, i) => meant[i] === undefined)
  }
}
