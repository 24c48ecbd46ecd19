import {DecodeError, encode} from '../../proxy/net/grpc/message-codec.ts'
import {keep} from '../keep.ts'
import type {Engine} from './engine.ts'
import {type ActivityResponse, checkFailure, FAILURE_DETAILS, type TurnResponse} from './messages.ts'
import {holdStalled, postResult} from './inbox.ts'
import {nameOf} from './instance.ts'
import {leftActivity} from './take-up.ts'
import {applyAnswer, type Turn, type TurnStart} from './turn.ts'
import {applyTurn} from './turns.ts'
import {codeStall, unreadableStall, versionStall} from './versions.ts'
import type {ActivityItem} from './work-items.ts'
import {spanOfActivity} from './work-spans.ts'
import type {WorkItem} from './workers.ts'

/* Applies the answers of workers. Logs and ignores an unexpected answer. */

/** Applies a worker's answer to a turn. Resolves after the commit. Throws a DecodeError. */
export async function answerTurn(engine: Engine, app: string, answer: TurnResponse): Promise<void> {
  const {warn} = engine.options
  const {instanceId: id, completionToken} = answer
  const workers = engine.workersOf(app)
  const what = `an answer to a turn of workflow '${id}' is ignored`
  const isEarlier = (of: WorkItem): boolean => !workers.isAnswered(of, completionToken)
  const dropped = [...engine.droppedTurns].find(each => each.isOf({app, id}) && !isEarlier(each))
  if (dropped !== undefined) {
    engine.forgetTurn(dropped)
    return warn(app, `${what}: it waits for none`)
  }
  const replayed = engine.replays.get(nameOf({app, id}))
  if (replayed !== undefined && workers.isInHand(replayed)) {
    if (isEarlier(replayed)) return warn(app, `${what}: it is one to an earlier dispatch`)
    workers.remove(replayed)
    return replayed.answer.resolve(answer)
  }
  const live = engine.live.find(app, id)
  const item = live?.turn
  const start = item?.start
  if (live === undefined || item === undefined || start === undefined) return warn(app, `${what}: it waits for none`)
  if (isEarlier(item)) return warn(app, `${what}: it is one to an earlier dispatch`)
  const turn = readAnswer(start, answer, engine.clock.date())
  const isOther = live.madeAt <= workers.sameCodeSince
  const stall =
    turn instanceof DecodeError
      ? unreadableStall(turn)
      : (versionStall(answer, live.patches) ?? codeStall(live, answer, isOther, warn))
  try {
    await keep(engine, () => {
      // while the file could not be written, the turn may have been sent again
      if (item.start !== start) return
      if (live.turn !== item) return engine.forgetTurn(item)
      live.turn = undefined
      engine.file.afterCommit(() => engine.forgetTurn(item)) // frees the worker
      if (stall !== undefined) holdStalled(engine, live, stall)
      else if (!(turn instanceof DecodeError)) applyTurn(engine, live, turn, start)
    })
  } catch (error) {
    // the worker will not answer again: the next worker gets the turn
    engine.forgetTurn(item)
    if (live.turn === item) live.turn = undefined
    throw error
  }
  if (turn instanceof DecodeError) throw turn
}

/** Returns the result of a turn, or the error if the answer cannot be read. */
function readAnswer(start: TurnStart, answer: TurnResponse, now: number): Turn | DecodeError {
  try {
    return applyAnswer(start, answer, now)
  } catch (error) {
    if (error instanceof DecodeError) return error
    throw error
  }
}

/** Applies a worker's answer to an activity. Resolves after the commit. If a failure cannot be read, fails the activity and throws a DecodeError. */
export async function answerActivity(engine: Engine, app: string, answer: ActivityResponse): Promise<void> {
  try {
    checkFailure(answer.failureDetails)
  } catch (error) {
    const {description: errorMessage} = unreadableStall(error as DecodeError)
    const failureDetails = encode(FAILURE_DETAILS, {errorType: 'DecodeError', errorMessage})
    await endActivity(engine, app, {...answer, failureDetails})
    throw error
  }
  await endActivity(engine, app, answer)
}

async function endActivity(engine: Engine, app: string, answer: ActivityResponse): Promise<void> {
  const {warn, counted} = engine.options
  const {instanceId: id, taskId: task, completionToken: token, failureDetails} = answer
  const workers = engine.workersOf(app)
  // waits for a commit: if the removal of the activity is undone, its answer counts
  if (engine.activities.named(app, id, task).length === 0) await engine.file.settled()
  const all = engine.activities.named(app, id, task)
  const known = all.length > 0 ? all : [leftActivity(engine, app, id, task)].filter(each => each !== undefined)
  const fitting = known.filter(each => workers.isAnswered(each, token))
  const item = fitting.find(each => workers.isInHand(each)) ?? fitting[0]
  const what = `an answer to the activity ${task} of workflow '${id}' is ignored`
  const unknown = `${what}: it has been answered, or is not known`
  if (known.length === 0) return warn(app, unknown)
  if (item === undefined) return warn(app, `${what}: it is one to an earlier dispatch`)
  const {token: sent} = item
  const isAwaited = await endTask(engine, item, answer, sent)
  engine.forget(item, sent)
  if (!isAwaited) return warn(app, unknown)
  const status = failureDetails.length > 0 ? 'failed' : 'success'
  const elapsedMs = performance.now() - item.sentAt
  counted(app, {type: 'activity-ended', activity: item.name, status, elapsedMs})
  spanOfActivity(engine, engine.live.at(item.activity.instance)?.instance, item, failureDetails)
}

/** Removes an activity, with a second item of it that was read after an undone change. Returns whether it was open. `sent`: see `Engine.forget`. */
function removeActivity(engine: Engine, item: ActivityItem, sent?: string): boolean {
  const {activity} = item
  if (!engine.store.endActivity(activity)) return false
  const second = engine.activities.at(activity)
  if (second !== undefined && second !== item) engine.drop(second)
  engine.file.afterCommit(() => engine.forget(item, sent))
  return true
}

/** Posts the result of an activity to its instance. Resolves with false if the instance has a result already. */
async function endTask(engine: Engine, item: ActivityItem, answer: ActivityResponse, sent: string): Promise<boolean> {
  const {result, failureDetails} = answer
  return keep(engine, () => {
    if (!removeActivity(engine, item, sent)) return item.isDropped
    postResult(engine, item.activity, {result, failure: failureDetails.length > 0 ? failureDetails : undefined})
    return true
  })
}
