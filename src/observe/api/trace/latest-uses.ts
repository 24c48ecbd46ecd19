import type {ComponentUse} from '../../../model/call.ts'
import {USES, type ComponentUses} from '../../telemetry/recorder/component-uses.ts'

/** The uses of components that are kept, in the order of their ends. */
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
