import type {Answer} from '../replay/answer.ts'
import type {Difference, Noise} from '../replay/compare.ts'
import type {Pin, Pins, Round} from '../replay/pins.ts'
import type {Replay} from '../replay/replayer.ts'
import {contentOf} from '../telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'

/** An answer as it is compared. */
export interface AnswerView {
  /** 0: there was none. */
  readonly status: number
  /** Media type, without parameters; '' = none. */
  readonly type: string
  readonly bytes: number
  /** Without the time in the queue. */
  readonly ms: number
  /** '' = it did not fail. */
  readonly failure: string
}

/** The result of a call that was to be sent again. */
export interface ReplayView {
  /** The call that was sent again. */
  readonly call: number
  readonly from: string
  readonly to: string
  readonly method: string
  readonly path: string
  /** The call as which it was sent; 0: it was not sent, or the sidecar has refused it. */
  readonly replay: number
  readonly before: AnswerView
  /** null: it was not sent. */
  readonly after: AnswerView | null
  /** The first ones; secrets are masked. */
  readonly differences: readonly Difference[]
  /** How many there are. */
  readonly differ: number
  /** What differs each time, and is left out. */
  readonly leftOut: readonly string[]
  /** Why it was not sent, and what to do; '' = it was. */
  readonly refusal: string
  readonly hint: string
}

/** A pinned call. */
export interface PinView {
  readonly call: number
  readonly from: string
  readonly to: string
  readonly method: string
  readonly path: string
  /** The latest answer. */
  readonly before: AnswerView
  /** What differs each time, and is left out; null: not known yet. */
  readonly noise: readonly string[] | null
  readonly results: readonly {readonly round: number; readonly replay: ReplayView}[]
}

/** The pinned calls were sent once; `at` is ISO 8601. */
export interface RoundView {
  readonly number: number
  readonly at: string
  readonly kind: 'pinned' | 'saved' | 'asked'
  /** What was saved. */
  readonly app: string
  readonly files: readonly string[]
}

export interface PinsAnswer {
  readonly pins: readonly PinView[]
  /** The latest ones last. */
  readonly rounds: readonly RoundView[]
}

export function replayView(replay: Replay, masking: Masking): ReplayView {
  const {call, number, before, after, comparison, refusal} = replay
  return {
    ...requestOf(call, masking),
    replay: number,
    before: answerView(before),
    after: after === undefined ? null : answerView(after),
    differences: comparison.differences,
    differ: comparison.count,
    leftOut: comparison.leftOut,
    refusal: refusal?.message ?? '',
    hint: refusal?.explanation ?? ''
  }
}

export const pinsView = ({all, rounds}: Pins, masking: Masking): PinsAnswer => ({
  pins: all.map(pin => pinView(pin, masking)),
  rounds: rounds.map(roundView)
})

function pinView({call, before, noise, results}: Pin, masking: Masking): PinView {
  return {
    ...requestOf(call, masking),
    before: answerView(before),
    noise: noise === undefined ? null : noiseView(noise),
    results: results.map(({round, replay}) => ({round, replay: replayView(replay, masking)}))
  }
}

const noiseView = (noise: Noise): readonly string[] => [...noise].toSorted()

const roundView = ({number, at, kind, app, files}: Round): RoundView => ({
  number,
  at: new Date(at).toISOString(),
  kind,
  app,
  files
})

const answerView = ({status, type, bytes, ms, failure}: Answer): AnswerView => ({status, type, bytes, ms, failure})

function requestOf(call: RecordedCall, masking: Masking): Pick<ReplayView, 'call' | 'from' | 'to' | 'method' | 'path'> {
  const {path, request} = contentOf(call)
  const {caller, callee} = call.edgeOf
  return {
    call: call.number,
    from: caller,
    to: callee,
    method: call.method || (request.head.split(' ')[0] ?? ''),
    path: masking.target(path)
  }
}
