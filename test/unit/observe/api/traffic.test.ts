import t from 'tap'
import {recentTraffic} from '../../../../src/observe/api/traffic.ts'
import {CallRecorder} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {aCall, aRecord, aRequest} from '../../../rig/made-call.ts'

const NOW = 1_000_000

/** A call that took a millisecond, and ended so many seconds before NOW. */
function made(recorder: CallRecorder, {to = 'stock', ago = 0, status = 200}): void {
  const call = aCall({callee: to})
  const request = aRequest(call)
  const endedAt = NOW - ago * 1000
  recorder.started(call, request, endedAt - 1)
  recorder.ended(aRecord({call, request, status, startedAt: endedAt - 1, endedAt}))
}

t.test('calls and failures in spans of five seconds, the latest last', async t => {
  const recorder = new CallRecorder(() => 0, 16)
  t.same((await recentTraffic(recorder, NOW)).apps, [])
  for (const ago of [301, 299, 6, 1]) made(recorder, {ago})
  made(recorder, {ago: 2, status: 503})
  made(recorder, {to: 'mail', ago: 7, status: 404})
  const {seconds, apps} = await recentTraffic(recorder, NOW)
  t.equal(seconds, 5)
  const [stock, mail] = apps.toSorted((a, b) => b.app.localeCompare(a.app))
  t.same([stock?.app, stock?.calls.length, stock?.failed.length], ['stock', 60, 60])
  t.same([stock?.calls[0], stock?.calls.slice(-2), stock?.failed.slice(-2)], [1, [1, 2], [0, 1]])
  t.same(
    [mail?.calls.slice(-2), mail?.failed.slice(-2)],
    [
      [1, 0],
      [0, 0]
    ]
  )
})

t.test('what is no longer kept is not told as if there had been no call', async t => {
  const recorder = new CallRecorder(() => 0, 4)
  for (const ago of [60, 50, 40, 22, 12, 1]) made(recorder, {ago})
  const {apps} = await recentTraffic(recorder, NOW)
  t.same(apps, [{app: 'stock', calls: [0, 0, 0, 1, 0, 1, 0, 1], failed: [0, 0, 0, 0, 0, 0, 0, 0]}])
})
