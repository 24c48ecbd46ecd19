import type * as Api from '../../src/model/api.generated.ts'
import {computed} from '@preact/signals'
import {edges} from './run.ts'

/** The calls of the last minute. */
export interface Traffic {
  perSecond: number
  calls: number
  failed: number
  /** The p95 of the slowest edge, in ms. */
  p95Ms: number
}

export const NO_TRAFFIC: Readonly<Traffic> = {perSecond: 0, calls: 0, failed: 0, p95Ms: 0}

function sums(keyOf: (edge: Api.Edge) => string): ReadonlyMap<string, Readonly<Traffic>> {
  const found = new Map<string, Traffic>()
  for (const edge of edges.value) {
    const sum = found.get(keyOf(edge)) ?? {...NO_TRAFFIC}
    sum.perSecond += edge.recent.calls / edge.recent.seconds
    sum.calls += edge.recent.calls
    sum.failed += edge.recent.failed
    sum.p95Ms = Math.max(sum.p95Ms, edge.recent.p95Ms)
    found.set(keyOf(edge), sum)
  }
  return found
}

/** The traffic to each app, by app id. */
export const incoming = computed(() => sums(({to}) => to))
/** The traffic from each app, by app id. */
export const outgoing = computed(() => sums(({from}) => from))
/** The traffic on all edges, of which the run sends the 500 busiest. */
export const whole = computed(() => sums(() => '').get('') ?? NO_TRAFFIC)
