import type {FaultChange} from '../model/fault.ts'
import type {Faults} from './faults.ts'

/** The faults of a run; their code is loaded with the first of them. */
export interface FaultSwitch {
  /** Undefined: there was none yet. */
  active: Faults | undefined
  /** Tells the person at the terminal, and readers of events. */
  readonly tell: (change: FaultChange) => void
  /** Kills the process group of this leader. */
  readonly kill: (pid: number) => void
}
