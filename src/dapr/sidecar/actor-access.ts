import type {ComponentResource} from '../../files/resources/components.ts'
import type {ActorCounts} from '../../model/work-event.ts'
import type {LogLevel} from '../../model/plan.ts'
import type {FaultSwitch} from '../../proxy/faults/faults.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import type {ComponentPolicies} from '../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {ActorAnswer, ActorRequest} from '../../work/actor/actor-host.ts'
import type {HostedAt} from '../../work/actor/actor-table.ts'
import type {Actors} from '../../work/actor/actors.ts'
import type {Reminders} from '../../work/actor/reminders.ts'

/** Access of one sidecar to the actors of the run. */
export interface ActorAccess {
  readonly load: () => Promise<Actors>
  readonly reminders: () => Promise<Reminders>
  /** Calls an actor of an app of another run. Resolves with undefined if no run hosts the type. Never rejects. */
  readonly elsewhere: (request: ActorRequest) => Promise<ActorAnswer | undefined>
  /** Returns the active actors of an instance by type; undefined: it hosts none. */
  readonly hostedAt: (runtime: AppRuntime) => HostedAt | undefined
  /** Returns the numbers of actors, by type, that an instance hosts. */
  readonly countsOf: (runtime: AppRuntime) => Promise<readonly ActorCounts[]>
  readonly faults: Pick<FaultSwitch, 'active'> | undefined
  /** Called when a process has reported its types, or its state has changed, so that calls that wait for a host check again. */
  readonly onTypes: () => void
}

export interface SidecarActorsOptions {
  readonly runtime: AppRuntime
  readonly context: CallContext
  readonly actors: ActorAccess
  /** The policies of the app; undefined: there are none. */
  readonly policies: () => ComponentPolicies | undefined
  readonly log: (level: LogLevel, message: string) => void
  readonly components: () => readonly ComponentResource[]
  /** Logs a warning, and shows it on the terminal. */
  readonly warn: (text: string) => void
}
