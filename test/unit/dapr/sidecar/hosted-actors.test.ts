import t from 'tap'
import {HostedActors} from '../../../../src/dapr/sidecar/hosted-actors.ts'
import {hostedTypes, USUAL_SETTINGS} from '../../../../src/dapr/sidecar/hosted-types.ts'
import type {SidecarActorsOptions} from '../../../../src/dapr/sidecar/actor-access.ts'
import {openActorHouse, TestHost, types} from '../../../rig/actor-house.ts'

t.test('an app that is well again keeps its actors, also those that it could not let go while it was ill', async t => {
  const {actors, call} = openActorHouse()
  t.teardown(() => actors.close())
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  const runtime = {home: 'carts', isUnhealthy: false, plan: {stop: {timeoutMs: 60_000}}}
  const hosted = new HostedActors({runtime} as unknown as SidecarActorsOptions, actors)
  const long = call('Cart/1', 'long')
  runtime.isUnhealthy = true
  hosted.noteHealth()
  runtime.isUnhealthy = false
  hosted.noteHealth()
  const short = call('Cart/2', 'short')
  await host.open[1]?.answer('short')
  await host.open[0]?.answer('long')
  await new Promise(setImmediate)
  t.strictSame(await Promise.all([long.outcome, short.outcome]), ['long', 'short'])
  t.strictSame(host.gone, [])
})

t.test('a call of an app that is well again is not cut by the end of one from before', async t => {
  const {actors, call} = openActorHouse()
  t.teardown(() => actors.close())
  const host = new TestHost('carts')
  actors.host(host, new Map([...types(['Cart']), ...types(['Order'], {drains: false})]))
  const runtime = {home: 'carts', isUnhealthy: false, plan: {stop: {timeoutMs: 60_000}}}
  const hosted = new HostedActors({runtime} as unknown as SidecarActorsOptions, actors)
  void call('Cart/1', 'long')
  runtime.isUnhealthy = true
  hosted.noteHealth()
  runtime.isUnhealthy = false
  hosted.noteHealth()
  const order = call('Order/1', 'pay')
  await host.open[0]?.answer('long')
  await new Promise(setImmediate)
  t.strictSame(host.inside, ['Order/1 pay'])
  await host.open[0]?.answer('paid')
  t.equal(await order.outcome, 'paid')
})

t.test('the types that an app hosts are found in any capitals of their keys', async t => {
  const text = '{"Entities":["Cart"],"ActorIdleTimeout":"1m","Reentrancy":{"Enabled":true}}'
  const settings = {...USUAL_SETTINGS, idleMs: 60_000, isReentrant: true}
  t.strictSame([...hostedTypes(text, words => t.fail(words))], [['Cart', settings]])
})
