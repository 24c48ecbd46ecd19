import type * as Api from '../../model/api.generated.ts'
import type {CallAnswer, Noise} from '../replay/compare.ts'
import type {Pin, Pins, Round} from '../replay/pins.ts'
import type {Replay} from '../replay/replayer.ts'
import {contentOf, methodOf} from '../telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'

export function replayView(replay: Replay, masking: Masking): Api.Replay {
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

export const pinsView = ({all, rounds}: Pins, masking: Masking): Api.Pins => ({
  pins: all.map(pin => pinView(pin, masking)),
  rounds: rounds.map(roundView)
})

function pinView({call, before, noise, results}: Pin, masking: Masking): Api.Pin {
  return {
    ...requestOf(call, masking),
    before: answerView(before),
    noise: noise === undefined ? null : noiseView(noise),
    results: results.map(({round, replay}) => ({round, replay: replayView(replay, masking)}))
  }
}

const noiseView = (noise: Noise): readonly string[] => [...noise].toSorted()

const roundView = ({number, at, kind, app, files}: Round): Api.Round => ({
  number,
  at: new Date(at).toISOString(),
  kind,
  app,
  files
})

const answerView = ({status, type, bytes, ms, failure}: CallAnswer): Api.Answer => ({status, type, bytes, ms, failure})

function requestOf(call: RecordedCall, masking: Masking): Pick<Api.Replay, 'call' | 'from' | 'to' | 'method' | 'path'> {
  const content = contentOf(call)
  const {caller, callee} = call.edgeOf
  return {
    call: call.number,
    from: caller,
    to: callee,
    method: methodOf(call, () => content),
    path: masking.target(content.path)
  }
}
