import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {component, publish, subscribed} from './pubsub-shop.ts'

const CHECKED = {
  enableAppHealthCheck: true,
  appHealthCheckPath: 'health',
  appHealthProbeInterval: 1,
  appHealthThreshold: 1
}

t.test('an app that is not healthy is not called, and is called again when it is', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true, ...CHECKED}, {appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  const early = shop.fetch('/v1.0/invoke/stock/method/pears')
  await stock.listen()
  const probe = await stock.nextRequest()
  t.match(probe, {method: 'GET', url: '/health'})
  t.same(
    Object.keys(probe.headers).filter(name => name.startsWith('dapr') || name.startsWith('trace')),
    []
  )
  await stock.answer({status: 503})
  await probe.reply({status: 503})
  t.match(await early, {
    status: 500,
    body: /"failed to invoke, id: stock, err: rpc error: code = Internal desc = error invoking app channel: rpc error: code = Internal desc = app is not in a healthy state"/
  })
  const own = await stock.fetch('/v1.0/invoke/stock/method/pears')
  t.match(own.body, /err: rpc error: code = Internal desc = app is not in a healthy state"/)
  t.match(await shop.fetch('/v1.0/healthz'), {status: 204})
  await run.waitForLine('"stock" is not healthy', {stream: 'stderr'})
  await stock.answer({status: 200, body: 'well'})
  for (;;) {
    const answer = await shop.fetch('/v1.0/invoke/stock/method/pears')
    if (answer.status === 200) break
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  await stock.answer({status: 302, headers: {location: '/elsewhere'}})
  // a probe that a busy machine answers late makes it unhealthy, too, but not for long
  while ((await shop.fetch('/v1.0/invoke/stock/method/pears')).status !== 500) await pause(10)
  await run.waitForLine('"stock" is not healthy', {stream: 'stderr', nth: 2})
})

interface Shop {
  readonly rig: Rig
  readonly run: Program
  /** What a call of "stock" through the sidecar of another app is answered with. */
  readonly ask: () => Promise<string>
}

/** An app "stock" that takes calls already, and one that calls it. */
async function openShop(t: Test, stock: Readonly<Record<string, unknown>>, ...args: readonly string[]): Promise<Shop> {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'stock', autoPort: true, ...stock},
    {appID: 'shop', command: []}
  ])
  const run = rig.pillion(['run', '-f', '.', ...args])
  const [old, {http}] = await Promise.all([rig.driven('stock'), run.ports('shop')])
  await old.answer({body: 'old'})
  await old.listen()
  const ask = async (): Promise<string> => (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method/x`)).text()
  t.equal(await ask(), 'old')
  return {rig, run, ask}
}

t.test('calls that come while an app reloads wait until its new process is healthy, not only listens', async t => {
  const {rig, run, ask} = await openShop(t, {watch: true, ...CHECKED, appHealthThreshold: 3})
  await rig.write({'stock/app.js': '1'})
  const next = await rig.driven('stock')
  const early = ask()
  await next.listen()
  for (const _ of [1, 2, 3, 4]) {
    const probe = await next.nextRequest()
    t.match(probe, {method: 'GET', url: '/health'})
    await probe.reply({status: 503, body: 'not yet'})
  }
  const probe = await next.nextRequest()
  await next.answer({body: 'new'})
  await probe.reply()
  t.equal(await early, 'new')
  t.match(await run.waitForLine('stock: reloaded'), /, 1 request held.*, 0 lost$/)
  t.equal(run.stderr.text, '')
})

t.test('calls that come while an edit gives an app a health check wait until it is healthy', async t => {
  const {rig, ask} = await openShop(t, {}, '--watch')
  await rig.template([
    {appID: 'stock', autoPort: true, ...CHECKED},
    {appID: 'shop', command: []}
  ])
  const next = await rig.driven('stock')
  const early = ask()
  await next.listen()
  for (const _ of [1, 2]) await (await next.nextRequest()).reply({status: 503, body: 'not yet'})
  const probe = await next.nextRequest()
  await next.answer({body: 'new'})
  await probe.reply()
  t.equal(await early, 'new')
})

t.test('an app that is not healthy at first is asked for its topics and bindings when it is', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
    'resources/tick.yaml': component('tick', 'bindings.cron', {schedule: '@every 1000h'})
  })
  await rig.template([{appID: 'stock', autoPort: true, resourcesPath: '../resources', ...CHECKED}])
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await stock.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
  await stock.listen()
  const probe = await stock.nextRequest()
  t.match(probe, {method: 'GET', url: '/health'})
  await probe.reply({status: 503})
  await run.waitForLine('"stock" is not healthy', {stream: 'stderr'})
  const wanted = new Set(['OPTIONS /tick', 'POST /orders'])
  const answerAll = async (): Promise<void> => {
    while (wanted.size > 0) {
      const request = await stock.nextRequest()
      wanted.delete(`${request.method} ${request.url}`)
      await request.reply()
    }
  }
  const answered = answerAll()
  await subscribed(stock, 1)
  await publish(stock, 'bus/orders', '1')
  await answered
})
