import t from 'tap'
import type {AppPlan} from '../../../../src/model/plan.ts'
import {AppChannel} from '../../../../src/proxy/gateway/app-channel.ts'

const nothing = (): void => undefined

/** What a channel reads of a plan. */
const planWith = (timeoutMs: number): AppPlan =>
  ({
    id: 'shop',
    ready: {timeoutMs},
    channel: {address: '', protocol: 'http', maxConcurrency: 0},
    health: {enabled: false},
    sidecar: {maxBodyBytes: 0}
  }) as unknown as AppPlan

t.test('an edited `ready.timeout` counts for calls, unless the user is about to start the process', async t => {
  const channel = new AppChannel({
    plan: planWith(60_000),
    appPort: 5001,
    explain: () => '',
    healthChanged: nothing,
    probed: nothing,
    invoked: nothing
  })
  t.equal(channel.queue.timeoutMs, 60_000)
  channel.follow(planWith(5000))
  t.equal(channel.queue.timeoutMs, 5000)
  channel.hasPatience = true
  channel.follow(planWith(1000))
  t.equal(channel.queue.timeoutMs, Infinity)
  channel.hasPatience = false
  t.equal(channel.queue.timeoutMs, 1000)
})
