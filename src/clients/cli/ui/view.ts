import {stripVTControlCharacters, styleText} from 'node:util'
import {summaryText} from '../../../model/app-words.ts'
import {appLines, nameText, toneOf, type ShownApp} from '../app-table.ts'
import {dimmed, paintedStatus} from '../paint.ts'
import {visibleCut, cut, padEnd, widthOf} from '../width.ts'
import {foldedLines} from '../say.ts'
import type {ShownLine} from './followed-log.ts'

/** A text that fills the screen. */
export interface TextPage {
  readonly title: string
  readonly lines: readonly string[]
}

/** Content of the screen: the table, the log of the selected app, or a page. */
export type Content =
  | {readonly kind: 'table'}
  /** `scrolled`: lines of the log below its last one on the screen. */
  | {readonly kind: 'log'; readonly scrolled: number}
  /** `scrolled`: lines of the page above its first one on the screen. */
  | {readonly kind: 'page'; readonly page: TextPage; readonly scrolled: number}

export const TABLE: Content = {kind: 'table'}
export const LOG: Content = {kind: 'log', scrolled: 0}

export interface UiView {
  /** Name of the run; empty without a run. */
  readonly name: string
  /** Reason why the table does not change, in place of the counts; empty if it does. */
  readonly notice: string
  /** The apps to show, those in trouble first. */
  readonly apps: readonly ShownApp[]
  readonly selected: number
  readonly filter: string
  readonly log: readonly ShownLine[]
  readonly content: Content
  /** Text of the last line; empty for the keys. */
  readonly message: string
  readonly now: number
  readonly hasColours: boolean
}

/** Columns, without the last one of the terminal, and lines. */
export interface ScreenSize {
  readonly width: number
  readonly height: number
}

const TABLE_HINT = '? help · l log · r restart · x stop · s start · d debug · t trace · / filter'
const PAGE_HINT = '↑ ↓ PgUp PgDn scroll · Esc back'

/** Lines besides table and log: the title, the head of the table, the title of the log, the keys. */
const FIXED = 4
/** Fewer lines of a log are not worth their title. */
const MIN_LOG = 3

/** Returns how many apps the table shows at once. The log of the selected app fills the rest of the screen. */
export function tableHeight(count: number, {height}: ScreenSize): number {
  const room = Math.max(1, height - FIXED)
  const rows = Math.min(Math.max(1, count), Math.max(1, Math.ceil(0.6 * room)))
  return room - rows < MIN_LOG ? Math.max(1, height - FIXED + 1) : rows
}

/** Returns the screen as lines, none wider than it. The table begins with the app at index `top`. */
export function uiLines(view: UiView, top: number, size: ScreenSize): readonly string[] {
  const {width, height} = size
  const {content} = view
  const last = visibleCut(view.message || (content.kind === 'table' ? TABLE_HINT : PAGE_HINT), width)
  if (content.kind !== 'table') {
    const {title, lines} =
      content.kind === 'log' ? logPage(view, content.scrolled, size) : textPage(content.page, content.scrolled, size)
    return fitted([visibleCut(title, width), ...lines], height, last)
  }
  const rows = tableHeight(view.apps.length, size)
  const logRows = height - rows - FIXED
  const log = logRows < MIN_LOG ? [] : [logTitle(view, width), ...logLines(view, logRows, width)]
  return fitted([titleOf(view, {top, rows, width}), ...tableLines(view, {top, rows, width}), ...log], height, last)
}

/** Returns `lines` as the first lines of a screen, and `last` as its last line. */
const fitted = (lines: readonly string[], height: number, last: string): readonly string[] =>
  height <= 1 ? lines.slice(0, 1) : [...Array.from({length: height - 1}, (_, row) => lines[row] ?? ''), last]

/** Returns the title: `shop · 11 of 12 ready · 1 down · apps 1 to 10 ↓`. */
function titleOf({name, notice, apps, filter, hasColours}: UiView, {top, rows, width}: TablePlace): string {
  const end = Math.min(apps.length, top + rows)
  const isCut = top > 0 || end < apps.length
  const counts = [
    summaryText(apps.map(({app}) => app)),
    ...(isCut ? [`apps ${top + 1} to ${end} ${top > 0 ? '↑' : ''}${end < apps.length ? '↓' : ''}`] : []),
    ...(filter === '' ? [] : [`only “${filter}”`])
  ]
  const title = visibleCut(
    [name, ...(notice === '' ? counts : [notice])].filter(part => part !== '').join(' · '),
    width
  )
  if (!hasColours) return title
  const isBad = apps.some(({app}) => toneOf(app) === 'bad')
  return notice !== '' ? paintedStatus('warning', title) : isBad ? paintedStatus('failure', title) : title
}

interface TablePlace {
  readonly top: number
  readonly rows: number
  readonly width: number
}

function tableLines(
  {apps, selected, now, hasColours, name}: UiView,
  {top, rows, width}: TablePlace
): readonly string[] {
  if (apps.length === 0)
    return ['', visibleCut(name === '' ? '' : 'no app', width), ...Array<string>(rows - 1).fill('')]
  const place = {width: Math.max(1, width - MARK.length), now, hasColours: hasColours && width > MARK.length}
  const [head = '', ...lines] = appLines(apps, place)
  const shown = lines.slice(top, top + rows).map((line, row) => {
    if (top + row !== selected) return cut(NO_MARK + line, width)
    const text = cut(MARK + stripVTControlCharacters(line), width)
    return hasColours ? styleText('inverse', padEnd(text, width), {validateStream: false}) : text
  })
  const headLine = cut(NO_MARK + head, width)
  return [hasColours ? dimmed(headLine) : headLine, ...shown, ...Array<string>(rows - shown.length).fill('')]
}

const MARK = '> '
const NO_MARK = '  '

/** Returns the title of the log: `── shop ──────`. */
function logTitle({apps, selected, hasColours}: UiView, width: number): string {
  const app = apps[selected]?.app
  const title = visibleCut(`── ${app === undefined ? 'log' : nameText(app)} `, width)
  const line = title + '─'.repeat(Math.max(0, width - widthOf(title)))
  return hasColours ? dimmed(line) : line
}

/** Returns the last `rows` lines of the log, cut to the width. */
const logLines = ({log, hasColours}: UiView, rows: number, width: number): readonly string[] =>
  log.slice(-rows).map(line => paintedLine(visibleCut(line.line, width), line, hasColours))

function logPage({apps, selected, log, hasColours}: UiView, scrolled: number, {width, height}: ScreenSize): TextPage {
  const rows = Math.max(1, height - 2)
  const app = apps[selected]?.app
  const end = Math.max(Math.min(rows, log.length), log.length - scrolled)
  const lines = log
    .slice(Math.max(0, end - rows), end)
    .flatMap(line => foldedLines([line.line], width).map(piece => paintedLine(piece, line, hasColours)))
    .slice(-rows)
  const later = log.length - end
  return {title: `${app === undefined ? 'log' : nameText(app)}${later === 0 ? '' : ` · ${later} later lines`}`, lines}
}

function textPage({title, lines}: TextPage, scrolled: number, {width, height}: ScreenSize): TextPage {
  return {title, lines: foldedLines(lines, width).slice(scrolled, scrolled + Math.max(1, height - 2))}
}

/** Returns the last line to which the view can scroll. */
export function farthest({content, log}: Pick<UiView, 'content' | 'log'>, {width, height}: ScreenSize): number {
  if (content.kind === 'table') return 0
  const count = content.kind === 'log' ? log.length : foldedLines(content.page.lines, width).length
  return Math.max(0, count - Math.max(1, height - 2))
}

function paintedLine(text: string, {level, stream}: ShownLine, hasColours: boolean): string {
  if (!hasColours) return text
  if (level === 'error') return paintedStatus('failure', text)
  if (level === 'warn') return paintedStatus('warning', text)
  return stream === 'status' || level === 'debug' ? dimmed(text) : text
}
