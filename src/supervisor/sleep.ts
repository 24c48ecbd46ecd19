import type {Triggers} from '../model/triggers.ts'
import type {PendingCall} from '../proxy/gateway/admission-queue.ts'

/** The sleep of one app: it has no process, while its sidecar, ports and addresses stay open. Whatever needs the app wakes it. */
export interface Sleep {
  /** Whether it waits for its first call instead of starting. */
  readonly beginsAsleep: boolean
  readonly isAsleep: boolean
  /** It is asleep, and is being started. */
  readonly isWaking: boolean
  /** What starts it besides calls, as its last process said. */
  readonly triggers: Triggers
  /** Something needs its process, now. False: it has one, or is being started already. */
  wake(cause: string): boolean
  /** What waits as long as it takes needs a process: an event, an actor, a job. To be called again when its state changes. */
  need(cause: string): void
  /** An app that it depends on is there: what needs it is tried again at once, however often that has failed. */
  retry(): void
  /** Its process has said what starts it. */
  learn(part: Triggers): void
  /** A worker of it got work. */
  onWork(): void
  /** A call waits in its queue. */
  onWait(call: PendingCall): void
  /** Must be called after each change of its state, once its queue follows it; also when it cannot be started. */
  onMove(): void
}

const nothing = (): void => undefined

/** That of an app that never sleeps. */
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
