import type {App} from '../../../model/api.generated.ts'
import {isUp, stateText, stateWord, summaryText, troubleFirst, wanted} from '../../../model/app-words.ts'
import {shownUrl, startLines} from '../app-table.ts'
import {foldedLines} from '../say.ts'
import {visibleCut, visibleText, padEnd, widthOf} from '../width.ts'

/** Whether the state of an app will not change by itself. */
export const isSettled = ({availability}: App): boolean => availability !== 'waiting'

const count = (apps: readonly unknown[]): string => `${apps.length} ${apps.length === 1 ? 'app' : 'apps'}`

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

interface Place {
  /** Columns. */
  readonly width: number
  /** How many apps may have a line of their own. */
  readonly rows: number
  readonly hasColours?: boolean
}

interface Readiness extends Place {
  /** The name of the run; '': that of its folder. */
  readonly name: string
  readonly tookMs: number
  /** Next step of the user: `Ctrl-C stops`. */
  readonly hint: string
}

/** Returns `6 apps ready in 1.2 s · HINT` below a line for each app; of many apps, above their URLs and the ended apps. */
export function readyText(all: readonly App[], {name, tookMs, hint, ...place}: Readiness): string {
  const {width, rows} = place
  const apps = wanted(all)
  const up = apps.filter(isUp).length
  const what = up === apps.length ? count(apps) : `${up} of ${apps.length} apps`
  const text = `${name === '' ? '' : `${name}: `}${what} ready in ${seconds(tookMs)} · ${hint}`
  const head = `${foldedLines([text], width).join('\n')}\n`
  if (apps.length <= rows) return linesText(apps, {...place, now: Date.now()}) + head
  const cells = troubleFirst(apps, stateWord)
    .map((app): Cell => [app.id, app.isReady ? shownUrl(app) : stateText(app, Date.now())])
    .filter(([, shown]) => shown !== '')
  return head + grid(cells, width)
}

/** Returns a line for each app with its state or address, and `3 of 6 ready`. Of many apps, returns only `3 of 6 ready · api waits for db`. */
export function startingText(all: readonly App[], place: Place & {readonly now: number}): string {
  const {now, width, rows} = place
  const apps = wanted(all)
  const ready = summaryText(apps)
  if (apps.length <= rows) return linesText(apps, place) + visibleCut(ready, width)
  const open = apps.filter(app => !isSettled(app))
  const waiting = open.toSorted((a, b) => Number(b.state === 'idle') - Number(a.state === 'idle'))
  return visibleCut(`${ready} · ${waiting.map(app => `${app.id} ${stateText(app, now)}`).join(', ')}`, width)
}

const linesText = (apps: readonly App[], place: Place & {readonly now: number}): string =>
  startLines(apps, place)
    .map(line => `${line}\n`)
    .join('')

/** `waiting for db (pid 41) · Ctrl-C again kills`; '': no app has a process any more. */
export function waitingText(apps: readonly App[], width: number): string {
  const asked = apps.filter(({state, pid}) => pid !== 0 && state === 'stopping')
  const left = asked.length > 0 ? asked : apps.filter(({pid}) => pid !== 0)
  if (left.length === 0) return ''
  const hint = ' · Ctrl-C again kills'
  const names = left.map(({id, pid}) => `${id} (pid ${pid})`).join(', ')
  return visibleCut(`waiting for ${visibleCut(names, Math.max(12, width - 12 - hint.length))}${hint}`, width)
}

/** Returns `6 apps stopped in 0.4 s`, or how the apps ended by themselves. */
export function endText(
  apps: readonly App[],
  {tookMs, wasAsked, width}: {tookMs: number; wasAsked: boolean; width: number}
): string {
  // an app that was left out of the run was never created
  const ran = apps.filter(({state, createdAt}) => state !== 'stopped' || createdAt !== null)
  const killed = apps.filter(({exit}) => exit === 'was ended by SIGKILL')
  const failed = wasAsked ? [] : apps.filter(({exitCode}) => (exitCode ?? 0) > 0)
  const notes = [
    ...(wasAsked && killed.length > 0 ? [`killed: ${killed.map(({id}) => id).join(', ')}`] : []),
    ...failed.map(app => `${app.id} ${stateText(app, Date.now())}`)
  ]
  const head = wasAsked ? `${count(ran)} stopped in ${seconds(tookMs)}` : `${count(ran)} ended after ${seconds(tookMs)}`
  return `${visibleCut([head, ...notes].join(' · '), width)}\n`
}

const KEY_HELP = [
  ['r', 'restart apps'],
  ['l', 'show only the lines of some apps'],
  ['t', 'show or hide times'],
  ['p', 'show the state of each app (ps)'],
  ['c', 'clear the screen'],
  ['q', 'stop, like Ctrl-C'],
  ['h', 'this help']
] as const

/** Returns the keys, a line each. */
export const helpText = (width: number): string =>
  KEY_HELP.map(([key, text]) => `${visibleCut(`  ${key}  ${text}`, width)}\n`).join('')

/** Returns pairs in as many columns as fit, each as wide as its content; '': there are no pairs. */
export function grid(pairs: readonly Cell[], width: number): string {
  const cells = pairs.map(([name, value]): Cell => [visibleText(name), visibleText(value)])
  for (let columnCount = Math.min(cells.length, Math.floor(width / MIN_PAIR)); columnCount > 1; columnCount--) {
    const lines = gridOf(cells, columnCount)
    if (lines.every(line => widthOf(line) <= width)) return lines.map(line => `${line}\n`).join('')
  }
  return gridOf(cells, 1)
    .map(line => `${visibleCut(line, width)}\n`)
    .join('')
}

/** Two characters, and two blanks before each. */
const MIN_PAIR = 6

type Cell = readonly [name: string, value: string]

/** Returns the lines of a grid of `columnCount` columns, filled from top to bottom. */
function gridOf(cells: readonly Cell[], columnCount: number): readonly string[] {
  const height = Math.ceil(cells.length / columnCount)
  const columns = Array.from({length: columnCount}, (_, i) => paddedPairs(cells.slice(i * height, (i + 1) * height)))
  return Array.from({length: height}, (_, line) =>
    columns
      .map(column => column[line] ?? '')
      .join('')
      .trimEnd()
  )
}

function paddedPairs(cells: readonly Cell[]): readonly string[] {
  const first = Math.max(...cells.map(([name]) => widthOf(name)))
  const second = Math.max(...cells.map(([, value]) => widthOf(value)))
  return cells.map(([name, value]) => `  ${padEnd(name, first)}  ${padEnd(value, second)}`)
}
