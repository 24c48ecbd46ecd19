import type {Triggers} from '../model/triggers.ts'
import type {PendingCall} from '../proxy/gateway/admission-queue.ts'

/** The sleep of one app: it has no process, while its sidecar, ports and addresses stay open. Any need wakes it. */
export interface Sleep {
  /** Whether it waits for its first call instead of starting. */
  readonly beginsAsleep: boolean
  readonly isAsleep: boolean
  /** Whether the app is asleep, and is being started. */
  readonly isWaking: boolean
  /** Triggers besides calls, as its last process has reported. */
  readonly triggers: Triggers
  /** Starts the app for an immediate need. Returns false if it has a process, or is being started already. */
  wake(cause: string): boolean
  /** Starts the app for a need without a limit: an event, an actor, a job. Callers repeat this when its state changes. */
  need(cause: string): void
  /** Called when a dependency is ready: waiting work is tried again at once, despite earlier failures. */
  retry(): void
  /** Called when its process has named its triggers. */
  learn(part: Triggers): void
  /** A worker of it got work. */
  onWork(): void
  /** A call waits in its queue. */
  onWait(call: PendingCall): void
  /** Must be called after each change of its state, once its queue follows it; also when it cannot be started. */
  onMove(): void
}

const nothing = (): void => undefined

/** The sleep of an app that never sleeps. */
export const AWAKE: Sleep = {
  beginsAsleep: false,
  isAsleep: false,
  isWaking: false,
  triggers: {},
  wake: () => false,
  need: nothing,
  retry: nothing,
  learn: nothing,
  onWork: nothing,
  onWait: nothing,
  onMove: nothing
}
