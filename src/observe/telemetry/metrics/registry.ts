import {Counter, Family, Histogram, type Relabel, type Series} from './family.ts'
import {METRICS, type MetricName} from './metrics-table.ts'

/** Maximum number of cached paths; beyond it the cache is cleared. The metrics keep their series. */
const MAX_PATHS = 1000

/** Values by path, verb and status: finds the series of a call with three lookups and no allocation. */
export class SeriesCache<Value> {
  readonly #create: (path: string, verb: string, status: number) => Value
  readonly #keyOf: (path: string) => string
  /** Path of the latest call: calls in a row are often alike, and comparing costs less than hashing. */
  #path = ''
  #verb = ''
  #status = -1
  #value: Value | undefined
  readonly #paths = new Map<string, Map<string, Map<number, Value>>>()

  /** Paths with an equal `keyOf` share one series, which `create` makes for that key. */
  constructor(create: (path: string, verb: string, status: number) => Value, keyOf = (path: string): string => path) {
    this.#create = create
    this.#keyOf = keyOf
  }

  get(path: string, verb: string, status: number): Value {
    if (this.#value !== undefined && this.#status === status && this.#verb === verb && this.#path === path)
      return this.#value
    const key = this.#keyOf(path)
    const value = this.#paths.get(key)?.get(verb)?.get(status) ?? this.#add(key, verb, status)
    this.#path = path
    this.#verb = verb
    this.#status = status
    this.#value = value
    return value
  }

  #add(path: string, verb: string, status: number): Value {
    if (this.#paths.size >= MAX_PATHS && !this.#paths.has(path)) this.#paths.clear()
    const verbs = this.#paths.get(path) ?? new Map<string, Map<number, Value>>()
    this.#paths.set(path, verbs)
    const statuses = verbs.get(verb) ?? new Map<number, Value>()
    verbs.set(verb, statuses)
    const value = this.#create(path, verb, status)
    statuses.set(status, value)
    return value
  }
}

const KIB = 1024
const MIB = KIB * KIB
const GIB = KIB * MIB

const BUCKETS: Readonly<Record<'times' | 'sizes' | 'shares', readonly number[]>> = {
  /** Milliseconds (Dapr: pkg/config, GetLatencyDistribution). */
  times: [
    1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 250, 300, 400, 500, 650, 800,
    1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000
  ],
  /** Bytes (Dapr: pkg/diagnostics/metrics.go). */
  sizes: [
    ...[1, 2, 4, 16, 64, 256].map(size => size * KIB),
    ...[1, 4, 16, 64, 256].map(size => size * MIB),
    ...[1, 4].map(size => size * GIB)
  ],
  /** Shares of the largest message (Dapr: pkg/diagnostics/metrics.go, payloadRatioDistribution). */
  shares: [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1, 1.5, 2]
}

/** The metrics of one sidecar; each is created when it is first asked for. */
export class MetricsRegistry {
  readonly #relabel: Relabel
  readonly #latencyBuckets: readonly number[]
  readonly #families = new Map<string, Family<Series>>()

  /** `latencyBuckets`: in ms; default: Dapr's. */
  constructor(relabel: Relabel, latencyBuckets: readonly number[] = BUCKETS.times) {
    this.#relabel = relabel
    this.#latencyBuckets = latencyBuckets
  }

  counter(name: MetricName<'counter'>): Family<Counter> {
    return this.#family(name, () => new Counter())
  }

  gauge(name: MetricName<'gauge'>): Family<Counter> {
    return this.#family(name, () => new Counter())
  }

  histogram(name: MetricName<'histogram'>): Family<Histogram> {
    const {buckets = 'times'} = METRICS[name]
    const bounds = buckets === 'times' ? this.#latencyBuckets : BUCKETS[buckets]
    return this.#family(name, () => new Histogram(bounds))
  }

  /** All metrics in Prometheus' text format 0.0.4, ordered by name. */
  text(): string {
    const lines: string[] = []
    for (const family of [...this.#families.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)))
      family.write(lines)
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`
  }

  #family<Kind extends Series>(name: keyof typeof METRICS, create: () => Kind): Family<Kind> {
    const known = this.#families.get(name)
    // safe: each name is used with one kind only
    if (known !== undefined) return known as Family<Kind>
    const {kind: type, labels} = METRICS[name]
    const names = labels === '' ? [] : labels.split(' ')
    const family = new Family({name, type, labels: names, create, relabel: this.#relabel})
    this.#families.set(name, family)
    return family
  }
}
