import type {Rig} from '../../test/rig/rig.ts'

/** A kind of load that can go on for any time. */
export interface Soak {
  readonly name: string
  open(rig: Rig): Promise<OpenSoak>
}

export interface OpenSoak {
  /** The process of ours that is looked at, with what belongs to it. */
  readonly pid: number
  /** Has it collect its garbage before a look, where that hides what is kept. */
  readonly settle?: () => Promise<unknown>
  /** A second or so of load; gives how many calls were made. */
  step(): Promise<number>
  /** Ends the run. */
  close(): Promise<void>
}
