import t from 'tap'
import {LatencyHistogram} from '../../../../../src/observe/telemetry/recorder/latency-histogram.ts'

const latencyOf = (...times: readonly number[]): LatencyHistogram => {
  const histogram = new LatencyHistogram()
  for (const ms of times) histogram.add(ms)
  return histogram
}

t.test('a percentile is never below its time, and at most a quarter above it', async t => {
  for (let ms = 0.017; ms < 60_000_000; ms *= 1.07) {
    const told = latencyOf(ms).percentile(0.95)
    t.ok(told >= ms && told <= ms * 1.25, `${ms}: ${told}`)
  }
})

t.test('the borders: nothing, no time, the shortest time, more than any', async t => {
  t.equal(new LatencyHistogram().percentile(0.95), 0)
  t.equal(latencyOf(0).percentile(0.95), 0)
  t.equal(latencyOf(0.016).percentile(0.95), 0.016)
  t.equal(latencyOf(1e12).percentile(0.95), latencyOf(1e15).percentile(0.95))
})

t.test('a percentile is never above the longest time', async t => {
  const histogram = latencyOf(60_400, 60_100)
  for (const share of [0.5, 0.95, 0.99]) t.equal(histogram.percentile(share), 60_400)
})

t.test('the share counts', async t => {
  const histogram = latencyOf(...Array.from({length: 95}, () => 1), ...Array.from({length: 5}, () => 100))
  t.ok(histogram.percentile(0.95) < 1.25)
  t.ok(histogram.percentile(0.96) >= 100)
})
