import {test} from 'tap'
import {pauseAfter} from '../../../src/platform/probe.ts'

test('attempts are 5 ms apart for one second, 25 ms up to ten, then 250 ms', async t => {
  t.same(
    [0, 999, 1000, 9999, 10_000, 3_600_000].map(ms => pauseAfter(ms)),
    [5, 5, 25, 25, 250, 250]
  )
  t.same(
    [1, 10, 100, 200].map(probed => pauseAfter(0, probed)),
    [5, 5, 50, 100],
    'the more apps, the longer'
  )
})
