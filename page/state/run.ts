import type * as Api from '../../src/model/api.generated.ts'
import {computed, signal} from '@preact/signals'
import type {ApiError} from '../../src/control/api-client.ts'
import {api, hasToken, problemOf} from './api.ts'
import {EventStream, type RunEvent} from './event-stream.ts'
import {mayFollow, watchTabs} from './tabs.ts'

/** What is known of the connection to the run. `at`: since when. */
export type Connection =
  | {readonly state: 'asking' | 'open'}
  | {readonly state: 'lost' | 'ended'; readonly at: number; readonly retryAt: number; readonly why: string}
  | {readonly state: 'refused'; readonly why: string; readonly hint: string}

/** The data of each event that views can listen to. */
export interface EventData {
  calls: {readonly calls: readonly Api.Call[]; readonly notShown: number}
  lines: Api.LineSample
  app: Api.App
  death: Api.Death
  reload: {readonly app: string; readonly files: readonly string[]; readonly tookMs: number; readonly held: number}
  replay: Api.Replay
  fault: {
    readonly change: 'on' | 'off' | 'hit' | 'disabled' | 'enabled'
    readonly fault: Api.Fault
    readonly text: string
  }
  note: {readonly code: string; readonly text: string}
  /** Something has happened to an instance of a workflow. */
  workflow: {readonly app: string; readonly id: string}
  /** Samples arrive from now on; what happened before, while nothing listened or the connection was made, was not sent. */
  following: undefined
  /** The whole state was sent (again): what was missed is not known. */
  reset: Api.Run
}

/** Always followed: the state of the run. Others only while a view listens to them. */
const STATE = ['app', 'edges', 'troubles', 'reload', 'death', 'fault', 'replay', 'note']
const SAMPLES = new Set(['calls', 'lines', 'workflow'])

export const run = signal<Omit<Api.Run, 'apps'> | undefined>(undefined)
/** The apps by `keyOf`, in the order of the template. */
export const apps = signal<ReadonlyMap<string, Api.App>>(new Map())
export const edges = signal<readonly Api.Edge[]>([])
/** Calls that wait for an app now, by its id. */
export const waiting = signal<ReadonlyMap<string, number>>(new Map())
/** Ids of apps that have ended with the run: they need no attention. */
export const endedWithRun = signal<ReadonlySet<string>>(new Set())
/** What needs a person, the worst first. */
export const troubles = signal<readonly Api.Trouble[]>([])
export const connection = signal<Connection>(
  hasToken ? {state: 'asking'} : {state: 'refused', why: 'this page has no token', hint: ''}
)
/** The run was away since the page was opened, and answers again. */
export const hasReconnected = signal(false)
/** Samples are paused, so that they can be read. */
export const isPaused = signal(false)

/** `shop`, `shop.2`, `hello@1.0.0`. */
export const keyOf = ({id, version, instance}: Pick<Api.App, 'id' | 'version' | 'instance'>): string =>
  `${id}${version === '0.0.0' || version === '' ? '' : `@${version}`}${instance === 1 ? '' : `.${instance}`}`

/** What an action on an app concerns: this instance, if the app has several; all versions of its id, which act together. */
export function targetOf(app: Api.App): {readonly name: string; readonly text: string} {
  const same = appList.value.filter(({id}) => id === app.id)
  if (new Set(same.map(({version}) => version)).size > 1) return {name: app.id, text: `all versions of ${app.id}`}
  const name = same.length > 1 ? `${app.id}.${app.instance}` : app.id
  return {name, text: name}
}

/** What the run is called: by its template, or by the folder of that; where commands need another name, that is behind it. */
export const runName = computed(() => {
  const {template: {name = '', file = ''} = {}, name: called = ''} = run.value ?? {}
  const folder = file.split('/').at(-2) ?? ''
  const own = name || folder
  return called === '' || called === folder || called === own ? own : [own, called].filter(Boolean).join(' · ')
})

/** What is shown of one run is nothing of another: a key for it. */
export const runId = computed(() => run.value?.run ?? '')

export const appList = computed(() => [...apps.value.values()])

const listeners = new Map<string, Set<(data: never, at: number) => void>>()

const stream = new EventStream({
  open: async (types, after, until) =>
    api.follow('GET /events', {query: {types, ...(after > 0 && {after})}, signal: until}),
  onEvent: take,
  onOpen: () => {
    if ('at' in connection.value) hasReconnected.value = true
    connection.value = {state: 'open'}
    if (isShown()) tell('following', undefined)
  },
  onLost: (error, retryAt) => lost(problemOf(error), retryAt)
})

function lost({status, message, explanation: hint}: ApiError, retryAt: number): void {
  if (status === 401) {
    connection.value = {state: 'refused', why: message, hint}
    return
  }
  const before = connection.value
  const at = 'at' in before ? before.at : Date.now()
  const why = status === 0 ? '' : `${message}. ${hint}`
  connection.value = {state: before.state === 'ended' && status === 0 ? 'ended' : 'lost', at, retryAt, why}
}

/** Asks again at once. */
export const reconnect = (): void => stream.now()

const isShown = (): boolean => !document.hidden && !isPaused.value

function follow(): void {
  if (!mayFollow()) return stream.end()
  const wanted = [...listeners].flatMap(([type, {size}]) => (SAMPLES.has(type) && size > 0 && isShown() ? [type] : []))
  stream.follow([...STATE, ...wanted])
}

let isAboutToFollow = false

/** Several changes at once are one request. */
function followSoon(): void {
  if (isAboutToFollow || !hasToken) return
  isAboutToFollow = true
  queueMicrotask(() => {
    isAboutToFollow = false
    follow()
  })
}

/** Calls `listener` with each event of a type, and when it was (ms since 1970), until the function that is returned is called. */
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

function tell<T extends keyof EventData>(type: T, data: EventData[T], at = Date.now()): void {
  for (const listener of listeners.get(type) ?? []) (listener as (data: EventData[T], at: number) => void)(data, at)
}

function take({type, data, at: when}: RunEvent): void {
  const at = when === undefined ? Date.now() : Date.parse(when)
  if (type === 'hello' || type === 'reset') {
    const {apps: all, ...rest} = data as Api.Run
    const isOther = run.value?.run !== rest.run
    run.value = rest
    apps.value = new Map(all.map(app => [keyOf(app), app]))
    if (isOther) {
      takeEdges({edges: [], waiting: {}})
      troubles.value = []
      exitedApps.clear()
      endedWithRun.value = new Set()
    }
    tell('reset', data as Api.Run, at)
  } else if (type === 'app') {
    takeApp(data as Api.App)
    tell('app', data as Api.App, at)
  } else if (type === 'edges') takeEdges(data as EdgeSample)
  else if (type === 'troubles') ({troubles: troubles.value} = data as Api.Troubles)
  else if (type === 'death') {
    const death = data as Api.Death
    exitedApps.delete(death.app)
    tell('death', death, at)
  } else if (type === 'bye') {
    endedWithRun.value = new Set(exitedApps)
    connection.value = {state: 'ended', at, retryAt: at, why: ''}
  } else if (listeners.has(type)) tell(type as keyof EventData, data as never, at)
}

/** Ids of apps whose process has ended, not known to be a crash. */
const exitedApps = new Set<string>()

function takeApp(app: Api.App): void {
  if (app.state === 'exited' && apps.value.get(keyOf(app))?.state !== 'exited') exitedApps.add(app.id)
  const changed = new Map(apps.value)
  if (app.state === 'removed') changed.delete(keyOf(app))
  else changed.set(keyOf(app), app)
  apps.value = changed
}

interface EdgeSample {
  readonly edges: readonly Api.Edge[]
  readonly waiting: Readonly<Record<string, number>>
}

function takeEdges(sample: EdgeSample): void {
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
