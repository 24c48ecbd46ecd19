import type {ActivitySource, TopicBacklog} from '../../../model/activity.ts'
import type {RunEvent} from '../../../model/events.ts'
import {isNamedSo} from '../../../model/plan.ts'
import type {RunLog} from '../../logging/run-log.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import type {CallRecorder} from '../../telemetry/recorder/call-recorder.ts'

/** An instance of an app, as conditions see it. */
export interface WaitedApp {
  readonly id: string
  /** The name, with a number if it is not the first instance. */
  readonly name: string
  /** The name among the instances of all versions. */
  readonly home: string
  /** The name in the log of the run: with the version if its id has several. */
  readonly writer: string
  /** Whether the app accepts calls, or runs if it has no port. */
  readonly isReady: boolean
  /** Whether its process has ended with code 0, and the run does not start it again by itself. */
  readonly isFinished: boolean
  /** Whether the app cannot become ready by itself: it failed permanently, was given up, or was stopped. */
  readonly isOver: boolean
  /** Whether the app never started because a dependency has failed. */
  readonly isGivenUp: boolean
  /** Whether `--except` has left it to the user, who has not started it yet. Only a condition that names it waits for it. */
  readonly isLeftOut: boolean
  /** Whether its process runs, or the run is going to start one. */
  readonly hasProcess: boolean
  /** Whether a save, an edit of the template or a request is about to change its process. */
  readonly isChanging: boolean
  readonly isWatched: boolean
  readonly isRecorded: boolean
  /** Why the app is not ready; '': it is ready. */
  readonly reason: string
}

/** The history of an app; times are those of `performance.now()`. */
export interface AppHistory {
  /** How and when its latest process ended by itself. Undefined if none did. */
  readonly exit: {readonly text: string; readonly at: number} | undefined
  readonly reload: {readonly files: readonly string[]; readonly tookMs: number; readonly at: number} | undefined
}

/** The parts of a run that conditions need. */
export interface WaitContext {
  readonly recorder: CallRecorder
  readonly runLog: RunLog
  readonly apps: () => readonly WaitedApp[]
  /** Opens the workflows of the run. Rejects if their file cannot be opened. */
  readonly workflows: () => Promise<Workflows>
  /** Explains why the run lacks an app of the template; empty if the template lacks it, too. */
  readonly whyAbsent: (id: string) => string
  readonly historyOf: (home: string) => AppHistory
  readonly activity: readonly ActivitySource[]
  readonly backlogs: () => readonly TopicBacklog[]
  /** Numbers of the gRPC calls that are streams now, and the number of unrecorded ones. */
  readonly streams: () => {readonly numbers: ReadonlySet<number>; readonly unrecorded: number}
  /** Whether a line of an app, or of its sidecar, waits to be written to its log file. */
  readonly isWriting: () => boolean
  /** Returns the last line of an app's output; empty if there is none. */
  readonly lastLine: (home: string) => string
  /** Calls the listener with each event of the run. Returns a function that removes the listener. */
  readonly onEvent: (listener: (event: RunEvent) => void) => () => void
  /** Delays the end of the run for a moment, until the answer to a wait is sent. The promise must not reject. */
  readonly holds: (answer: Promise<void>) => Promise<void>
  /** Aborted when the run is stopping, and when it has ended. */
  readonly stopping: AbortSignal
  readonly ended: AbortSignal
  /** Converts between ids of events and moments. */
  readonly events: () => Promise<EventTimes>
}

export interface EventTimes {
  /** Returns the id of this moment. */
  readonly mark: () => number
  /** Returns the time of an event. Undefined if it is not kept, or not of this run. */
  readonly timeOf: (id: number) => Since | undefined
}

/** The moment since which events count. */
export interface Since {
  /** `performance.now()`; -Infinity: from the start of the run. */
  readonly at: number
  /** ms since 1970; 0 if `place` is set. */
  readonly time: number
  /** First batch of the run's log that counts, which distinguishes batches of one millisecond; 0 if `time` is set. */
  readonly place: number
}

/** Returns the instances that a condition names: an id, or a name with a number; empty for all. */
export const appsCalled = (apps: readonly WaitedApp[], called: string): readonly WaitedApp[] =>
  called === '' ? apps : apps.filter(app => isNamedSo(app, called))
