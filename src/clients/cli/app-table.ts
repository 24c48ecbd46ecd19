import type {App} from '../../model/api.generated.ts'
import {memoryText} from '../../model/memory-text.ts'
import {instanceName} from '../../model/plan.ts'
import type {Usage} from '../../platform/usage.ts'
import {age} from './age.ts'
import {visibleText} from './visible-text.ts'
import {fittingTable, type FittingColumn} from './table.ts'
import {cut, widthOf} from './width.ts'

/** An app as `ps` shows it. */
export interface ShownApp {
  readonly app: App
  /** Undefined if the app has no process. */
  readonly memoryBytes: number | undefined
  /** In percent of one processor. */
  readonly cpu: number | undefined
}

/** A table of apps that is never wider than `width` (columns of the terminal; Infinity elsewhere). */
export function appTable(shown: readonly ShownApp[], {width, now}: {width: number; now: number}): string {
  const {id, state, url, port, pid, age: since, restarts, memory, cpu} = appColumns(shown, now)
  const columnsWith = (place: FittingColumn): readonly FittingColumn[] => [
    {...id, minWidth: 16},
    {...state, minWidth: 14},
    place,
    pid,
    since,
    restarts,
    memory,
    cpu
  ]
  const whole = fittingTable(columnsWith(url), Infinity)
  if (Math.max(...whole.split('\n').map(widthOf)) <= width) return whole
  return fittingTable(columnsWith(port), width)
}

type ColumnName = 'id' | 'state' | 'url' | 'port' | 'pid' | 'age' | 'restarts' | 'memory' | 'cpu'

/** What there is to show of apps; `now` in ms since 1970. */
export function appColumns(shown: readonly ShownApp[], now: number): Readonly<Record<ColumnName, FittingColumn>> {
  const column = (head: string, cell: (app: App) => string): FittingColumn => ({
    head,
    cells: shown.map(({app}) => visibleText(cell(app)))
  })
  const numbers = (head: string, cell: (app: ShownApp) => string): FittingColumn => ({
    head,
    cells: shown.map(cell),
    alignsRight: true
  })
  return {
    id: column('ID', nameText),
    state: column('STATE', app => stateText(app, now)),
    url: column('URL', urlOf),
    port: numbers('PORT', ({app}) => orNothing(app.appPort)),
    pid: numbers('PID', ({app}) => orNothing(app.pid)),
    age: numbers('AGE', ({app}) => ageText(app, now)),
    restarts: numbers('RESTARTS', ({app}) => app.restarts.toString()),
    memory: numbers('MEMORY', ({memoryBytes: bytes}) => (bytes === undefined ? '' : memoryText(bytes))),
    cpu: numbers('CPU', ({cpu}) => cpuText(cpu))
  }
}

/** The circuit breakers around its calls that keep calls away. */
export const breakersNotClosed = ({circuitBreakers}: App): App['circuitBreakers'] =>
  circuitBreakers.filter(({state}) => state !== 'closed')

/** One line for each circuit breaker that is not closed: `shop: circuit breaker stock:items is open`. */
export const breakerLines = (apps: readonly App[], width: number): string =>
  apps
    .flatMap(app =>
      breakersNotClosed(app).map(
        ({name, state}) => `${cut(`${nameText(app)}: circuit breaker ${name} is ${state}`, width)}\n`
      )
    )
    .join('')

/** One line for each app that has no worker for what its workflows want: `orders: 3 turns or activities of workflows wait …`. */
export const workLines = (apps: readonly App[], width: number): string =>
  apps
    .filter(({waitingWork}) => waitingWork > 0)
    .map(app => {
      const some =
        app.waitingWork === 1
          ? '1 turn or activity of a workflow waits'
          : `${app.waitingWork} turns or activities of workflows wait`
      return `${cut(`${nameText(app)}: ${some} for it to connect a worker`, width)}\n`
    })
    .join('')

/** One line for each app that has not taken many events of `pubsub.in-memory`: `orders: 2000 events wait in memory …`. */
export const eventLines = (apps: readonly App[], width: number): string =>
  apps
    .filter(({waitingEvents}) => waitingEvents > 0)
    .map(app => `${cut(`${nameText(app)}: ${app.waitingEvents} events wait in memory for it to take them`, width)}\n`)
    .join('')

/** The id, with the version of a Daeploy service or the number of an instance. */
export const nameText = ({id, version, instance}: App): string =>
  instanceName(version === '0.0.0' ? id : `${id} ${version}`, instance)

const orNothing = (number: number): string => (number === 0 ? '' : number.toString())

const ageText = ({startedAt, pid}: App, now: number): string =>
  startedAt === null || pid === 0 ? '' : age(now - Date.parse(startedAt))

const cpuText = (percent: number | undefined): string =>
  percent === undefined ? '' : `${percent.toFixed(percent < 9.95 ? 1 : 0)}%`

/** The URL of the app; only its port if it does not speak HTTP. */
export function urlOf({appPort, appProtocol, url}: App): string {
  if (url !== '') return url
  if (appPort === 0) return ''
  if (appProtocol === 'https') return `https://localhost:${appPort}`
  return appProtocol.startsWith('grpc') ? appPort.toString() : `http://localhost:${appPort}`
}

/** `ready`, `waits for db`, `exited 2`, `restarting in 4 s`. */
export function stateText({state, isReady, exitCode, exit, restartsAt, waitsFor}: App, now: number): string {
  switch (state) {
    case 'idle':
      return waitsFor.length === 0 ? 'not started' : `waits for ${waitsFor.join(', ')}`
    case 'running':
      return isReady ? 'ready' : 'not ready'
    case 'backoff':
      if (restartsAt === null) return `${exitWord(exitCode, exit)}, waits for a save`
      return `restarting in ${Math.max(0, Math.ceil((Date.parse(restartsAt) - now) / 1000))} s`
    case 'exited':
      return exitCode === null ? 'not started' : exitWord(exitCode, exit)
    case 'debugging':
      return 'in debugger'
    case 'starting':
    case 'stopping':
    case 'stopped':
    case 'removed':
      return state
  }
}

/** `exited 2`, `ended by SIGKILL`. */
const exitWord = (code: number | null, exit: string): string =>
  /^was (ended by SIG\w+)$/.exec(exit)?.[1] ?? `exited ${code ?? 0}`

/** Adds to each app the memory and CPU of its processes: since their start, or since an earlier measurement. */
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
