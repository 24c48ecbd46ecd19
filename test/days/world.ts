import type {Entry} from './template.ts'
import type {Action, Bus, Place} from './steps/step.ts'

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
  readonly isGrpc?: boolean
}

export interface Published {
  readonly number: string
  readonly from: string
  readonly to: string
  readonly bus: Bus
  /** 204: it was acknowledged; 0: no answer; undefined: it waits. */
  readonly status: number | undefined
}

/** A stream that was open at the last rest, or was opened since. */
export interface Streamed {
  readonly from: string
  readonly to: string
  readonly isOpen: boolean
  /** Something has come since the last rest. */
  readonly hasMoved: boolean
}

/** What can be seen of a run. */
export interface Seen {
  /** How the run ended; undefined: it lives. */
  readonly end: string | undefined
  readonly apps: readonly Told[]
  /** The names of the instances that `list` names. */
  readonly listed: readonly string[]
  readonly living: readonly Living[]
  /** Processes that have begun and ended since the last rest; the real world does not know what they had. */
  readonly ended: readonly Living[]
  /** Processes that should be gone: of earlier runs. */
  readonly strangers: readonly string[]
  /** The ids of all processes of apps that have begun since the last rest. */
  readonly begun: readonly string[]
  /** The calls that were made since the last rest. */
  readonly calls: readonly Call[]
  /** Numbers of the calls that apps have got since the last rest, each as often as it came. */
  readonly delivered: readonly string[]
  /** The events that were published since the last rest. */
  readonly published: readonly Published[]
  /** Numbers of the events that apps have got since the last rest, each as often as it came. */
  readonly received: readonly string[]
  readonly streams: readonly Streamed[]
  /** What answers at the port of each instance that listens: `<id> <life>`; '': nothing. */
  readonly answers: ReadonlyMap<string, string>
  /** What answers at each number that may be an app's `port`: `<id> <life>`; a status that is ours; `waits`; '' = nothing listens. */
  readonly ports: ReadonlyMap<number, string>
  /** Names of the instances whose sidecar answers. */
  readonly sidecars: ReadonlySet<string>
  /** What the run said that must never be said. */
  readonly outcries: readonly string[]
}

/** Where a walk takes place: with real processes, or with invented ones. */
export interface World extends Place {
  /** The files of the programs that these commands name. */
  readonly programs: Readonly<Record<string, string>>
  /** What the first template has in `common` besides `env`. */
  readonly commonKeys: Entry['keys']
  /** A step begins; the number is its own, wherever it stands in a walk. */
  begin(number: number): void
  act(action: Action): Promise<void>
  /** Waits until the run says that nothing is going on; gives why it does not come to rest, '' = it has. */
  rest(): Promise<string>
  look(): Promise<Seen>
  /** Whether looking again may show something else. */
  waits(): Promise<boolean>
  /** What was seen is as it should be: calls and begun processes are counted from here. */
  settle(): void
  /** Ends everything; gives what is left behind. */
  close(): Promise<readonly string[]>
  /** All that was printed. */
  report(): string
}
