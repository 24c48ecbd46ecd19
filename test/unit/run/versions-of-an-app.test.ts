import t from 'tap'
import {AppRuntime} from '../../../src/supervisor/app-runtime.ts'
import {RunActors} from '../../../src/run/run-actors.ts'
import type {OpenActorsOptions} from '../../../src/run/open-actors.ts'
import {RunWork} from '../../../src/run/run-work.ts'
import type {RunWorkOptions} from '../../../src/run/open-work.ts'
import {TestHost, types} from '../../rig/actor-house.ts'

/** The app `shop` in a version. */
const runtimeOf = (version: string): AppRuntime =>
  Object.create(AppRuntime.prototype, {
    plan: {value: {id: 'shop', version, instance: 1, stop: {timeoutMs: 50}}},
    pid: {value: 7}
  }) as AppRuntime

const [one, two] = [runtimeOf('0.0.0'), runtimeOf('2.0.0')]

t.test('a version of an app that ends leaves the workers of the other one their work', async t => {
  const folder = t.testdir()
  const work = new RunWork({
    plan: {file: '', name: '', apps: [{id: 'shop', folder}]},
    env: {XDG_STATE_HOME: folder},
    runtimes: () => [],
    resourcesOf: () => undefined,
    knowLeftOut: async () => undefined,
    reporter: {warn: () => undefined, tell: () => undefined},
    hasWorker: () => undefined,
    needsWorker: () => undefined
  } as unknown as RunWorkOptions)
  const workflows = await work.workflows()
  const got: string[] = []
  for (const {name, version, home} of [one, two].map(each => ({...each.plan, name: each.name, home: each.home})))
    workflows.connect('shop', {limit: Infinity, home, send: () => got.push(`${name} ${version}`)})
  t.equal(work.connectedWorkers(one), 1)
  t.equal(await work.present(one)(new AbortController().signal), true)
  for (const id of ['w-1', 'w-2']) await workflows.start('shop', {id, name: 'w', input: undefined, startAt: undefined})
  t.strictSame(got, ['shop 2.0.0', 'shop 2.0.0'])
  await work.close()
})

t.test('a version of an app that ends leaves the other one its actors', async t => {
  const sidecars = new Map()
  const options = {sidecars, peerRuns: {}, reporter: {warn: () => undefined}, observer: {}}
  const actors = new RunActors(
    options as unknown as OpenActorsOptions,
    async () => Promise.reject(new Error()),
    () => new Map()
  )
  const all = await actors.load()
  const [first, second] = [new TestHost('shop', one.home), new TestHost('shop', two.home)]
  all.host(first, types(['Cart']))
  all.host(second, types(['Cart']))
  await actors.end(one, new AbortController().signal)
  t.strictSame(
    [first, second].map(host => all.table.hostings.find(each => each.host === host)?.isRetiring),
    [true, false]
  )
  t.equal(actors.hostedAt(two)?.isReady, true)
  actors.close()
})
