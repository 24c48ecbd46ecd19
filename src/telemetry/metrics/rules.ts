import type {MetricRule} from '../../resources/metrics-settings.ts'
import type {Relabel} from './family.ts'

/** A metric's name without the prefix, which rules may omit. */
const bare = (metric: string): string => metric.replace(/^dapr_/, '')

/** Applies `spec.metrics.rules` to the labels of a metric, in order. */
export function relabelBy(rules: readonly MetricRule[]): Relabel {
  if (rules.length === 0) return (_metric, _label, value) => value
  const byKey = Map.groupBy(rules, ({metric, label}) => `${bare(metric)} ${label}`)
  return (metric, label, value) =>
    (byKey.get(`${bare(metric)} ${label}`) ?? []).reduce((text, {replace}) => replace(text), value)
}
