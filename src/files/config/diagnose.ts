import {placeIn, type Spot} from '../yaml/place.ts'
import {UserError, type Place, type TemplateMistake} from '../../model/errors.ts'
import type {MistakeCode} from '../../model/mistake-code.ts'
import {isPlainTemplate} from '../../model/template-name.ts'
import {plainWords} from './plain-words.ts'

/** The text of a template, and its name in messages. */
export interface Source {
  readonly shownAs: string
  /** The text without a byte order mark. */
  readonly text: string
  /** The files of a template made of several files, in the order of their texts. */
  readonly files?: readonly SourceFile[]
  /** The file of variables that `interpolate` names; it may be missing. */
  readonly variablesFile?: string | undefined
}

/** File of a template that has several. */
export interface SourceFile {
  readonly shownAs: string
  readonly text: string
  /** The folder where relative paths start. */
  readonly folder: string
  /** Offset of the file in the joined text of all files. */
  readonly start: number
}

/** Returns the file at an offset. Undefined for a template of one file. */
export const fileAt = ({files}: Source, offset: number): SourceFile | undefined =>
  files?.findLast(({start}) => start <= offset)

/** A mistake in a template, with its place. */
export interface Mistake {
  /** Default: `invalid-value`. */
  readonly code?: MistakeCode
  /** Dapr's text, if Dapr has one for this mistake. */
  readonly message: string
  /** Replaces the message when one error reports several mistakes. */
  readonly headline?: string
  readonly spot: Spot
  readonly expected?: string
  /** Text to write instead. */
  readonly hint?: string
  /** Path of a file or folder that is missing or cannot be read. */
  readonly missing?: string
}

/** The maximum number of mistakes that are reported: locating each one reads the whole text. */
export const MAX_MISTAKES = 100

/** Maximum width of the quoted line, in columns. */
const WIDTH = 80
/** Characters on each side of a mistake that are read: a line may have a million, some without width. */
const MAX_SIDE = 4 * WIDTH

/** Dapr's prefix for errors in a template before any app starts, printed to stdout. */
const BEFORE_START = 'Error getting apps from config file: '

/** Returns the error for a template that cannot run: Dapr's text, and the place of each mistake. */
export const templateError = (source: Source, ...mistakes: readonly [Mistake, ...Mistake[]]): UserError =>
  errorOf(source, mistakes, BEFORE_START, 'stdout')

/** Explains a further mistake. A headline already contains the messages of all. */
const explainOther = (source: Source, headline: string | undefined, other: Mistake): string =>
  `${headline === undefined ? `${plainWords(source, other.message)}\n` : ''}${explain(source, other)}`

/** Returns the error for an unreadable template, which has no place to show. */
export function unreadableTemplate(
  message: string,
  {shownAs, ...of}: {readonly cause: unknown; readonly shownAs: string; readonly mendedBy?: readonly string[]}
): UserError {
  const source = {shownAs, text: ''}
  return new UserError(plainWords(source, BEFORE_START + message), {
    ...of,
    ...streamOf(source, 'stdout'),
    code: 'template-unreadable'
  })
}

/** Returns the stream of an error: scripts read some of Dapr's errors on stdout; those of a plain template are on stderr. */
const streamOf = ({shownAs}: Source, stream?: 'stdout'): {readonly stream?: 'stdout'} =>
  stream === undefined || isPlainTemplate(shownAs) ? {} : {stream}

/** Returns the error for a value that Dapr rejects only when it starts the app (`Validate` in Dapr's CLI), printed to stderr. */
export const appError = (source: Source, id: string, mistake: Mistake): UserError =>
  errorOf(source, [mistake], `Error validating run config for app ${JSON.stringify(id)} present in ${source.shownAs}: `)

/** Returns the error for a value with which Dapr cannot start an app. */
export const startError = (source: Source, id: string, mistake: Mistake): UserError =>
  errorOf(source, [mistake], `Error starting Dapr and app (${JSON.stringify(id)}): `, 'stdout')

function errorOf(source: Source, all: readonly [Mistake, ...Mistake[]], before: string, stream?: 'stdout'): UserError {
  const [first, ...others] = all
  const headline = isPlainTemplate(source.shownAs) ? undefined : first.headline
  return new UserError(plainWords(source, before + (headline ?? first.message)), {
    ...streamOf(source, stream),
    mistakes: all.map(each => placed(source, each)),
    mendedBy: [source.variablesFile, ...all.map(({missing}) => missing)].filter(path => path !== undefined),
    explanation: [explain(source, first), ...others.map(each => explainOther(source, headline, each))].join('\n')
  })
}

export const placed = (
  source: Source,
  {code = 'invalid-value', message, spot, expected = '', hint = ''}: Mistake
): TemplateMistake => ({
  code,
  message: plainWords(source, message),
  place: placeOf(source, spot.start),
  spot,
  expected: plainWords(source, expected),
  hint: plainWords(source, hint)
})

/** Line and column of an offset, and the line. */
export function placeOf(source: Source, at: number): Place {
  const {shownAs: file, text, start} = fileAt(source, at) ?? {...source, start: 0}
  return placeIn({file, text}, at - start)
}

/** `dapr.yaml:3:5` */
export function placeText(source: Source, {start}: Spot): string {
  const {file, line, column} = placeOf(source, start)
  return `${file}:${line}:${column}`
}

/** Explains a mistake, one line each: place, quoted line, carets, expected value, and text to write instead. */
export function explain(source: Source, {spot, expected = '', hint = ''}: Omit<Mistake, 'message'>): string {
  return explainPlace(
    placeOf(source, spot.start),
    spot.end - spot.start,
    [expected, hint].map(text => plainWords(source, text))
  )
}

/** As `explain`, for a place in any file; `length`: the number of wrong characters. */
export function explainPlace({file, line, column, source}: Place, length: number, remedies: readonly string[]): string {
  const picture = source.trim() === '' ? [] : draw(source, column - 1, length)
  return [`${file}:${line}:${column}`, ...picture, ...remedies].filter(text => text !== '').join('\n')
}

/** Returns the line, shortened around the mistake with `…` if it is long, and a line of carets. */
function draw(line: string, start: number, length: number): readonly string[] {
  const isLong = line.length > MAX_SIDE || columns(line) > WIDTH
  const before = isLong
    ? lastColumns(line.slice(Math.max(0, start - MAX_SIDE), start), WIDTH / 2)
    : line.slice(0, start)
  const after = isLong ? firstColumns(line.slice(start, start + MAX_SIDE), WIDTH - columns(before)) : line.slice(start)
  const head = before.length < start ? '…' : ''
  const tail = start + after.length < line.length ? '…' : ''
  const carets = '^'.repeat(Math.max(1, columns(after.slice(0, length))))
  return [head + before + after + tail, blanksFor(head + before) + carets]
}

/** Returns the longest prefix of a text that fits into a number of columns. */
function firstColumns(text: string, room: number): string {
  let used = 0
  const characters = Array.from(text)
  const end = characters.findIndex(character => (used += columns(character)) > room)
  return end === -1 ? text : characters.slice(0, end).join('')
}

const lastColumns = (text: string, room: number): string => reversed(firstColumns(reversed(text), room))
const reversed = (text: string): string => Array.from(text).toReversed().join('')

/** Blanks as wide as a text. Tabs are kept: their width depends on the terminal. */
const blanksFor = (text: string): string =>
  Array.from(text, character => (character === '\t' ? '\t' : ' '.repeat(columns(character)))).join('')

const NO_WIDTH = /^(?:\p{Mark}|\u200B|\u200C|\u200D)$/u
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303E\uFF01-\uFF60]$/u

/** Approximate width of a text on a terminal, in columns. */
function columns(text: string): number {
  let sum = 0
  for (const character of text) sum += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return sum
}
