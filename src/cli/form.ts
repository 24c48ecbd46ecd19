import type {Emit} from '../model/events.ts'
import type {RunOptions} from '../run/run-options.ts'

/** What a form of `run` is made of: the run, what it prints, and its last words. */
export interface Form extends Omit<RunOptions, 'shell' | 'output' | 'isTerminal' | 'emit'> {
  readonly emit: Emit
  /** Nothing of the run is left. */
  readonly ended: () => void
}
