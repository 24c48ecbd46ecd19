import type {ServerResponse} from 'node:http'
import {UserError} from '../model/errors.ts'
import type {Pins} from '../replay/pins.ts'
import {ReplayRefused, type Replay} from '../replay/replayer.ts'
import {callsOf, lastFailed, type Window, type WindowEnd} from '../replay/select.ts'
import {sendInOrder, type Pace} from '../replay/sequence.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import type {ApiRequest} from './api-request.ts'
import type {ApiContext} from './api-context.ts'
import {recordedCall} from './calls.ts'
import {ApiProblem, json, notAllowed, type ApiResponse} from './problem.ts'
import {pinsView, replayView} from './replay-view.ts'

/** The calls that are to be sent again: numbers, the latest one that failed, those that are pinned, or a window. */
interface Wishes {
  readonly calls?: unknown
  readonly lastFailed?: unknown
  readonly pinned?: unknown
  readonly window?: unknown
  /** Pace of a window: `recorded` (default) or `answered`. */
  readonly pace?: unknown
  readonly unsafe?: unknown
}

export const isOfReplays = (path: string): boolean =>
  /^\/pins(?:\/|$)/.test(path) || /^\/calls\/\d+\/replay$/.test(path)

/** Answers `POST /calls/{number}/replay`, and all about pins. Throws a UserError. */
export async function answerReplays(context: ApiContext, request: ApiRequest, gone: AbortSignal): Promise<ApiResponse> {
  const {method, path, body} = request
  const masking = new Masking(context.masked())
  const number = /^\/calls\/(\d{1,10})\/replay$/.exec(path)?.[1]
  if (number !== undefined) {
    if (method !== 'POST') return notAllowed(method, 'POST')
    const isUnsafe = wishesIn(body === '' ? '{}' : body).unsafe === true
    const call = recordedCall(context.recorder, Number(number))
    const {replayer} = await context.replays()
    const replay = await asProblem(async () => replayer.replay(call, {isUnsafe, signal: gone}))
    replayer.context.report(replay)
    return json(replayView(replay, masking))
  }
  const {pins} = await context.replays()
  const pinned = /^\/pins\/(\d{1,10})$/.exec(path)?.[1]
  if (pinned !== undefined) {
    if (method !== 'DELETE') return notAllowed(method, 'DELETE')
    if (pins.remove(Number(pinned))) return json(pinsView(pins, masking))
    const known = pins.all.map(({call}) => call.number.toString())
    const hint = known.length === 0 ? 'No call is pinned.' : `Pinned: ${known.join(', ')}.`
    throw new ApiProblem(404, `call ${pinned} is not pinned`, hint)
  }
  if (path !== '/pins') throw new ApiProblem(404, `there is no ${path}`, 'A pin has the number of its call: /pins/7.')
  if (method === 'DELETE') for (const {call} of pins.all) pins.remove(call.number)
  else if (method === 'POST') await pin(context, pins, body, gone)
  else if (method !== 'GET') return notAllowed(method, 'GET, POST or DELETE')
  return json(pinsView(pins, masking))
}

async function pin({recorder}: ApiContext, pins: Pins, body: string, gone: AbortSignal): Promise<void> {
  const {call} = objectIn(body, '{"call": 7}') as {readonly call?: unknown}
  if (!isNumber(call)) throw new UserError('call is not a call number', {explanation: 'For example: {"call": 7}'})
  await asProblem(async () => pins.add(recordedCall(recorder, call), gone))
}

/** Answers `POST /replays`: one JSON object for each call, as soon as it is answered. Throws a UserError before anything is sent. */
export async function serveReplays(context: ApiContext, body: string, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort(new Error('who asked for it has left')))
  const wishes = wishesIn(body)
  const isUnsafe = wishes.unsafe === true
  const {replayer, pins} = await context.replays()
  const masking = new Masking(context.masked())
  const done = (replay: Replay): void => {
    if (!response.headersSent) response.writeHead(200, {'content-type': 'application/x-ndjson'})
    response.write(`${JSON.stringify(replayView(replay, masking))}\n`)
  }
  if (wishes.pinned === true) await pins.sendAll({isUnsafe, isByItself: false, signal: gone.signal, done})
  else {
    const {calls, pace} = selected(context, wishes)
    const send = async (call: RecordedCall, taken: () => void): Promise<void> => {
      const replay = await replayer.tryReplay(call, {isUnsafe, signal: gone.signal, taken})
      replayer.context.report(replay)
      done(replay)
    }
    if (wishes.window === undefined) for (const call of calls) await send(call, () => undefined)
    else await sendInOrder(calls, {pace, send, signal: gone.signal})
  }
  response.end()
}

function selected(
  {recorder}: ApiContext,
  wishes: Wishes
): {readonly calls: readonly RecordedCall[]; readonly pace: Pace} {
  const {calls, lastFailed: isLastFailed, window, pace = 'recorded'} = wishes
  if (pace !== 'recorded' && pace !== 'answered')
    throw new UserError(`unknown pace ${String(pace)}`, {explanation: 'It is recorded, or answered.'})
  if (isLastFailed === true) return {calls: [lastFailed(recorder)], pace}
  if (window !== undefined) return {calls: callsOf(recorder, windowIn(window)), pace}
  if (Array.isArray(calls) && calls.length > 0 && calls.length <= 1000 && calls.every(isNumber))
    return {calls: calls.map(number => recordedCall(recorder, number)), pace}
  throw new UserError('no calls are named', {
    explanation: 'Give calls (1 to 1,000 numbers), lastFailed, pinned or window: {"calls": [7, 8]}'
  })
}

function windowIn(value: unknown): Window {
  if (typeof value !== 'object' || value === null)
    throw new UserError('the window is not a JSON object', {explanation: 'For example: {"window": {"q": "to:stock"}}'})
  const {from, to, q = ''} = value as {readonly from?: unknown; readonly to?: unknown; readonly q?: unknown}
  if (typeof q !== 'string')
    throw new UserError('q of the window is not a filter', {explanation: 'For example: "to:stock"'})
  return {from: endIn('from', from, 0), to: endIn('to', to, Date.now()), q}
}

/** `open`: where it is left out. */
function endIn(name: string, value: unknown, open: number): WindowEnd {
  if (value === undefined) return {time: open}
  if (isNumber(value)) return {call: value}
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw wrongEnd(name)
  return {time}
}

const wrongEnd = (name: string): UserError =>
  new UserError(`${name} of the window is neither a call number nor a time`, {
    explanation: 'For example: {"from": "2026-01-31T14:46:28Z", "q": "to:stock"}, or {"from": 100, "to": 250}'
  })

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0

const wishesIn = (body: string): Wishes => objectIn(body, '{"calls": [7]}')

/** The JSON object of a request. */
function objectIn(body: string, example: string): object {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // said below
  }
  throw new UserError('the body is not a JSON object', {explanation: `For example: ${example}`})
}

/** What cannot be done now, or with this call, is a conflict. */
async function asProblem<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ReplayRefused) throw new ApiProblem(409, error.message, error.explanation)
    throw error
  }
}
