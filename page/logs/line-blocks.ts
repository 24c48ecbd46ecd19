import type * as Api from '../../src/model/api.generated.ts'
import {Levels} from '../../src/model/line-level.ts'
import {timeOfDay} from '../parts/format.ts'
import {shortened, visible, withoutColours} from '../parts/safe-text.ts'
import {piecesOf} from './ansi.ts'

const LINES = 100
const MAX_BLOCKS = 50
/** The number of blocks that a new one removes at most: after a gap was opened, lines go gradually, so that they can be read. */
const REMOVED_AT_ONCE = 2
/** The length, in characters, above which only the beginning of a line is shown. */
const MAX_LINE = 4096
/** The length above which the end of an app's name is cut off. */
const LONG_NAME = 28

/** The functions that decide which lines are shown and which are marked. */
export interface LineFilter {
  readonly isShown: (line: Api.Line) => boolean
  readonly isMarked: (line: Api.Line) => boolean
}

interface Block {
  readonly element: HTMLElement
  readonly lines: (Api.Line | undefined)[]
}

/** A note in place of lines that can be opened. */
export interface OpenNote {
  readonly text: string
  readonly open: (note: HTMLElement) => Promise<void>
}

/**
 * The latest lines as DOM elements, in blocks of a hundred. New lines leave full blocks untouched, the browser lays out only the
 * blocks in sight, and whole blocks are removed from the top. All output of apps is inserted as text.
 */
export class LineBlocks {
  readonly #box: HTMLElement
  readonly #levels = new Levels()
  #filter: LineFilter = {isShown: () => true, isMarked: () => false}
  /** The blocks from top to bottom; an undefined line in one is a note. */
  #blocks: Block[] = []
  #isBare = false

  constructor(box: HTMLElement) {
    this.#box = box
    this.#setBare(true)
  }

  append(line: Api.Line): void {
    const levelled = this.#levels.of(line)
    this.#add(elementOf(levelled), levelled)
  }

  /** Appends a note, such as how many lines were left out; `open` loads them in its place. */
  note(text: string, open?: OpenNote['open']): void {
    this.#add(noteOf(text, open), undefined)
  }

  /** Replaces a note by lines, with another note after them, or before them (`isBefore`), if some are left. */
  replace(
    note: HTMLElement,
    lines: readonly (Api.Line | {readonly note: string})[],
    rest?: OpenNote,
    isBefore = false
  ): void {
    const at = this.#blocks.findIndex(({element}) => element === note.parentElement)
    const block = this.#blocks[at]
    if (block === undefined) return // it has gone from the top meanwhile
    const index = [...block.element.children].indexOf(note)
    const after = newBlock()
    after.lines.push(...block.lines.splice(index + 1))
    after.element.append(...[...block.element.children].slice(index + 1))
    block.lines.pop()
    note.remove()
    let last: Block = block
    const added: Block[] = []
    const add = (element: HTMLElement, line: Api.Line | undefined): void => {
      if (last.lines.length >= LINES) added.push((last = newBlock()))
      this.#put(last, element, line)
    }
    const restNote = rest && noteOf(rest.text, rest.open)
    if (restNote !== undefined && isBefore) add(restNote, undefined)
    const levels = new Levels()
    for (const line of lines) {
      if ('note' in line) add(noteOf(line.note), undefined)
      else {
        const levelled = levels.of(line)
        add(elementOf(levelled), levelled)
      }
    }
    if (restNote !== undefined && !isBefore) add(restNote, undefined)
    if (after.lines.length > 0) added.push(after)
    block.element.after(...added.map(({element}) => element))
    this.#blocks.splice(at + 1, 0, ...added)
    ;(restNote?.querySelector('button') ?? this.#box).focus({preventScroll: true})
  }

  clear(): void {
    this.#blocks = []
    this.#box.replaceChildren()
    this.#setBare(true)
  }

  filter(filter: LineFilter): void {
    this.#filter = filter
    this.#setBare(true)
    for (const {element, lines} of this.#blocks)
      for (const [index, line] of lines.entries()) this.#look(element.children[index], line)
  }

  /** Returns the shown lines as text. */
  text(): string {
    const shown = this.#blocks.flatMap(({lines}) =>
      lines.filter(line => line !== undefined && this.#filter.isShown(line))
    )
    return shown.map(line => `${line?.app ?? ''} ${withoutColours(line?.line ?? '')}\n`).join('')
  }

  #add(element: HTMLElement, line: Api.Line | undefined): void {
    let block = this.#blocks.at(-1)
    if (block === undefined || block.lines.length >= LINES) {
      block = newBlock()
      this.#blocks.push(block)
      this.#box.append(block.element)
      for (let n = 0; n < REMOVED_AT_ONCE && this.#blocks.length > MAX_BLOCKS; n++)
        this.#blocks.shift()?.element.remove()
    }
    this.#put(block, element, line)
  }

  #put(block: Block, element: HTMLElement, line: Api.Line | undefined): void {
    this.#look(element, line)
    block.lines.push(line)
    block.element.append(element)
  }

  /** Marks the box while no line is shown, for which the style sheet shows the reason. */
  #setBare(isBare: boolean): void {
    if (this.#isBare === isBare) return
    this.#isBare = isBare
    this.#box.toggleAttribute('data-bare', isBare)
  }

  #look(element: Element | undefined, line: Api.Line | undefined): void {
    const isHidden = line !== undefined && !this.#filter.isShown(line)
    if (!isHidden) this.#setBare(false)
    if (element === undefined || line === undefined) return
    if (element.classList.contains('gone') !== isHidden) element.classList.toggle('gone', isHidden)
    element.classList.toggle('hit', this.#filter.isMarked(line))
  }
}

function newBlock(): Block {
  const element = document.createElement('div')
  element.className = 'block'
  return {element, lines: []}
}

function noteOf(text: string, open?: OpenNote['open']): HTMLElement {
  const element = document.createElement('p')
  element.className = 'note'
  element.textContent = text
  if (open === undefined) return element
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'open'
  button.textContent = 'open'
  button.setAttribute('aria-label', `Open ${text.replace('… ', '')}`)
  button.addEventListener('click', () => {
    button.disabled = true
    void open(element).finally(() => (button.disabled = false))
  })
  element.append(' ', button)
  return element
}

function elementOf({time, app, stream, level, line: plain, coloured: line = plain}: Api.Line): HTMLElement {
  const element = document.createElement('p')
  element.className = `line ${stream === 'stdout' || stream === null ? '' : stream} ${level ?? ''}`.trim()
  if (stream === 'stderr') element.title = 'stderr'
  const name = span('app', shortened(visible(app), LONG_NAME))
  if (app.length > LONG_NAME) name.title = visible(app)
  element.append(span('time', time === null ? '' : timeOfDay(time)), ' ', name, ' ')
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
