/** A value with its labels. */
export interface Series {
  /** Adds its lines to a text in Prometheus' format; `labels` is `a="b",c="d"` or an empty text. */
  write(lines: string[], name: string, labels: string): void
}

/** A counter or a gauge. On the call path `value` is changed directly. */
export class Counter implements Series {
  value = 0

  write(lines: string[], name: string, labels: string): void {
    lines.push(`${name}${braces(labels)} ${formatValue(this.value)}`)
  }
}

/** A series that counts values in buckets. */
export class Histogram implements Series {
  readonly #bounds: readonly number[]
  /** Counts per bucket, the last one unbounded; they are accumulated when written. */
  readonly #counts: Float64Array
  #sum = 0

  /** `bounds`: inclusive upper bounds, in order. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    const counts = this.#counts
    let bucket = 0
    // most values are in the first buckets, so this is faster than a binary search
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++
    counts[bucket] = (counts[bucket] ?? 0) + 1
    this.#sum += value
  }

  write(lines: string[], name: string, labels: string): void {
    const prefix = labels === '' ? '' : `${labels},`
    let count = 0
    for (const [index, bound] of [...this.#bounds, Infinity].entries()) {
      count += this.#counts[index] ?? 0
      lines.push(`${name}_bucket{${prefix}le="${formatValue(bound)}"} ${formatValue(count)}`)
    }
    lines.push(`${name}_sum${braces(labels)} ${formatValue(this.#sum)}`)
    lines.push(`${name}_count${braces(labels)} ${formatValue(count)}`)
  }
}

const braces = (labels: string): string => (labels === '' ? '' : `{${labels}}`)

/** Returns a number in Prometheus' text format; Go may format large and small ones differently. */
const formatValue = (value: number): string =>
  value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : value.toString()

const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

/** Changes the value of a label before it identifies a series. */
export type Relabel = (metric: string, label: string, value: string) => string

interface FamilyOptions<Kind extends Series> {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly create: () => Kind
  readonly relabel: Relabel
}

/** Maximum number of series per metric. Further ones share a series with empty labels. */
export const MAX_SERIES = 500

/** A metric: its series by label values. */
export class Family<Kind extends Series> {
  readonly name: string
  readonly #options: FamilyOptions<Kind>
  readonly #series = new Map<string, {readonly labels: string; readonly series: Kind}>()

  #latest: Kind | undefined
  #latestValues: readonly string[] = []

  constructor(options: FamilyOptions<Kind>) {
    this.name = options.name
    this.#options = options
  }

  get size(): number {
    return this.#series.size
  }

  /** Returns the series with these values, in the order of the labels. Keep the result: looking it up costs more than counting. */
  series(...values: readonly string[]): Kind {
    // successive counts often have the same labels
    if (this.#latest !== undefined && values.every((value, index) => value === this.#latestValues[index]))
      return this.#latest
    const {labels, relabel} = this.#options
    const changed = labels.map((label, index) => relabel(this.name, label, values[index] ?? ''))
    this.#latestValues = values
    return (this.#latest = this.#get(changed) ?? this.#create(changed))
  }

  /** Adds the lines of the metric, if it has series. */
  write(lines: string[]): void {
    if (this.#series.size === 0) return
    lines.push(`# TYPE ${this.name} ${this.#options.type}`)
    const inOrder = [...this.#series.values()].toSorted((a, b) => (a.labels < b.labels ? -1 : 1))
    for (const {labels, series} of inOrder) series.write(lines, this.name, labels)
  }

  #get(values: readonly string[]): Kind | undefined {
    return this.#series.get(values.join('\0'))?.series
  }

  #create(values: readonly string[]): Kind {
    if (this.#series.size >= MAX_SERIES) {
      const empty = values.map(() => '')
      if (values.some(value => value !== '')) return this.#get(empty) ?? this.#create(empty)
    }
    const {labels, create} = this.#options
    const series = create()
    const pairs = labels.map((label, index) => [label, values[index] ?? ''] as const)
    const text = pairs
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, value]) => `${label}="${escapeLabel(value)}"`)
      .join(',')
    this.#series.set(values.join('\0'), {labels: text, series})
    return series
  }
}
