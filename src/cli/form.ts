import type {Emit} from '../model/events.ts'
import type {Run} from '../run/run.ts'
import type {RunOptions} from '../run/run-options.ts'

/** A form of `run` (template or single app): its options, its output, and its last lines. */
export interface Form extends Omit<RunOptions, 'shell' | 'output' | 'isTerminal' | 'emit'> {
  readonly emit: Emit
  /** Called when the start lines are printed. */
  readonly started?: (run: Run) => Promise<void>
  /** Called when the run has ended and everything is cleaned up. */
  readonly ended: () => void
  /** Where the lines of the apps go; omitted: stdout. */
  readonly output?: RunOptions['output']
  /** A signal to us: true if it does not concern the run. */
  readonly takes?: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => boolean
  /** The exit code, in place of that of the run. */
  readonly exitCode?: () => number
}
