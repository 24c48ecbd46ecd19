import type {Model} from '../model.ts'
import type {Commands} from '../template.ts'

/** What a person would do; it can be printed as a script. */
export type Action =
  | {readonly do: 'write'; readonly files: Readonly<Record<string, string>>}
  /** Files are saved while apps are called. */
  | {
      readonly do: 'write under calls'
      readonly files: Readonly<Record<string, string>>
      readonly from: string
      readonly to: string
      readonly count: number
      /** Its `port`, where it is called from outside. */
      readonly port?: number
    }
  /** So many further files in each of these folders, all at once, as a switch of branches writes them. */
  | {readonly do: 'write many'; readonly folders: readonly string[]; readonly count: number; readonly text: string}
  /** `isLeft`: what comes next does not wait until it has ended. */
  | {readonly do: 'pillion'; readonly args: readonly string[]; readonly isLeft?: boolean}
  | {readonly do: 'up'; readonly args: readonly string[]}
  /** `name` is that of an instance: `a.2`. */
  | {readonly do: 'kill app'; readonly name: string; readonly signal: 'SIGKILL' | 'SIGUSR2'}
  | {readonly do: 'kill run'}
  | {
      readonly do: 'call'
      readonly from: string
      readonly to: string
      readonly count: number
      /** Its `port`, where it is called from outside. */
      readonly port?: number
    }
  /** The date jumps; what has passed since does not. */
  | {readonly do: 'clock jumps'; readonly ms: number}
  /** Waits until nothing goes on any more. */
  | {readonly do: 'rest'}

/** One step of a walk: plain numbers, so that it means something in every state, and can be left out when a failure shrinks. */
export interface Step {
  readonly kind: string
  /** Chooses an app, or another thing, of those that there are. */
  readonly a: number
  readonly b: number
  /** The next step follows without a rest. */
  readonly isHurried: boolean
}

/** What a step needs to know of the world. */
export interface Place {
  readonly commands: Commands
  /** Numbers that apps may have as their `port`. */
  readonly ports: readonly number[]
}

/** Applies a step to the model, and tells what is to be done; undefined: it makes no sense now. */
export type Plan = (model: Model, step: Step, place: Place) => readonly Action[] | undefined

/** Kinds of steps: how often each comes, compared with the others, and its plan. */
export type Kinds = Readonly<Record<string, readonly [weight: number, plan: Plan]>>

export const pick = <T>(all: readonly T[], n: number): T | undefined => all[n % Math.max(1, all.length)]
