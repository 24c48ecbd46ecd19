import type {Model} from '../model.ts'
import type {Commands} from '../template.ts'

/** A broker in the memory of the run, or the Redis for which the run stands in. */
export type Bus = 'bus' | 'redis'

/** A store whose keys end with the run, or that Redis. */
export type Store = 'store' | 'kept'

/** What a person would do. Both worlds do it, and it can be printed as a script. */
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
      readonly isGrpc?: boolean
      /** Its `port`, where it is called from outside. */
      readonly port?: number
    }
  | {readonly do: 'publish'; readonly from: string; readonly to: string; readonly count: number; readonly bus: Bus}
  /** A workflow that waits for an event, does an activity, sleeps a moment, and ends. */
  | {readonly do: 'start workflow'; readonly from: string; readonly id: string}
  /** Something of an app is due after so many milliseconds: a job, or a reminder of an actor that it hosts. */
  | {readonly do: 'plan'; readonly kind: 'job' | 'reminder'; readonly from: string; readonly afterMs: number}
  /** The event for which all workflows of an app wait. */
  | {readonly do: 'raise event'; readonly from: string}
  /** So long that what was answered is kept: longer than the 50 ms of the manual, on a busy machine, too. */
  | {readonly do: 'pause'; readonly ms: number}
  /** A stream of events, which stays open over further steps. */
  | {readonly do: 'stream'; readonly from: string; readonly to: string}
  | {
      readonly do: 'save state'
      readonly from: string
      readonly store: Store
      readonly key: string
      readonly value: string
    }
  /** A server writes so many lines at once. */
  | {readonly do: 'flood'; readonly name: string; readonly folder: string; readonly count: number}
  /** SIGSTOP, and SIGCONT a moment later; of the run itself, or of an instance. */
  | {readonly do: 'suspend'; readonly name: string | undefined}
  /** A run of another template, from its start to its end. */
  | {readonly do: 'other run'}
  /** A second run of the same template, from its start to its end: as `run -f .`, or with a name of its own. */
  | {readonly do: 'second run'; readonly isNamed: boolean}
  /** A second `up` in the same folder, which is refused. */
  | {readonly do: 'second up'; readonly flags: readonly string[]}
  /** Somebody else listens on the ports that a stopped instance had, and leaves them. */
  | {readonly do: 'take ports'; readonly name: string}
  | {readonly do: 'free ports'}
  /** For a moment the run may open nothing more, and is called. */
  | {readonly do: 'few descriptors'; readonly from: string; readonly to: string}
  /** An instance writes more than its log file may hold, and writes again when there is room. */
  | {readonly do: 'full disk'; readonly name: string; readonly folder: string}
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
  /** Minutes pass at once there: what takes long may happen. */
  readonly isPatient: boolean
  /** Why no limits can be set for a process; '' = they can. */
  readonly whyNoLimits: string
}

/** Applies a step to the model, and tells what is to be done; undefined: it makes no sense now. */
export type Plan = (model: Model, step: Step, place: Place) => readonly Action[] | undefined

/** Kinds of steps: how often each comes, compared with the others, and its plan. */
export type Kinds = Readonly<Record<string, readonly [weight: number, plan: Plan]>>

export const pick = <T>(all: readonly T[], n: number): T | undefined => all[n % Math.max(1, all.length)]
