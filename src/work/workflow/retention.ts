import type {Engine} from './engine.ts'
import type {Instance} from './instance.ts'
import {COMPLETED, FAILED, TERMINATED} from './status.ts'

/** The kind of the wake-ups that end the stay of an instance that is over. */
export const RETENTION = 'workflow-retention'

/** Key of the policy for each end; the special one wins (Dapr: pkg/actors/targets/workflow/orchestrator/run.go, handleRetention). */
const ENDS: Readonly<Record<number, 'completed' | 'failed' | 'terminated'>> = {
  [COMPLETED]: 'completed',
  [FAILED]: 'failed',
  [TERMINATED]: 'terminated'
}

/** It is over: the policy of its app, as it is now, says how long it stays. */
export function keepForRetention({wakeUps, clock, options}: Engine, {app, key, status}: Instance): void {
  const {retention} = options.settings(app)
  const ms = retention[ENDS[status] ?? 'anyTerminal'] ?? retention.anyTerminal
  if (ms === undefined) return
  wakeUps.add(RETENTION, {due: clock.date() + ms, owner: key, name: '', data: new Uint8Array(0)})
}
