import {decode} from '../../proxy/net/grpc/message-codec.ts'
import {keep} from '../keep.ts'
import type {WorkFile} from '../work-file.ts'
import type {Engine, EngineOptions} from './engine.ts'
import {type ActivityResponse, checkFailure, type Event, eventOf, type TurnResponse} from './messages.ts'
import {CHILD_REQUEST, FAR_ANSWER} from './far-messages.ts'
import type {Replayed} from './replayed-turns.ts'
import {applyAnswer} from './turn.ts'
import {codeStall, versionStall, type Stall} from './versions.ts'
import type {ActivityItem, LiveInstance} from './work-items.ts'
import type {WorkflowStore} from './workflow-store.ts'

interface AnswersOptions extends Pick<EngineOptions, 'clock' | 'warn' | 'counted'> {
  readonly file: WorkFile
  readonly store: WorkflowStore
  readonly engine: Engine
}

/** A workflow waits for an activity. */
const ATTENDED = {isDetached: false, isEnded: false}

/** Applies what workers answer. Answers to unknown tasks are logged and ignored. */
export class Answers {
  readonly #options: AnswersOptions

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  /** Of a turn. Settles when that is kept. Throws a DecodeError. */
  async turn(app: string, answer: TurnResponse): Promise<void> {
    const {engine, clock} = this.#options
    const {instanceId: id, completionToken} = answer
    const replayed = engine.replays.find(app, id)
    const workers = engine.workersOf(app)
    if (replayed !== undefined && workers.isInHand(replayed)) return this.#replayed(replayed, answer)
    const live = engine.live.find(app, id)
    const start = live?.turn?.start
    const what = `an answer to a turn of workflow '${id}' is ignored`
    if (live?.turn === undefined || start === undefined) return this.#ignore(app, `${what}: it waits for none`)
    if (!workers.isAnswered(live.turn, completionToken))
      return this.#ignore(app, `${what}: it is one to an earlier dispatch`)
    const turn = applyAnswer(start, answer, clock.date())
    const stall = versionStall(answer, live.patches) ?? this.#codeStall(live, answer)
    await keep(this.#options, () => {
      // what could not be written the first time may have been sent again
      if (live.turn?.start !== start) return
      workers.remove(live.turn)
      live.turn = undefined
      if (stall === undefined) engine.apply(live, turn, start)
      else engine.turns.hold(live, stall)
    })
  }

  #replayed(item: Replayed, answer: TurnResponse): void {
    const {app, id} = item
    const workers = this.#options.engine.workersOf(app)
    if (!workers.isAnswered(item, answer.completionToken))
      return this.#ignore(app, `an answer to a turn of workflow '${id}' is ignored: it is one to an earlier dispatch`)
    workers.remove(item)
    item.answered(answer)
  }

  /** Of an activity. Settles when that is kept. Throws a DecodeError. */
  async activity(app: string, answer: ActivityResponse): Promise<void> {
    const {engine} = this.#options
    const {instanceId: id, taskId: task, completionToken: token, failureDetails} = answer
    checkFailure(failureDetails)
    const workers = engine.workersOf(app)
    const all = engine.activities.named(app, id, task)
    const known = all.length > 0 ? all : [engine.leftActivity(app, id, task)].filter(each => each !== undefined)
    const fits = known.filter(each => workers.isAnswered(each, token))
    const item = fits.find(each => workers.isInHand(each)) ?? fits[0]
    const what = `an answer to the activity ${task} of workflow '${id}' is ignored`
    if (known.length === 0) return this.#ignore(app, `${what}: it has been answered, or is not known`)
    if (item === undefined) return this.#ignore(app, `${what}: it is one to an earlier dispatch`)
    const outcome = await this.#ended(item, answer)
    if (outcome === 'known') return this.#ignore(app, `${what}: it has been answered, or is not known`)
    engine.tasks.forget(item)
    item.answered?.(answer)
    const status = failureDetails.length > 0 ? 'failed' : 'success'
    const elapsedMs = performance.now() - item.sentAt
    this.#options.counted(app, {type: 'activity-ended', activity: item.name, status, elapsedMs})
    engine.spans.activityOver(engine.live.at(item.activity.instance)?.instance, item, failureDetails)
  }

  /** Its instance gets the result. `known`: it has one. */
  async #ended(item: ActivityItem, {taskId, result, failureDetails}: ActivityResponse): Promise<'known' | 'ended'> {
    if (item.answered !== undefined) return 'ended'
    const {engine, store, clock} = this.#options
    const {instance, taskExecution: taskExecutionId} = item.activity
    const event: Event =
      failureDetails.length > 0
        ? {taskFailed: {taskScheduledId: taskId, failureDetails, taskExecutionId}}
        : {taskCompleted: {taskScheduledId: taskId, result, taskExecutionId}}
    return keep(this.#options, () => {
      if (!store.endActivity(item.activity)) return item.isDropped ? 'ended' : 'known'
      engine.turns.post(instance, {kind: 'result', name: '', event: eventOf(clock.date(), event)})
      return 'ended'
    })
  }

  /** Of another run, which has done a task of ours. Settles when that is kept. Throws a DecodeError. */
  async far(app: string, bytes: Uint8Array): Promise<void> {
    const {instanceId: id, taskId: task, completionToken, result, failureDetails, isFailed} = decode(FAR_ANSWER, bytes)
    const {engine, store, clock} = this.#options
    const queue = engine.far.of(app)
    const item = engine.activities
      .named(app, id, task)
      .find(each => queue.isInHand(each) && queue.isAnswered(each, completionToken))
    if (item === undefined) return
    await keep(this.#options, () => {
      const {instance, taskExecution: taskExecutionId, request} = item.activity
      if (!store.endActivity(item.activity)) return
      const {isDetached, isEnded} = item.isChild ? decode(CHILD_REQUEST, request) : ATTENDED
      if (isDetached || isEnded) return
      const ended = {taskScheduledId: task, result, taskExecutionId}
      const failure = {taskScheduledId: task, failureDetails, taskExecutionId}
      const done: Event = item.isChild ? {childCompleted: ended} : {taskCompleted: ended}
      const undone: Event = item.isChild ? {childFailed: failure} : {taskFailed: failure}
      const router = {sourceAppID: app, targetAppID: item.source}
      const event = {...(isFailed ? undone : done), ...(item.isChild && {router})}
      engine.turns.post(instance, {kind: 'result', name: '', event: eventOf(clock.date(), event)})
    })
    engine.far.remove(item)
  }

  #codeStall(live: LiveInstance, answer: TurnResponse): Stall | undefined {
    const {engine, warn} = this.#options
    const {app, updated} = live.instance
    return codeStall(live, answer, engine.workersOf(app).latest > updated, warn)
  }

  #ignore(app: string, text: string): void {
    this.#options.warn(app, text)
  }
}
