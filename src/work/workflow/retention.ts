import type {Clock} from '../../platform/clock.ts'
import type {WorkflowSettings} from '../../files/resources/workflow-settings.ts'
import type {WakeUps} from '../wake-ups.ts'
import type {Instance} from './instance.ts'
import {COMPLETED, FAILED, TERMINATED} from './status.ts'

const RETENTION = 'workflow-retention'

export interface RetentionOptions {
  readonly wakeUps: WakeUps
  readonly clock: Clock
  readonly settings: (app: string) => WorkflowSettings
  /** The time of an instance that is over has come. */
  readonly expired: (key: number) => void
}

/** Key of the policy for each end; the special one wins (Dapr: pkg/actors/targets/workflow/orchestrator/run.go, handleRetention). */
const ENDS: Readonly<Record<number, 'completed' | 'failed' | 'terminated'>> = {
  [COMPLETED]: 'completed',
  [FAILED]: 'failed',
  [TERMINATED]: 'terminated'
}

/** How long instances that are over are kept. All is called within a change of the file. */
export class Retention {
  readonly #options: RetentionOptions

  constructor(options: RetentionOptions) {
    this.#options = options
    options.wakeUps.serve(RETENTION, ({owner}) => options.expired(owner))
  }

  /** It is over: the policy of its app, as it is now, says how long it stays. */
  limit({app, key, status}: Instance): void {
    const {wakeUps, clock, settings} = this.#options
    const {retention} = settings(app)
    const ms = retention[ENDS[status] ?? 'anyTerminal'] ?? retention.anyTerminal
    if (ms === undefined) return
    wakeUps.add(RETENTION, {due: clock.date() + ms, owner: key, name: '', data: new Uint8Array(0)})
  }

  /** It is gone already. */
  forget(key: number): void {
    this.#options.wakeUps.removeOf(RETENTION, key)
  }
}
