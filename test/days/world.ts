import type {Action, Place} from './steps/step.ts'

/** Where files are saved under calls: which call comes before the save, and the time from one to the next. */
export const EDIT_AFTER = 2
export const BETWEEN_CALLS_MS = 75

/** A process of an app that lives. */
export interface Living {
  readonly id: string
  readonly pid: number
  /** Its parent is the run. */
  readonly isChild: boolean
  /** `PILLION_LIFE`. */
  readonly life: string
  readonly env: Readonly<Record<string, string>>
  /** The text of `version.txt` that it read when it began. */
  readonly text: string
}

/** An app as `ps -o json` tells it. */
export interface Told {
  readonly id: string
  /** From 1 on. */
  readonly instance: number
  readonly state: string
  readonly isReady: boolean
  readonly pid: number
  readonly exitCode: number | null
  readonly httpPort: number
  readonly grpcPort: number
  readonly appPort: number
}

export interface Call {
  readonly number: string
  readonly from: string
  readonly to: string
  /** 0: no answer; undefined: it waits. */
  readonly status: number | undefined
  readonly body: string
}

/** What can be seen of a run. */
export interface Seen {
  /** How the run ended; undefined: it lives. */
  readonly end: string | undefined
  readonly apps: readonly Told[]
  /** The names of the instances that `list` names. */
  readonly listed: readonly string[]
  readonly living: readonly Living[]
  /** Processes that have begun and ended since the last rest. */
  readonly ended: readonly Living[]
  /** The ids of all processes of apps that have begun since the last rest. */
  readonly begun: readonly string[]
  /** The calls that were made since the last rest. */
  readonly calls: readonly Call[]
  /** Numbers of the calls that apps have got since the last rest, each as often as it came. */
  readonly delivered: readonly string[]
  /** What answers at the port of each instance that listens: `<id> <life>`; '': nothing. */
  readonly answers: ReadonlyMap<string, string>
  /** What answers at each number that may be an app's `port`: `<id> <life>`; a status that is ours; `waits`; '' = nothing listens. */
  readonly ports: ReadonlyMap<number, string>
  /** Names of the instances whose sidecar answers. */
  readonly sidecars: ReadonlySet<string>
  /** What the run said that must never be said. */
  readonly outcries: readonly string[]
}

/** Where a walk takes place. */
export interface World extends Place {
  /** A step begins; the number is its own, wherever it stands in a walk. */
  begin(number: number): void
  act(action: Action): Promise<void>
  /** Waits until the run says that nothing is going on; gives why it does not come to rest, '' = it has. */
  rest(): Promise<string>
  look(): Promise<Seen>
  /** What was seen is as it should be: calls and begun processes are counted from here. */
  settle(): void
  /** Ends everything; gives what is left behind. */
  close(): Promise<readonly string[]>
  /** All that was printed. */
  report(): string
}
