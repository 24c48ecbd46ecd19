import type {LineView} from '../state/run.ts'
import {timeOfDay} from '../parts/format.ts'
import {visible, withoutColours} from '../parts/safe-text.ts'
import {piecesOf} from './ansi.ts'

const LINES = 100
const MAX_BLOCKS = 50
/** Of a longer line, its beginning is shown. */
const MAX_LINE = 4096

/** Which lines are shown, and which of them are marked. */
export interface LineFilter {
  readonly isShown: (line: LineView) => boolean
  readonly isMarked: (line: LineView) => boolean
}

export const EVERYTHING: LineFilter = {isShown: () => true, isMarked: () => false}

/**
 * The latest lines as elements, in blocks of a hundred that are never looked at again once they are full: nothing is compared
 * when lines come, the browser lays out only blocks in sight, and whole blocks go from the top. What apps say comes in as text alone.
 */
export class LineBlocks {
  readonly #box: HTMLElement
  #filter: LineFilter = EVERYTHING
  /** The lines of each block; undefined: a note of ours. */
  #blocks: {readonly element: HTMLElement; readonly lines: (LineView | undefined)[]}[] = []

  constructor(box: HTMLElement) {
    this.#box = box
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0
  }

  append(lines: readonly LineView[]): void {
    for (const line of lines) this.#add(elementOf(line), line)
  }

  /** A line of ours: how many were left out. */
  note(text: string): void {
    const element = document.createElement('p')
    element.className = 'note'
    element.textContent = text
    this.#add(element, undefined)
  }

  clear(): void {
    this.#blocks = []
    this.#box.replaceChildren()
  }

  filter(filter: LineFilter): void {
    this.#filter = filter
    for (const {element, lines} of this.#blocks)
      for (const [index, line] of lines.entries()) this.#look(element.children[index], line)
  }

  /** The lines that are shown, as text. */
  text(): string {
    const shown = this.#blocks.flatMap(({lines}) =>
      lines.filter(line => line !== undefined && this.#filter.isShown(line))
    )
    return shown.map(line => `${line?.app ?? ''} ${withoutColours(line?.line ?? '')}\n`).join('')
  }

  #add(element: HTMLElement, line: LineView | undefined): void {
    let block = this.#blocks.at(-1)
    if (block === undefined || block.lines.length >= LINES) {
      block = {element: document.createElement('div'), lines: []}
      block.element.className = 'block'
      this.#blocks.push(block)
      this.#box.append(block.element)
      if (this.#blocks.length > MAX_BLOCKS) this.#blocks.shift()?.element.remove()
    }
    this.#look(element, line)
    block.lines.push(line)
    block.element.append(element)
  }

  #look(element: Element | undefined, line: LineView | undefined): void {
    if (element === undefined || line === undefined) return
    const isHidden = !this.#filter.isShown(line)
    if (element.classList.contains('gone') !== isHidden) element.classList.toggle('gone', isHidden)
    element.classList.toggle('hit', this.#filter.isMarked(line))
  }
}

function elementOf({time, app, stream, line}: LineView): HTMLElement {
  const element = document.createElement('p')
  element.className = stream === 'stdout' || stream === null ? 'line' : `line ${stream}`
  element.append(span('time', time === null ? '' : timeOfDay(time)), ' ', span('app', visible(app)), ' ')
  const text = document.createElement('span')
  text.className = 'text'
  const isLong = line.length > MAX_LINE
  for (const {text: piece, look} of piecesOf(isLong ? line.slice(0, MAX_LINE) : line))
    text.append(look === '' ? piece : span(look, piece))
  if (isLong) text.append(span('soft', ` … ${line.length.toLocaleString('en')} characters; the log file has them`))
  element.append(text)
  return element
}

function span(look: string, text: string): HTMLElement {
  const element = document.createElement('span')
  element.className = look
  element.textContent = text
  return element
}
