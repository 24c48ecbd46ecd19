import type {App} from '../../../model/api.generated.ts'
import {isUsable} from '../../../model/availability.ts'
import {instanceName} from '../../../model/plan.ts'
import {stateText} from '../../../model/app-words.ts'
import {shownUrl} from '../app-table.ts'
import {visibleCut, visibleText} from '../visible-text.ts'
import {padEnd, widthOf} from '../width.ts'

/** The user has not stopped it, and asked for it. */
const isWanted = ({availability}: App): boolean => availability !== 'stopped'

/** Whether the state of an app will not change by itself. */
export const isSettled = ({availability}: App): boolean => availability !== 'waiting'

const isUp = ({availability}: App): boolean => isUsable(availability)

const count = (apps: readonly unknown[]): string => `${apps.length} ${apps.length === 1 ? 'app' : 'apps'}`

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** Terminal of the texts. */
interface Place {
  /** Columns. */
  readonly width: number
  /** How many apps may have a line of their own. */
  readonly rows: number
}

interface Readiness extends Place {
  /** The name of the run; '' = that of its folder. */
  readonly name: string
  readonly tookMs: number
  /** Next step of the user: `Ctrl-C stops`. */
  readonly hint: string
}

/** `6 apps ready in 1.2 s · HINT` below a line for each app; of many, the URL of each and what has ended already below it. */
export function readyText(all: readonly App[], {name, tookMs, width, rows, hint}: Readiness): string {
  const apps = all.filter(isWanted)
  const ready = apps.filter(app => app.isReady)
  const failed = apps.filter(app => !isUp(app))
  const of = failed.length === 0 ? '' : ` of ${apps.length}`
  const what = of === '' ? count(apps) : `${ready.length}${of} apps`
  const text = `${name === '' ? '' : `${name}: `}${what} ready in ${seconds(tookMs)} · ${hint}`
  const head = `${visibleCut(text, width)}\n`
  if (apps.length <= rows) return appLines(apps, {now: Date.now(), width}) + head
  const cells = [
    ...ready.filter(app => shownUrl(app) !== '').map(app => [app.id, shownUrl(app)] as const),
    ...apps.filter(app => !app.isReady).map(app => [app.id, stateText(app, Date.now())] as const)
  ]
  return head + grid(cells, width)
}

/** A line for each app, which becomes its state and its address, and `3 of 6 ready`; of many `3 of 6 ready · api waits for db`. */
export function startingText(all: readonly App[], {now, width, rows}: Place & {readonly now: number}): string {
  const apps = all.filter(isWanted)
  const ready = `${apps.filter(isUp).length} of ${apps.length} ready`
  if (apps.length <= rows) return appLines(apps, {now, width}) + visibleCut(ready, width)
  const open = apps.filter(app => !isSettled(app))
  const waiting = open.toSorted((a, b) => Number(b.state === 'idle') - Number(a.state === 'idle'))
  return visibleCut(`${ready} · ${waiting.map(app => `${app.id} ${stateText(app, now)}`).join(', ')}`, width)
}

/** `  db  ready  http://localhost:5001`, a line for each app. */
function appLines(apps: readonly App[], {now, width}: {readonly now: number; readonly width: number}): string {
  const cells = apps.map(app => ({
    name: visibleText(instanceName(app.id, app.instance)),
    state: visibleText(stateText(app, now)),
    url: app.isReady ? shownUrl(app) : ''
  }))
  const first = Math.max(0, ...cells.map(({name}) => widthOf(name)))
  const second = Math.max(0, ...cells.filter(({url}) => url !== '').map(({state}) => widthOf(state)))
  return cells
    .map(
      ({name, state, url}) =>
        `${visibleCut(`  ${padEnd(name, first)}  ${padEnd(state, second)}  ${url}`.trimEnd(), width)}\n`
    )
    .join('')
}

/** `waiting for db (pid 41) · Ctrl-C again kills`; '' where nothing is waited for. */
export function waitingText(apps: readonly App[], width: number): string {
  const asked = apps.filter(({state, pid}) => pid !== 0 && state === 'stopping')
  const left = asked.length > 0 ? asked : apps.filter(({pid}) => pid !== 0)
  if (left.length === 0) return ''
  const hint = ' · Ctrl-C again kills'
  const names = left.map(({id, pid}) => `${id} (pid ${pid})`).join(', ')
  return visibleCut(`waiting for ${visibleCut(names, Math.max(12, width - 12 - hint.length))}${hint}`, width)
}

/** `6 apps stopped in 0.4 s`, or how they have ended by themselves. */
export function endText(
  apps: readonly App[],
  {tookMs, wasAsked, width}: {tookMs: number; wasAsked: boolean; width: number}
): string {
  // an app that was left out has never been there
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

export const KEY_HELP = [
  ['r', 'restart apps'],
  ['l', 'show only the lines of some apps'],
  ['t', 'show or hide times'],
  ['p', 'show the state of each app (ps)'],
  ['c', 'clear the screen'],
  ['q', 'stop, like Ctrl-C'],
  ['h', 'this help']
] as const

/** The keys, a line each. */
export const helpText = (width: number): string =>
  KEY_HELP.map(([key, text]) => `${visibleCut(`  ${key}  ${text}`, width)}\n`).join('')

/** Pairs in as many columns as fit, each as wide as its content; '' for none. */
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

/** The lines of a grid of `columnCount` columns, filled from top to bottom. */
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
