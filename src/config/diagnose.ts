import {UserError, type Place, type PlacedMistake} from '../model/errors.ts'

/** The text of a template, for reading and for pointing into. */
export interface Source {
  readonly shownAs: string
  /** Without a byte order mark. */
  readonly text: string
}

/** Where something stands in a text: from one offset up to another. */
export interface Spot {
  readonly start: number
  readonly end: number
}

/** What is wrong with a template, and where. */
export interface Mistake {
  /** Dapr's words where Dapr has some. */
  readonly message: string
  /** What the user hears in place of the message, where one error tells of several mistakes. */
  readonly headline?: string
  readonly spot: Spot
  /** What should stand there instead. */
  readonly expected?: string
  /** What to write. */
  readonly hint?: string
}

/** So many are told of one template: each takes a look at its whole text. */
export const MAX_MISTAKES = 100

/** Module for the line above a caret, in columns. */
const WIDTH = 80

/** What Dapr says before the errors that it finds in a template before it starts anything; they go to stdout. */
const BEFORE_START = 'Error getting apps from config file: '

/** A template that cannot be run, in Dapr's words, with the place. */
export const templateError = (source: Source, mistake: Mistake, others: readonly Mistake[] = []): UserError =>
  new UserError(BEFORE_START + (mistake.headline ?? mistake.message), {
    stream: 'stdout',
    mistakes: [mistake, ...others].map(each => placed(source, each)),
    explanation: [mistake, ...others].map(each => explain(source, each)).join('\n')
  })

/** A template that cannot be read at all: there is no place to show. */
export const unreadableTemplate = (message: string, cause: unknown): UserError =>
  new UserError(BEFORE_START + message, {stream: 'stdout', cause})

/** A value that Dapr refuses only when the app's turn comes (`Validate` in Dapr's CLI); such errors go to stderr. */
export const appError = (source: Source, id: string, mistake: Mistake): UserError =>
  new UserError(
    `Error validating run config for app ${JSON.stringify(id)} present in ${source.shownAs}: ${mistake.message}`,
    {explanation: explain(source, mistake), mistakes: [placed(source, mistake)]}
  )

/** A value with which Dapr cannot start an app. */
export const startError = (source: Source, id: string, mistake: Mistake): UserError =>
  new UserError(`Error starting Dapr and app (${JSON.stringify(id)}): ${mistake.message}`, {
    stream: 'stdout',
    explanation: explain(source, mistake),
    mistakes: [placed(source, mistake)]
  })

/** A mistake as programs read it. */
export const placed = (source: Source, {message, spot, expected = '', hint = ''}: Mistake): PlacedMistake => ({
  message,
  place: placeOf(source, spot.start),
  expected,
  hint
})

/** Line and column of an offset, with the line itself. */
export function placeOf({shownAs, text}: Source, offset: number): Place {
  const start = text.slice(0, offset).lastIndexOf('\n') + 1
  const end = text.indexOf('\n', offset)
  const source = text.slice(start, end === -1 ? text.length : end).replace(/\r$/, '')
  return {file: shownAs, line: lineOf(text, offset), column: offset - start + 1, source}
}

/** Line number of an offset, counted from 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}

/** The place, the line with carets under what is wrong, what was expected, and what to write: a line for each. */
export function explain(source: Source, {spot, expected = '', hint = ''}: Omit<Mistake, 'message'>): string {
  return explainPlace(placeOf(source, spot.start), spot.end - spot.start, [expected, hint])
}

/** The same of a place in any file; `length`: characters that are wrong. */
export function explainPlace({file, line, column, source}: Place, length: number, remedies: readonly string[]): string {
  const picture = source.trim() === '' ? [] : draw(source, column - 1, length)
  return [`${file}:${line}:${column}`, ...picture, ...remedies].filter(text => text !== '').join('\n')
}

/** A line, or the part of a long one that holds what is wrong, `…` where it is cut; and the carets below. */
function draw(line: string, start: number, length: number): readonly string[] {
  const isLong = columns(line) > WIDTH
  const before = isLong ? lastColumns(line.slice(0, start), WIDTH / 2) : line.slice(0, start)
  const after = isLong ? firstColumns(line.slice(start), WIDTH - columns(before)) : line.slice(start)
  const head = before.length < start ? '…' : ''
  const tail = start + after.length < line.length ? '…' : ''
  const carets = '^'.repeat(Math.max(1, columns(after.slice(0, length))))
  return [head + before + after + tail, blanksFor(head + before) + carets]
}

/** The front of a text that has module in so many columns. */
function firstColumns(text: string, room: number): string {
  let used = 0
  const characters = Array.from(text)
  const end = characters.findIndex(character => (used += columns(character)) > room)
  return end === -1 ? text : characters.slice(0, end).join('')
}

const lastColumns = (text: string, room: number): string => reversed(firstColumns(reversed(text), room))
const reversed = (text: string): string => Array.from(text).toReversed().join('')

/** Blanks as wide as a text; its tabs stay tabs, however wide the terminal draws them. */
const blanksFor = (text: string): string =>
  Array.from(text, character => (character === '\t' ? '\t' : ' '.repeat(columns(character)))).join('')

const NO_WIDTH = /^(?:\p{Mark}|\u200B|\u200C|\u200D)$/u
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303E\uFF01-\uFF60]$/u

/** Columns that a text takes on a terminal, near enough for a caret. */
function columns(text: string): number {
  let sum = 0
  for (const character of text) sum += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return sum
}
