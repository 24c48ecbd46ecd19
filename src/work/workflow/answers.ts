import {decode} from '../../proxy/net/grpc/message-codec.ts'
import {keep} from '../keep.ts'
import type {Engine} from './engine.ts'
import {type ActivityResponse, checkFailure, type Event, eventOf, type TurnResponse} from './messages.ts'
import {CHILD_REQUEST, FAR_ANSWER} from './far-messages.ts'
import {hold, post} from './inbox.ts'
import type {Replayed} from './replayed-turns.ts'
import {leftActivity} from './take-up.ts'
import {applyAnswer} from './turn.ts'
import {applyTurn} from './turns.ts'
import {codeStall, versionStall} from './versions.ts'
import type {ActivityItem} from './work-items.ts'

/* What workers answer. Answers to unknown tasks are logged and ignored. */

/** A workflow waits for an activity. */
const ATTENDED = {isDetached: false, isEnded: false}

/** Of a turn. Settles when that is kept. Throws a DecodeError. */
export async function answerTurn(engine: Engine, app: string, answer: TurnResponse): Promise<void> {
  const {warn} = engine.options
  const {instanceId: id, completionToken} = answer
  const replayed = engine.replays.find(app, id)
  const workers = engine.workersOf(app)
  if (replayed !== undefined && workers.isInHand(replayed)) return answerReplayed(engine, replayed, answer)
  const what = `an answer to a turn of workflow '${id}' is ignored`
  const dropped = [...engine.droppedTurns].find(
    each => each.isOf({app, id}) && workers.isAnswered(each, completionToken)
  )
  if (dropped !== undefined) {
    engine.forgetTurn(dropped)
    return warn(app, `${what}: it waits for none`)
  }
  const live = engine.live.find(app, id)
  const item = live?.turn
  const start = item?.start
  if (live === undefined || item === undefined || start === undefined) return warn(app, `${what}: it waits for none`)
  if (!workers.isAnswered(item, completionToken)) return warn(app, `${what}: it is one to an earlier dispatch`)
  const turn = applyAnswer(start, answer, engine.clock.date())
  const isNewer = workers.latest > live.instance.updated
  const stall = versionStall(answer, live.patches) ?? codeStall(live, answer, isNewer, warn)
  try {
    await keep(engine, () => {
      if (live.turn !== item) return engine.forgetTurn(item)
      // what could not be written the first time may have been sent again
      if (item.start !== start) return
      engine.endTurn(live)
      if (stall === undefined) applyTurn(engine, live, turn, start)
      else hold(engine, live, stall)
    })
  } catch (error) {
    // nobody answers it once more: it comes again
    workers.remove(item)
    if (live.turn === item) live.turn = undefined
    throw error
  }
}

function answerReplayed(engine: Engine, item: Replayed, answer: TurnResponse): void {
  const {app, id} = item
  const workers = engine.workersOf(app)
  if (!workers.isAnswered(item, answer.completionToken))
    return engine.options.warn(
      app,
      `an answer to a turn of workflow '${id}' is ignored: it is one to an earlier dispatch`
    )
  workers.remove(item)
  item.answered(answer)
}

/** Of an activity. Settles when that is kept. Throws a DecodeError. */
export async function answerActivity(engine: Engine, app: string, answer: ActivityResponse): Promise<void> {
  const {warn, counted} = engine.options
  const {instanceId: id, taskId: task, completionToken: token, failureDetails} = answer
  checkFailure(failureDetails)
  const workers = engine.workersOf(app)
  const all = engine.activities.named(app, id, task)
  const known = all.length > 0 ? all : [leftActivity(engine, app, id, task)].filter(each => each !== undefined)
  const fitting = known.filter(each => workers.isAnswered(each, token))
  const item = fitting.find(each => workers.isInHand(each)) ?? fitting[0]
  const what = `an answer to the activity ${task} of workflow '${id}' is ignored`
  const unknown = `${what}: it has been answered, or is not known`
  if (known.length === 0) return warn(app, unknown)
  if (item === undefined) return warn(app, `${what}: it is one to an earlier dispatch`)
  if (!(await endTask(engine, item, answer))) return warn(app, unknown)
  engine.forget(item)
  item.answered?.(answer)
  const status = failureDetails.length > 0 ? 'failed' : 'success'
  const elapsedMs = performance.now() - item.sentAt
  counted(app, {type: 'activity-ended', activity: item.name, status, elapsedMs})
  engine.spans.activityOver(engine.live.at(item.activity.instance)?.instance, item, failureDetails)
}

/** Its instance gets the result; false: it has one. */
async function endTask(
  engine: Engine,
  item: ActivityItem,
  {taskId, result, failureDetails}: ActivityResponse
): Promise<boolean> {
  if (item.answered !== undefined) return true
  const {instance, taskExecution: taskExecutionId} = item.activity
  const event: Event =
    failureDetails.length > 0
      ? {taskFailed: {taskScheduledId: taskId, failureDetails, taskExecutionId}}
      : {taskCompleted: {taskScheduledId: taskId, result, taskExecutionId}}
  return keep(engine, () => {
    if (!engine.store.endActivity(item.activity)) return item.isDropped
    post(engine, instance, {kind: 'result', name: '', event: eventOf(engine.clock.date(), event)})
    return true
  })
}

/** Of another run, which has done a task of ours. Settles when that is kept. Throws a DecodeError. */
export async function answerFar(engine: Engine, app: string, bytes: Uint8Array): Promise<void> {
  const {instanceId: id, taskId: task, completionToken, result, failureDetails, isFailed} = decode(FAR_ANSWER, bytes)
  const queue = engine.far.of(app)
  const item = engine.activities
    .named(app, id, task)
    .find(each => queue.isInHand(each) && queue.isAnswered(each, completionToken))
  if (item === undefined) return
  await keep(engine, () => {
    const {instance, taskExecution: taskExecutionId, request} = item.activity
    if (!engine.store.endActivity(item.activity)) return
    const {isDetached, isEnded} = item.isChild ? decode(CHILD_REQUEST, request) : ATTENDED
    if (isDetached || isEnded) return
    const ended = {taskScheduledId: task, result, taskExecutionId}
    const failure = {taskScheduledId: task, failureDetails, taskExecutionId}
    const done: Event = item.isChild ? {childCompleted: ended} : {taskCompleted: ended}
    const undone: Event = item.isChild ? {childFailed: failure} : {taskFailed: failure}
    const router = {sourceAppID: app, targetAppID: item.source}
    const event = {...(isFailed ? undone : done), ...(item.isChild && {router})}
    post(engine, instance, {kind: 'result', name: '', event: eventOf(engine.clock.date(), event)})
  })
  engine.far.remove(item)
}
