import type {RunEvents} from '../observe/api/events/run-events.ts'
import type {EventTimes, WaitContext, WaitedApp} from '../observe/api/wait/wait-context.ts'
import type {Routes} from '../proxy/gateway/routes.ts'
import {decoded} from '../model/bytes.ts'
import type {RunLog} from '../observe/logging/run-log.ts'
import type {ActivitySource, TopicBacklog} from '../model/activity.ts'
import type {RunEvent} from '../model/events.ts'
import {takesCalls} from '../model/availability.ts'
import {pause} from '../platform/delay.ts'
import type {OpenSidecar} from '../dapr/sidecar/open-sidecar.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {Changes} from './edits/changes.ts'
import type {CallRecorder} from '../observe/telemetry/recorder/call-recorder.ts'
import type {Apps} from './apps/apps.ts'
import type {RunRecorder} from './run-recorder.ts'
import type {RunWork} from './run-work.ts'

export interface RunWaitsOptions {
  readonly recorder: RunRecorder
  readonly sidecars: ReadonlyMap<AppRuntime, OpenSidecar>
  readonly apps: () => Apps
  readonly changes: () => Changes
  readonly routes: () => Routes<AppRuntime>
  readonly runLog: () => RunLog
  readonly events: () => Promise<RunEvents>
  readonly isStopping: boolean
  readonly work: () => RunWork
}

/** How many batches of the whole output are searched for an app's last line. */
const MAX_BATCHES = 10_000
const MAX_LINE = 1000
/** How long clients have to read their answers at the end of a run. */
const ANSWER_MS = 500

/** Facts of a run for clients that wait for its conditions, created by the first. */
export class RunWaits implements WaitContext {
  readonly #options: RunWaitsOptions
  readonly #listeners = new Set<(event: RunEvent) => void>()
  readonly #stopping = new AbortController()
  readonly #ended = new AbortController()
  readonly #answers = new Set<Promise<void>>()
  #moves = 0

  constructor(options: RunWaitsOptions) {
    this.#options = options
    if (options.isStopping) this.#stopping.abort()
  }

  noticed(event: RunEvent): void {
    this.#moves++
    if (event.type === 'stopping') this.#stopping.abort()
    for (const listener of this.#listeners) listener(event)
  }

  readonly holds: WaitContext['holds'] = async answer => {
    this.#answers.add(answer)
    await answer
    this.#answers.delete(answer)
  }

  /** Called when the run has ended; settles when all waiting clients have their answers. */
  async close(): Promise<void> {
    this.#ended.abort()
    const given = new AbortController()
    await Promise.race([Promise.all(this.#answers), pause(ANSWER_MS, given.signal)])
    given.abort()
  }

  get recorder(): CallRecorder {
    return this.#options.recorder.calls
  }

  get runLog(): RunLog {
    return this.#options.runLog()
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  get ended(): AbortSignal {
    return this.#ended.signal
  }

  readonly apps = (): readonly WaitedApp[] => this.#runtimes.map(runtime => this.#view(runtime))

  readonly workflows: WaitContext['workflows'] = async () => (await this.#options.work().known()).workflows

  /** The reason as a sentence, without the brackets around it in errors of calls. */
  readonly whyAbsent: WaitContext['whyAbsent'] = id =>
    this.#options
      .apps()
      .whyStopped(id)
      .replaceAll(/^\[|\]$/g, '')

  readonly historyOf: WaitContext['historyOf'] = home => this.#options.recorder.historyOf(home)

  readonly onEvent: WaitContext['onEvent'] = listener => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly events = async (): Promise<EventTimes> => {
    const events = await this.#options.events()
    return {mark: () => events.mark(), timeOf: id => events.momentOf(id)}
  }

  readonly lastLine: WaitContext['lastLine'] = home => {
    const writer = this.#runtimes.find(runtime => runtime.home === home)?.logs.app.runLog
    let left = MAX_BATCHES
    for (const batch of this.runLog.latest()) {
      if (left-- === 0) break
      // our own lines about an app are not its output
      if (batch.writer !== writer || batch.stream === 'status') continue
      const line = decoded(batch.text).trimEnd().split('\n').at(-1) ?? ''
      if (line !== '') return line.slice(0, MAX_LINE)
    }
    return ''
  }

  readonly isWriting = (): boolean =>
    this.#runtimes.some(({logs}) => logs.app.record.isWriting || logs.sidecar.isWriting)

  readonly streams: WaitContext['streams'] = () => {
    const numbers = new Set<number>()
    let unrecorded = 0
    for (const {queue} of this.#runtimes) {
      for (const {stream, number = 0} of queue.inFlight.keys()) {
        if (stream?.isStream !== true) continue
        if (number === 0) unrecorded++
        else numbers.add(number)
      }
    }
    return {numbers, unrecorded}
  }

  readonly backlogs = (): readonly TopicBacklog[] =>
    [...this.#options.sidecars.values()].flatMap(({backlogs}) => backlogs)

  readonly activity: readonly ActivitySource[] = [
    {busy: () => this.#movingApp(), count: () => this.#moves},
    {busy: () => this.#change(), count: () => 0},
    {busy: () => this.#copies(), count: () => this.#options.routes().copies.begun}
  ]

  get #runtimes(): readonly AppRuntime[] {
    return this.#options.apps().all
  }

  #view(runtime: AppRuntime): WaitedApp {
    const {id, name, home, plan, logs, availability} = runtime
    const isStopped = availability === 'stopped'
    const isReady = takesCalls(availability)
    const changes = this.#options.changes()
    const isChanging = !isStopped && (changes.isTemplateChanging || changes.isChanging(runtime))
    const isOver = availability === 'never' || isStopped
    return {
      id,
      name,
      home,
      writer: logs.app.runLog.name,
      isReady,
      isFinished: availability === 'finished' && !isChanging,
      isGivenUp: runtime.isGivenUp,
      isOver: isOver && !isChanging,
      isLeftOut: isStopped && runtime.isExcepted,
      hasProcess: !isOver && availability !== 'finished',
      isChanging,
      isWatched: plan.watch.paths.length > 0,
      isRecorded: runtime.wanted.record.bodyBytes >= 0,
      reason: isReady ? '' : this.#whyNot(runtime, isStopped)
    }
  }

  #whyNot({id, name, queue}: AppRuntime, isStopped: boolean): string {
    if (isStopped) return this.whyAbsent(id)
    return queue.reason === '' ? `"${name}" is not ready` : queue.reason
  }

  /** Describes an app that starts, stops, or waits for a timed restart; '' without one. */
  #movingApp(): string {
    for (const runtime of this.#runtimes) {
      const {name, app, plan, queue} = runtime
      const {state} = app
      const isOurs = plan.command.length > 0 && !runtime.isDebugged
      if (!isOurs || runtime.isStopped || runtime.isGivenUp) continue
      const isRestarting = state.phase === 'backoff' && state.until !== Infinity
      const isStarting = state.phase === 'idle' && runtime.obstacle === ''
      const isGettingReady = state.phase === 'running' && (!state.ready || queue.state === 'held')
      if (isRestarting || isStarting || isGettingReady || state.phase === 'starting' || state.phase === 'stopping')
        return queue.reason === '' ? `"${name}" is ${state.phase}` : queue.reason
    }
    return ''
  }

  /** Describes a change of files that is being handled, or is about to be; '' without one. */
  #change(): string {
    const changes = this.#options.changes()
    if (changes.isTemplateChanging) return 'the template has changed'
    const changing = this.#runtimes.find(runtime => changes.isChanging(runtime))
    return changing === undefined ? '' : `"${changing.name}" is being reloaded`
  }

  #copies(): string {
    const {open} = this.#options.routes().copies
    return open === 0 ? '' : `${open} copies of calls for shadows are under way`
  }
}
