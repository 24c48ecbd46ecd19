import {once} from 'node:events'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import t from 'tap'
import type {AppState} from '../../../../src/model/app-state.ts'
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
  channel.applyPlan(planWith(5000))
  t.equal(channel.queue.timeoutMs, 5000)
  channel.waitsWithoutLimit = true
  channel.applyPlan(planWith(1000))
  t.equal(channel.queue.timeoutMs, Infinity)
  channel.waitsWithoutLimit = false
  t.equal(channel.queue.timeoutMs, 1000)
})

t.test('a broken call waits for the end of its process only where the leader has exited', async t => {
  const plan = planWith(60_000)
  const channel = new AppChannel({
    plan,
    appPort: 5001,
    explain: () => '',
    healthChanged: nothing,
    probed: nothing,
    invoked: nothing
  })
  const isEndingAfter = (state: AppState): boolean | undefined => {
    channel.update(state, {isCrashLooping: false, why: ''})
    return channel.pool.process?.isEnding()
  }
  t.equal(isEndingAfter({phase: 'running', pid: 1, ready: true}), false)
  t.equal(
    isEndingAfter({phase: 'running', pid: 1, ready: false}),
    false,
    'node --watch is about to start its server again'
  )
  t.equal(isEndingAfter({phase: 'running', pid: 1, ready: false, isEnding: true}), true)
})

t.test('the health of a process that is being stopped is not checked: calls wait for the next one', async t => {
  const server = createServer((_, response) => response.end()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const conditions = {isCrashLooping: false, why: ''}
  const checked = (): {readonly channel: AppChannel; readonly result: () => Promise<boolean>} => {
    let next = Promise.withResolvers<boolean>()
    const channel = new AppChannel({
      plan: {...planWith(60_000), health: {enabled: true, path: '/', intervalMs: 10, timeoutMs: 1000, threshold: 1}},
      appPort: (server.address() as AddressInfo).port,
      explain: () => '',
      healthChanged: isHealthy => {
        next.resolve(isHealthy)
        next = Promise.withResolvers()
      },
      probed: nothing,
      invoked: nothing
    })
    t.teardown(() => channel.stopHealthChecks())
    channel.update({phase: 'running', pid: 1, ready: true}, conditions)
    return {channel, result: async () => next.promise}
  }
  const [stopping, running] = [checked(), checked()]
  t.same(await Promise.all([stopping.result(), running.result()]), [true, true])
  stopping.channel.update({phase: 'stopping', pid: 1, why: 'watch'}, conditions)
  const ill = running.result()
  server.close()
  server.closeAllConnections()
  t.equal(await ill, false)
  t.same([running.channel.queue.state, stopping.channel.queue.state], ['shut', 'open'])
})

t.test('a call that waits during a reload learns that the health check is what it waits for', async t => {
  const probed = Promise.withResolvers<void>()
  const server = createServer(() => probed.resolve()).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const channel = new AppChannel({
    plan: {...planWith(60_000), health: {enabled: true, path: '/up', intervalMs: 10, timeoutMs: 60_000, threshold: 1}},
    appPort: (server.address() as AddressInfo).port,
    explain: () => '',
    healthChanged: nothing,
    probed: nothing,
    invoked: nothing
  })
  t.teardown(() => channel.stopHealthChecks())
  const {queue} = channel
  queue.pause('reload')
  channel.update({phase: 'starting', pid: 1}, {isCrashLooping: false, why: 'starts'})
  t.equal(queue.reason, 'reload')
  channel.update({phase: 'running', pid: 1, ready: true}, {isCrashLooping: false, why: ''})
  await probed.promise
  t.equal(queue.reason, '"shop" listens, but GET /up has not succeeded yet')
  queue.open()
  t.equal(queue.reason, 'reload')
  queue.unpause('reload')
  t.equal(queue.reason, '')
})
