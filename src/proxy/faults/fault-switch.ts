import type {Faults, FaultActions} from './faults.ts'

/** The faults of a run; their code is loaded with the first of them. */
export interface FaultSwitch extends FaultActions {
  /** Undefined until a fault is added. */
  active: Faults | undefined
}
