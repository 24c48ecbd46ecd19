import type {Environment} from '../../model/environment.ts'
import type {Pins} from '../replay/pins.ts'
import type {Replayer} from '../replay/replayer.ts'
import type {RunEvents} from './events/run-events.ts'
import type {RunFacts} from './run-facts.ts'
import type {WaitContext} from './wait/wait-context.ts'

/** The path of a run's template. */
export interface TemplateSource {
  /** Absolute paths; empty: it has none. */
  readonly files: readonly string[]
  readonly isStdin: boolean
  /** The environment that it is resolved against. */
  readonly env: Environment
}

/** Replays calls of a run. */
export interface Replays {
  readonly replayer: Replayer
  readonly pins: Pins
}

/** What answers to requests are made from. */
export interface ApiContext extends RunFacts {
  /** Replays calls; loaded by the first request that needs it. */
  readonly replays: () => Promise<Replays>
  /** The events of the run; loaded by the first request that needs them. */
  readonly events: () => Promise<RunEvents>
  /** Evaluates conditions; loaded by the first request that needs it. */
  readonly waits: () => Promise<WaitContext>
  readonly template: TemplateSource
}
