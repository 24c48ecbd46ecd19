import type * as Api from '../../src/model/api.generated.ts'
import {computed, signal} from '@preact/signals'
import type {ApiError} from '../../src/control/api-client.ts'
import {shownNameOf} from '../../src/model/app-words.ts'
import {api, hasToken, problemOf, showsRun} from './api.ts'
import {EventStream, type RunEvent} from './event-stream.ts'
import {mayFollow, watchTabs} from './tabs.ts'
import {forgetToken} from './token.ts'

/** The connection to the run; `at`: when it was lost or the run ended, in ms since 1970. */
export type Connection =
  | {readonly state: 'asking' | 'open'}
  | {readonly state: 'lost' | 'ended'; readonly at: number; readonly retryAt: number; readonly why: string}
  | {readonly state: 'refused'; readonly why: string; readonly hint: string}

/** The data of each event type that views can listen to. */
export interface EventData {
  calls: {readonly calls: readonly Api.Call[]; readonly notShown: number}
  lines: Api.LineSample
  app: Api.App
  death: Api.Death
  reload: {readonly app: string; readonly files: readonly string[]; readonly tookMs: number; readonly held: number}
  replay: Api.Replay
  fault: Api.FaultChange
  note: {readonly code: string; readonly text: string}
  /** An instance of a workflow has changed. */
  workflow: {readonly app: string; readonly id: string}
  /** Samples arrive from now on; earlier ones were not sent: no view listened, the connection was down, or the page was slow. */
  following: undefined
  /** Another run is shown, or the first one; `reset` follows. */
  another: Api.Run
  /** The whole state was sent (again), and events before it may have been missed. */
  reset: Api.Run
}

/** The event types that carry the state of the run and are always followed; others are only while a view listens. */
const STATE = ['app', 'edges', 'troubles', 'reload', 'death', 'fault', 'replay', 'note']
const SAMPLES = new Set(['calls', 'lines', 'workflow'])

export const run = signal<Omit<Api.Run, 'apps'> | undefined>(undefined)
/** The apps by `keyOf`, in template order. */
export const apps = signal<ReadonlyMap<string, Api.App>>(new Map())
export const edges = signal<readonly Api.Edge[]>([])
/** The number of calls that wait for each app now, by app id. */
export const waiting = signal<ReadonlyMap<string, number>>(new Map())
/** The ids of apps that ended together with the run, and therefore need no attention. */
export const endedWithRun = signal<ReadonlySet<string>>(new Set())
/** The problems that the user should look at, the worst first. */
export const troubles = signal<readonly Api.Trouble[]>([])
export const connection = signal<Connection>(
  hasToken ? {state: 'asking'} : {state: 'refused', why: 'this page has no token', hint: ''}
)
/** How often the connection was opened: more than once after it was lost. */
export const opened = signal(0)
/** Whether the user has paused the samples, to read them. */
export const isPaused = signal(false)

/** Returns the name of an instance: `shop`, `shop.2` or `hello@1.0.0`. */
export const keyOf = ({id, version, instance}: Pick<Api.App, 'id' | 'version' | 'instance'>): string =>
  `${id}${version === '0.0.0' || version === '' ? '' : `@${version}`}${instance === 1 ? '' : `.${instance}`}`

/** Returns the callee of calls to an app: the copies for a shadow name its version, too. */
export const calleeOf = ({id, version, isMain}: Api.App): string => (isMain ? id : `${id}@${version}`)

/** Returns what an action on an app affects: one instance if the app has several, or all versions of its id, which act together. */
export function targetOf(app: Api.App): {readonly name: string; readonly text: string} {
  const same = appList.value.filter(({id}) => id === app.id)
  if (new Set(same.map(({version}) => version)).size > 1) return {name: app.id, text: `all versions of ${app.id}`}
  const name = same.length > 1 ? `${app.id}.${app.instance}` : app.id
  return {name, text: name}
}

/** The name of the run; empty before it has answered. */
export const runName = computed(() => (run.value === undefined ? '' : shownNameOf(run.value)))

/** The id of the run, used as a component key, so that state of one run is not shown for another. */
export const runId = computed(() => run.value?.run ?? '')

export const appList = computed(() => [...apps.value.values()])

const listeners = new Map<string, Set<(data: never, at: number) => void>>()

const stream = new EventStream({
  open: async (types, after, until) =>
    api.follow('GET /events', {query: {types, ...(after > 0 && {after})}, signal: until}),
  onEvent: take,
  onOpen: () => {
    if (connection.value.state !== 'open') {
      connection.value = {state: 'open'}
      opened.value++
    }
    if (isShown()) tell('following', undefined)
  },
  onLost: (error, retryAt) => lost(problemOf(error), retryAt)
})

function lost({status, message, explanation: hint}: ApiError, retryAt: number): void {
  if (status === 401) {
    forgetToken()
    connection.value = {state: 'refused', why: message, hint}
    return
  }
  const before = connection.value
  const at = 'at' in before ? before.at : Date.now()
  const why = status === 0 ? '' : `${message}. ${hint}`
  connection.value = {state: before.state === 'ended' && status === 0 ? 'ended' : 'lost', at, retryAt, why}
}

export const reconnect = (): void => stream.now()

const isShown = (): boolean => !document.hidden && !isPaused.value

function follow(): void {
  if (!mayFollow()) return stream.end()
  const wanted = [...listeners].flatMap(([type, {size}]) => (SAMPLES.has(type) && size > 0 && isShown() ? [type] : []))
  stream.follow([...STATE, ...wanted])
}

let isAboutToFollow = false

/** Follows the wanted event types in a microtask, so that several changes cause one request. */
function followSoon(): void {
  if (isAboutToFollow || !hasToken) return
  isAboutToFollow = true
  queueMicrotask(() => {
    isAboutToFollow = false
    follow()
  })
}

/** Calls `listener` with the data and time (ms since 1970) of each event of a type, until the returned function is called. */
export function listen<T extends keyof EventData>(
  type: T,
  listener: (data: EventData[T], at: number) => void
): () => void {
  const all = listeners.get(type) ?? new Set()
  listeners.set(type, all)
  all.add(listener)
  if (SAMPLES.has(type) && all.size === 1) followSoon()
  return () => {
    all.delete(listener)
    if (SAMPLES.has(type) && all.size === 0) followSoon()
  }
}

/** Returns a function that calls all these functions. */
export const endAll =
  (...ends: readonly (() => void)[]) =>
  (): void =>
    ends.forEach(end => end())

function tell<T extends keyof EventData>(type: T, data: EventData[T], at = Date.now()): void {
  for (const listener of listeners.get(type) ?? []) (listener as (data: EventData[T], at: number) => void)(data, at)
}

function take({type, data, at: when}: RunEvent): void {
  const at = when === undefined ? Date.now() : Date.parse(when)
  if (type === 'hello' || type === 'reset') {
    const {apps: all, ...rest} = data as Api.Run
    const isOther = run.value?.run !== rest.run
    showsRun(rest.run) // before what follows the state asks for something of this run
    run.value = rest
    apps.value = new Map(all.map(app => [keyOf(app), app]))
    if (isOther) {
      takeEdges({edges: [], waiting: {}})
      troubles.value = []
      exitedApps.clear()
      endedWithRun.value = new Set()
      tell('another', data as Api.Run, at)
    }
    tell('reset', data as Api.Run, at)
  } else if (type === 'app') {
    takeApp(data as Api.App)
    tell('app', data as Api.App, at)
  } else if (type === 'edges') takeEdges(data as Api.EdgeSample)
  else if (type === 'troubles') ({troubles: troubles.value} = data as Api.Troubles)
  else if (type === 'death') {
    const death = data as Api.Death
    exitedApps.delete(death.app)
    tell('death', death, at)
  } else if (type === 'bye') {
    endedWithRun.value = new Set(exitedApps)
    connection.value = {state: 'ended', at, retryAt: at, why: ''}
  } else if (type === 'dropped') tell('following', undefined)
  else if (listeners.has(type)) tell(type as keyof EventData, data as never, at)
}

/** The ids of apps whose process has exited without a crash being reported. */
const exitedApps = new Set<string>()

function takeApp(app: Api.App): void {
  if (app.state === 'exited' && apps.value.get(keyOf(app))?.state !== 'exited') exitedApps.add(app.id)
  const changed = new Map(apps.value)
  if (app.state === 'removed') changed.delete(keyOf(app))
  else changed.set(keyOf(app), app)
  apps.value = changed
}

function takeEdges(sample: Api.EdgeSample): void {
  edges.value = sample.edges
  waiting.value = new Map(Object.entries(sample.waiting))
}

export function pause(isWanted: boolean): void {
  isPaused.value = isWanted
  followSoon()
}

document.addEventListener('visibilitychange', followSoon)
watchTabs(followSoon)
followSoon()
