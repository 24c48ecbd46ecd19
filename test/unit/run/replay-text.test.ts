import t from 'tap'
import {answerOf} from '../../../src/observe/replay/compare.ts'
import {roundTexts} from '../../../src/run/replay-text.ts'
import {CallRecorder} from '../../../src/observe/telemetry/recorder/call-recorder.ts'
import {Masking} from '../../../src/observe/telemetry/recorder/masking.ts'
import {aCall, aRequest} from '../../rig/made-call.ts'

t.test('a pinned call of an endpoint is named without its secrets', async t => {
  const recorder = new CallRecorder(() => 1000, 64, 64 * 1024)
  const call = aCall({callee: 'https://ada:S3cr3t@idp', path: '/x?token=S3cr3t'})
  recorder.started(call, aRequest(call), 0)
  const recorded = recorder.call(1)
  if (recorded === undefined) throw new Error('it is kept')
  const before = answerOf(recorded)
  const comparison = {
    differences: [{what: 'status', path: '', before: '200', after: '500'}],
    count: 1,
    leftOut: []
  } as const
  const replay = {call: recorded, number: 2, before, after: {...before, status: 500}, comparison, refusal: undefined}
  const round = {number: 1, kind: 'saved', app: 'shop', files: ['shop.mjs'], at: 0} as const
  t.same(roundTexts(round, [replay], new Masking()), [
    'pinned call 1, GET /x?token=<masked, 6 characters>, shop → https://ada:<masked, 6 characters>@idp: 0 → 500, after shop.mjs of "shop" was saved'
  ])
})
