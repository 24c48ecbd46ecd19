import type {ComponentUse} from '../../../model/call.ts'

const USES = 4096
/** Maximum number of kinds of uses of all apps. Further kinds of an app share one. */
const MAX_WAYS = 2000
const MORE = '(more)'
/** Maximum number of characters that are kept of the reason of a failure. */
const MAX_REASON = 300

/** A kind of use of a component by an app. Kinds recur: each use stores only the index of its kind. */
type UseWay = Pick<ComponentUse, 'app' | 'block' | 'component' | 'operation'> & {
  readonly index: number
  /** Number of uses of this kind. */
  count: number
}

/** The latest uses of components by apps: reads, published events, calls of bindings. In fixed memory, allocated at the first use. `latestUses` reads them. */
export class ComponentUses {
  readonly #ask: (app: string) => boolean
  readonly ways: UseWay[] = []
  /** Known kinds by app, then by block, component and operation. */
  readonly #known = new Map<string, Map<string, UseWay>>()
  /** Cached answers of `#ask`, whether an app is recorded, by app. */
  readonly #recorded = new Map<string, boolean>()
  /** Kind of the latest use, which most uses share. */
  #last: UseWay | undefined
  columns: UseColumns | undefined
  count = 0

  constructor(isRecorded: (app: string) => boolean) {
    this.#ask = isRecorded
  }

  add(use: ComponentUse): void {
    const way = isOf(this.#last, use) ? this.#last : this.#wayOf(use)
    if (way === undefined) return
    this.#last = way
    way.count++
    const columns = (this.columns ??= columnsOf())
    const line = this.count++ % USES
    columns.ways[line] = way.index
    columns.starts[line] = use.startedAt
    columns.times[line] = use.totalMs
    columns.failures[line] = use.failure.slice(0, MAX_REASON)
    columns.events[line] = use.event
    columns.traces[line] = use.traceparent
  }

  /** Returns the number of times that an app has used components. */
  countOf(app: string): number {
    return this.ways.reduce((sum, way) => sum + (way.app === app ? way.count : 0), 0)
  }

  /** Forgets which apps are recorded: the template has changed. */
  refresh(): void {
    this.#recorded.clear()
    this.#last = undefined
  }

  /** Whether the template says that an app is recorded. */
  isRecorded(app: string): boolean {
    const isRecorded = this.#recorded.get(app) ?? this.#ask(app)
    this.#recorded.set(app, isRecorded)
    return isRecorded
  }

  #wayOf({app, block, component, operation}: ComponentUse): UseWay | undefined {
    if (!this.isRecorded(app)) return undefined
    const ways = this.#known.get(app) ?? new Map<string, UseWay>()
    this.#known.set(app, ways)
    const isFull = this.ways.length >= MAX_WAYS
    const key = `${block} ${component} ${operation}`
    const found = ways.get(key) ?? (isFull ? ways.get(MORE) : undefined)
    if (found !== undefined) return found
    const way = this.#add(isFull ? {app, block, component: '', operation: MORE} : {app, block, component, operation})
    ways.set(isFull ? MORE : key, way)
    return way
  }

  #add(way: Omit<UseWay, 'index' | 'count'>): UseWay {
    const added = {...way, index: this.ways.length, count: 0}
    this.ways.push(added)
    return added
  }
}

const isOf = (way: UseWay | undefined, {app, block, component, operation}: ComponentUse): way is UseWay =>
  way !== undefined &&
  way.operation === operation &&
  way.component === component &&
  way.block === block &&
  way.app === app

const columnsOf = () => ({
  ways: new Uint16Array(USES),
  starts: new Float64Array(USES),
  times: new Float32Array(USES),
  failures: Array.from({length: USES}, () => ''),
  events: Array.from({length: USES}, () => ''),
  traces: Array.from({length: USES}, () => '')
})

type UseColumns = ReturnType<typeof columnsOf>

/** Yields the kept uses of components, in the order in which they ended. */
export function* latestUses({columns, ways: known, count}: ComponentUses): Generator<ComponentUse> {
  if (columns === undefined) return
  const {ways, starts, times, failures, events, traces} = columns
  for (let number = Math.max(0, count - USES); number < count; number++) {
    const line = number % USES
    const way = known[ways[line] ?? 0]
    if (way === undefined) continue
    const {app, block, component, operation} = way
    yield {
      app,
      block,
      component,
      operation,
      startedAt: starts[line] ?? 0,
      totalMs: times[line] ?? 0,
      failure: failures[line] ?? '',
      event: events[line] ?? '',
      traceparent: traces[line] ?? ''
    }
  }
}
