import type {WaitedApp} from './wait-context.ts'

/** The state of a condition. */
export interface Standing {
  /** `impossible`: it can no longer come true. */
  readonly state: 'met' | 'waiting' | 'impossible'
  /** Why it is met, or the missing part. */
  readonly reason: string
  /** The apps that it waits for. */
  readonly apps?: readonly WaitedApp[]
}

/** A condition under watch. */
export interface WaitCheck {
  /** Returns the state at this time. */
  look(now: number): Standing | Promise<Standing>
  close?(): void
}

export const met = (reason: string): Standing => ({state: 'met', reason})
export const waiting = (reason: string): Standing => ({state: 'waiting', reason})
export const impossible = (reason: string): Standing => ({state: 'impossible', reason})
