import {calledPort} from '../../control/client.ts'
import type {App} from '../../model/api.generated.ts'
import {stripVTControlCharacters} from 'node:util'
import {
  stateCell,
  STATES,
  stateText,
  stateWord,
  summaryText,
  troubleFirst,
  breakerText,
  waitingEventsText,
  waitingWorkText,
  memoryText
} from '../../model/app-words.ts'
import {instanceName} from '../../model/plan.ts'
import type {Usage} from '../../platform/usage.ts'
import {age} from '../../model/duration.ts'
import {toned, type Tone} from './paint.ts'
import {folded} from './say.ts'
import {visibleText, widthOf} from './width.ts'
import {fittingLines, type FittingColumn} from './table.ts'

/** An app as `ps` shows it. */
export interface ShownApp {
  readonly app: App
  /** Memory of the app's processes. undefined: it has no process, or none was measured. */
  readonly memoryBytes: number | undefined
  /** Processor time, in percent of one processor. undefined: as for `memoryBytes`. */
  readonly cpu: number | undefined
}

interface TablePlace {
  /** Columns of the terminal. Infinity: the output is not a terminal. */
  readonly width: number
  /** In ms since 1970. */
  readonly now: number
  readonly hasColours?: boolean
  /** Whether a terminal, too, shows the IDs of processes. */
  readonly isWide?: boolean
}

/** Returns the apps in the order of a list: on a terminal apps in trouble first, elsewhere the order of the template. */
export const inOrder = (apps: readonly ShownApp[], width: number): readonly ShownApp[] =>
  width === Infinity ? apps : troubleFirst(apps, ({app}) => stateWord(app))

/** Returns the table of `ps`: a line for each app and, if one is down, a last line that counts the apps of each state. */
export function appTable(apps: readonly ShownApp[], place: TablePlace): string {
  const {width} = place
  const hasTrouble = width !== Infinity && apps.some(({app}) => toneOf(app) === 'bad')
  const counted = hasTrouble ? [folded(`${summaryText(apps.map(({app}) => app))}: pillion why`, width)] : []
  return [...appLines(inOrder(apps, width), place), ...counted].map(line => `${line}\n`).join('')
}

/** Returns the head of a table of apps, and a line for each app in this order, none wider than `width`. */
export function appLines(apps: readonly ShownApp[], place: TablePlace): readonly string[] {
  const {width, isWide = false} = place
  const {id, state, url, port, pid, age: since, restarts, memory, cpu} = appColumns(apps, place)
  const isNamed = apps.some(({app}) => app.nameUrl !== undefined)
  const columnsWith = (...places: readonly FittingColumn[]): readonly FittingColumn[] => [
    {...id, minWidth: 16},
    {...state, minWidth: 14},
    ...places,
    ...(isWide || width === Infinity ? [pid] : []),
    since,
    restarts,
    memory,
    cpu
  ]
  const whole = fittingLines(columnsWith(url, ...(isNamed ? [port] : [])), Infinity)
  const fits = whole.every(line => widthOf(stripVTControlCharacters(line)) <= width)
  return fits ? whole : fittingLines(columnsWith(port), width)
}

/** Returns the lines of a start: each app with its state and, once it is ready, its address. */
export function startLines(apps: readonly App[], place: TablePlace): readonly string[] {
  const shown = inOrder(withUsage(apps, {usage: new Map(), now: place.now}), place.width)
  const {id, state, url} = appColumns(shown, place)
  const cells = url.cells.map((cell, row) => (shown[row]?.app.isReady === true ? cell : ''))
  // a long name is cut, so that addresses have room
  const names = id.cells.map(cell => `  ${cell}`)
  const columns = [{...id, cells: names, minWidth: 18}, state, {...url, cells, minWidth: 32}]
  return fittingLines(
    columns.map(each => ({...each, head: ''})),
    place.width
  ).slice(1)
}

/** Returns the columns of a list of apps. On a terminal, apps in trouble have a sign and, with `hasColours`, a colour. */
export function appColumns(
  shown: readonly ShownApp[],
  {width, now, hasColours = false}: TablePlace
): Readonly<Record<'id' | 'state' | 'url' | 'port' | 'pid' | 'age' | 'restarts' | 'memory' | 'cpu', FittingColumn>> {
  const isTerminal = width !== Infinity
  const tones = shown.map(({app}) => toneOf(app))
  const hasSigns = isTerminal && tones.includes('bad')
  const signOf = (app: App): string => (!hasSigns ? '' : toneOf(app) === 'bad' ? `${STATES[stateWord(app)][0]} ` : '  ')
  const column = (head: string, cell: (app: App) => string): FittingColumn => ({
    head,
    cells: shown.map(({app}) => visibleText(cell(app)))
  })
  const numbers = (head: string, cell: (app: ShownApp) => string): FittingColumn => ({
    head,
    cells: shown.map(cell),
    alignsRight: true
  })
  const paint = (cell: string, row: number): string => toned(tones[row] ?? 'plain', cell)
  return {
    id: {
      ...column('ID', app => signOf(app) + nameText(app)),
      ...(hasColours && {paint: (cell, row) => (tones[row] === 'bad' ? paint(cell, row) : cell)})
    },
    state: {...column('STATE', app => (isTerminal ? stateCell : stateText)(app, now)), ...(hasColours && {paint})},
    url: column('URL', app => shownUrl(app) || app.listens.join(', ')),
    port: numbers('PORT', ({app}) => orNothing(calledPort(app)) || app.listens.join(', ')),
    pid: numbers('PID', ({app}) => orNothing(app.pid)),
    age: numbers('AGE', ({app}) => ageText(app, now)),
    restarts: numbers('RESTARTS', ({app}) => app.restarts.toString()),
    memory: numbers('MEMORY', ({memoryBytes: bytes}) => (bytes === undefined ? '' : memoryText(bytes))),
    cpu: numbers('CPU', ({cpu}) => cpuText(cpu))
  }
}

export const toneOf = (app: App): Tone => STATES[stateWord(app)][1]

/** Returns the circuit breakers of an app that hold back calls. */
export const breakersNotClosed = ({circuitBreakers}: App): App['circuitBreakers'] =>
  circuitBreakers.filter(({state}) => state !== 'closed')

/** Returns a line for each reason that blocks calls, work or events of an app: `circuit breaker stock:items of "shop" is open`. */
export const backlogLines = (apps: readonly App[]): string =>
  apps
    .flatMap(app => {
      const name = nameText(app)
      return [
        ...breakersNotClosed(app).map(breaker => breakerText(name, breaker)),
        ...(app.waitingWork > 0 ? [waitingWorkText(name, app.waitingWork)] : []),
        ...(app.waitingEvents > 0 ? [waitingEventsText(name, app.waitingEvents)] : [])
      ]
    })
    .map(line => `${line}\n`)
    .join('')

/** Returns the id, with the version of a Daeploy service or the number of an instance. */
export const nameText = ({id, version, instance}: App): string =>
  instanceName(version === '0.0.0' ? id : `${id} ${version}`, instance)

const orNothing = (number: number): string => (number === 0 ? '' : number.toString())

const ageText = ({startedAt, pid}: App, now: number): string =>
  startedAt === null || pid === 0 ? '' : age(now - Date.parse(startedAt))

const cpuText = (percent: number | undefined): string =>
  percent === undefined ? '' : `${percent.toFixed(percent < 9.95 ? 1 : 0)}%`

/** Returns the address for people: by name, if the app has one. */
export const shownUrl = (app: App): string => app.nameUrl ?? urlOf(app)

/** Returns the URL of an app, or only its port if it does not speak HTTP; '': it has no port. */
export function urlOf({appPort, appProtocol, url}: App): string {
  if (url !== '') return url
  if (appPort === 0) return ''
  if (appProtocol === 'https') return `https://localhost:${appPort}`
  return appProtocol.startsWith('grpc') ? appPort.toString() : `http://localhost:${appPort}`
}

/** Adds to each app the memory and CPU use of its processes. CPU use is the mean since `before`, or else since the start of the app. */
export function withUsage(
  apps: readonly App[],
  {usage, now, before}: {usage: ReadonlyMap<number, Usage>; now: number; before?: UsageSample | undefined}
): readonly ShownApp[] {
  return apps.map(app => {
    const used = usage.get(app.pid)
    if (used === undefined || app.pid === 0) return {app, memoryBytes: undefined, cpu: undefined}
    const earlier = before?.usage.get(app.pid)
    const since = earlier === undefined ? Date.parse(app.startedAt ?? '') || now : (before?.at ?? now)
    const cpuMs = Math.max(0, used.cpuMs - (earlier?.cpuMs ?? 0))
    return {app, memoryBytes: used.memoryBytes, cpu: (100 * cpuMs) / Math.max(1, now - since)}
  })
}

/** A measurement; `at` in ms since 1970. */
export interface UsageSample {
  readonly at: number
  readonly usage: ReadonlyMap<number, Usage>
}
