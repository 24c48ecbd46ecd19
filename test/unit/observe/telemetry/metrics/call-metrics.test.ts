import t from 'tap'
import {DEFAULT_METRICS} from '../../../../../src/files/resources/defaults.ts'
import {CallMetrics} from '../../../../../src/observe/telemetry/metrics/call-metrics.ts'

t.test('who asks for the text again and again gets an earlier one for a moment', async t => {
  const calls = new CallMetrics('shop', '', DEFAULT_METRICS)
  /** How many workflows have ended, as the text says at that time. */
  const ended = (now: number): number => {
    calls.workflows.record({type: 'ended', workflow: 'order', status: 'success', elapsedMs: 1})
    const [, count = '0'] = /execution_count\{.*\} (\d+)$/m.exec(calls.text(now)) ?? []
    return Number(count)
  }
  t.strictSame([1000, 1001, 1002, 1003, 1004].map(ended), [1, 2, 3, 4, 5])
  t.strictSame([1005, 1006, 1100].map(ended), [5, 5, 5])
  t.equal(ended(1101), 9)
})
