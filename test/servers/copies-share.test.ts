import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {subscribed} from '../e2e/pubsub-shop.ts'
import type {Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

const LIST = [{pubsubname: 'bus', topic: 'orders', route: '/orders'}]

/** A store, a broker, a lock and a binding in one Redis. */
function inRedis(port: number): Readonly<Record<string, string>> {
  const redis = {redisHost: `localhost:${port}`}
  return {
    'resources/bus.yaml': component('bus', 'pubsub.redis', {...redis, consumerID: 'shop', concurrency: '1'}),
    'resources/lock.yaml': component('lock', 'lock.redis', redis),
    'resources/out.yaml': component('out', 'bindings.redis', redis),
    'resources/store.yaml': component('store', 'state.redis', {...redis, actorStateStore: 'true'})
  }
}

/** Starts a copy, until it has its subscription. */
async function startCopy(rig: Rig, folder: string): Promise<{readonly run: Program; readonly shop: Driven}> {
  const run = rig.pillion(['up'], {folder})
  const shop = await rig.driven('shop')
  await shop.subscribe(LIST)
  await shop.listen()
  await subscribed(shop, LIST.length)
  while ((await shop.fetch('/v1.0/healthz')).status !== 204) await pause(10)
  return {run, shop}
}

t.test('a Redis that two copies use is named, with what keeps them apart', {skip: skipWithoutRedis}, async t => {
  const {port} = await realRedis(t)
  const rig = await openRig(t)
  const command = rig.drivenCommand
  const app = {appID: 'shop', appDirPath: '.', autoPort: true, command, resourcesPath: './resources'}
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps: [app]}), ...inRedis(port)})
  const main = await startCopy(rig, 'main')
  const pr = await startCopy(rig, 'pr')
  const line = await pr.run.waitForLine('the same data', {stream: 'stderr'})
  for (const each of ['bus (pubsub.redis', 'lock (lock.redis', 'out (bindings.redis', 'store (state.redis'])
    t.match(line, `${each} at localhost:${port})`)
  t.match(
    line,
    `: main (pid ${main.run.pid}) uses the same data, so keys and events cross: make the server an app of the template, or give each copy a database of its own`
  )
  const body = JSON.stringify([{key: 'who', value: 'main'}])
  await main.shop.fetch('/v1.0/state/store', {method: 'POST', body})
  t.equal((await pr.shop.fetch('/v1.0/state/store/who')).body, '"main"')
  t.notMatch(main.run.stderr.text, 'the same data', 'the second one tells it')
})
