import {Counter, Family, Gauge, Histogram, type Relabel, type Series} from './family.ts'

/** Milliseconds (Dapr: pkg/config, GetLatencyDistribution). */
export const LATENCY_BUCKETS: readonly number[] = [
  1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 250, 300, 400, 500, 650, 800, 1_000,
  2_000, 5_000, 10_000, 20_000, 50_000, 100_000
]

const KIB = 1024
const MIB = KIB * KIB
const GIB = KIB * MIB

/** Bytes (Dapr: pkg/diagnostics/metrics.go). */
export const SIZE_BUCKETS: readonly number[] = [
  ...[1, 2, 4, 16, 64, 256].map(size => size * KIB),
  ...[1, 4, 16, 64, 256].map(size => size * MIB),
  ...[1, 4].map(size => size * GIB)
]

/** The metrics of one sidecar. */
export class MetricsRegistry {
  readonly #relabel: Relabel
  readonly #families = new Map<string, Family<Series>>()

  constructor(relabel: Relabel) {
    this.#relabel = relabel
  }

  counter(name: string, help: string, labels: readonly string[]): Family<Counter> {
    return this.#add('counter', {name, help, labels, create: () => new Counter()})
  }

  gauge(name: string, help: string, labels: readonly string[]): Family<Gauge> {
    return this.#add('gauge', {name, help, labels, create: () => new Gauge()})
  }

  histogram(name: string, help: string, labels: readonly string[], bounds: readonly number[]): Family<Histogram> {
    return this.#add('histogram', {name, help, labels, create: () => new Histogram(bounds)})
  }

  /** All metrics in Prometheus' text format 0.0.4, ordered by name. */
  text(): string {
    const lines: string[] = []
    for (const family of [...this.#families.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)))
      family.write(lines)
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`
  }

  #add<Kind extends Series>(
    type: 'counter' | 'gauge' | 'histogram',
    options: {
      readonly name: string
      readonly help: string
      readonly labels: readonly string[]
      readonly create: () => Kind
    }
  ): Family<Kind> {
    const family = new Family({...options, type, relabel: this.#relabel})
    this.#families.set(options.name, family)
    return family
  }
}
