import type * as Api from '../../model/api.generated.ts'
import {readTime} from '../../model/duration.ts'
import {UserError} from '../../model/errors.ts'
import {readEdit} from '../replay/edit.ts'
import {ReplayRefused, type Replay} from '../replay/replayer.ts'
import {callsOf, lastFailed, sendInOrder, type Pace, type Window, type WindowEnd} from '../replay/window.ts'
import {copyOfCall} from '../telemetry/recorder/call-content.ts'
import type {CallRecorder, RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import type {ApiRequest, ApiContext} from './route.ts'
import {recordedCall} from './calls.ts'
import {ApiProblem, givenObject} from './problem.ts'
import {pinsView, replayView} from './replay-view.ts'
import {Turns} from './turns.ts'

/** Unchecked values of a request. */
type Asked = Readonly<Partial<Record<keyof Api.ReplayWishes, unknown>>>

/** Sends one call again. Throws a UserError. */
export async function replayCall(context: ApiContext, number: number, {body, gone}: ApiRequest): Promise<Api.Replay> {
  const asked = askedIn(body === '' ? '{}' : body)
  const [isUnsafe, edit] = [asked.unsafe === true, readEdit(asked.edit)]
  const call = copiedCall(context.recorder, number)
  const {replayer} = await context.replays()
  const replay = await asProblem(async () => replayer.replay(call, {isUnsafe, edit, signal: gone}))
  replayer.context.report(replay)
  return replayView(replay, new Masking(context.masked()))
}

/** Returns the pinned calls. */
export const pinsOf = async ({replays, masked}: ApiContext): Promise<Api.Pins> =>
  pinsView((await replays()).pins, new Masking(masked()))

/** Pins a call. Throws a UserError. */
export async function pinCall(context: ApiContext, {body, gone}: ApiRequest): Promise<Api.Pins> {
  const {call} = givenObject(body, '{"call": 7}')
  if (!isNumber(call)) throw new UserError('call is not a call number', {explanation: 'For example: {"call": 7}'})
  const {pins} = await context.replays()
  await asProblem(async () => pins.add(recordedCall(context.recorder, call), gone))
  return pinsOf(context)
}

/** Unpins one call, or all without a `call`. Throws an ApiProblem for a call that is not pinned. */
export async function unpin(context: ApiContext, call?: number): Promise<Api.Pins> {
  const {pins} = await context.replays()
  if (call === undefined) for (const pin of pins.all) pins.remove(pin.call.number)
  else if (!pins.remove(call)) {
    const known = pins.all.map(pin => pin.call.number.toString())
    const hint = known.length === 0 ? 'No call is pinned.' : `Pinned: ${known.join(', ')}.`
    throw new ApiProblem(404, `call ${call} is not pinned`, hint)
  }
  return pinsOf(context)
}

/** Answers `POST /replays` with one JSON object per call as soon as it is answered. Throws a UserError before anything is sent. */
export async function serveReplays(context: ApiContext, {body, gone, response}: ApiRequest): Promise<undefined> {
  const asked = askedIn(body)
  const isUnsafe = asked.unsafe === true
  const {replayer, pins} = await context.replays()
  const masking = new Masking(context.masked())
  const done = (replay: Replay): void => {
    if (!response.headersSent) response.writeHead(200, {'content-type': 'application/x-ndjson'})
    response.write(`${masking.json(replayView(replay, masking))}\n`)
  }
  if (asked.pinned === true && asked.edit === undefined)
    await pins.sendAll({isUnsafe, isByItself: false, signal: gone, done})
  else {
    const {calls, pace, edit} = await selected(context, asked)
    const send = async (call: RecordedCall, taken: () => void): Promise<void> => {
      const replay = await replayer.tryReplay(call, {isUnsafe, edit, signal: gone, taken})
      replayer.context.report(replay)
      done(replay)
    }
    if (asked.window !== undefined) await sendInOrder(calls, pace, send, gone)
    else for (const call of calls) if (!gone.aborted) await send(call, () => undefined)
  }
  response.end()
  return undefined
}

interface Selection {
  readonly calls: readonly RecordedCall[]
  readonly pace: Pace
  readonly edit?: Api.RequestEdit | undefined
}

async function selected({recorder, work}: ApiContext, asked: Asked): Promise<Selection> {
  const {calls, lastFailed: isLastFailed, window, pace = 'recorded'} = asked
  if (pace !== 'recorded' && pace !== 'answered')
    throw new UserError(`unknown pace ${String(pace)}`, {explanation: 'It is recorded, or answered.'})
  const edit = readEdit(asked.edit)
  if (edit !== undefined && !(isLastFailed === true || (Array.isArray(calls) && calls.length === 1)))
    throw new UserError('an edit is of one call', {explanation: 'For example: {"calls": [7], "edit": {"body": "{}"}}'})
  if (isLastFailed === true) {
    const {gather} = await import('./trace/gather.ts')
    const causes = await gather(recorder, work.openWorkflows(), new Turns(() => recorder.last))
    return {calls: [copiedCall(recorder, lastFailed(recorder, causes))], pace, edit}
  }
  if (window !== undefined) return {calls: callsOf(recorder, windowIn(window)), pace}
  if (Array.isArray(calls) && calls.length > 0 && calls.length <= 1000 && calls.every(isNumber))
    return {calls: calls.map(number => copiedCall(recorder, number)), pace, edit}
  throw new UserError('no calls are named', {
    explanation: 'Give calls (1 to 1,000 numbers), lastFailed, pinned or window: {"calls": [7, 8]}'
  })
}

/** Returns the call with a copy of its bytes, which later calls would overwrite. Throws an ApiProblem if it is not kept. */
const copiedCall = (recorder: CallRecorder, number: number): RecordedCall => copyOfCall(recordedCall(recorder, number))

function windowIn(value: unknown): Window {
  if (typeof value !== 'object' || value === null)
    throw new UserError('the window is not a JSON object', {explanation: 'For example: {"window": {"q": "to:stock"}}'})
  const {from, to, q = ''} = value as {readonly from?: unknown; readonly to?: unknown; readonly q?: unknown}
  if (typeof q !== 'string')
    throw new UserError('q of the window is not a filter', {explanation: 'For example: "to:stock"'})
  return {from: endIn('from', from, 0), to: endIn('to', to, Infinity), q}
}

/** Reads an end of a window. `open`: the time in place of an omitted end. */
function endIn(name: string, value: unknown, open: number): WindowEnd {
  if (value === undefined) return {time: open}
  if (isNumber(value)) return {call: value}
  const time = typeof value === 'string' ? readTime(value) : Number.NaN
  if (!Number.isNaN(time)) return {time}
  throw new UserError(`${name} of the window is neither a call number nor a time`, {
    explanation: 'For example: {"from": "2026-01-31T14:46:28Z", "q": "to:stock"}, or {"from": 100, "to": 250}'
  })
}

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0

const askedIn = (body: string): Asked => givenObject(body, '{"calls": [7]}')

/** Turns the error for a refused replay into a response with status 409. */
async function asProblem<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ReplayRefused) throw new ApiProblem(409, error.message, error.explanation)
    throw error
  }
}
