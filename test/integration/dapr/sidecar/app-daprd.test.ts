import {existsSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {mock} from 'node:test'
import t from 'tap'
import type {ConfigurationItems, ConfigurationStore} from '../../../../src/dapr/components/configuration-store.ts'
import {pause} from '../../../../src/platform/delay.ts'
import {answered, open, reading, resource} from './app-daprd.ts'

// what takes several tries of daprd is in `test/long/daprd-again.test.ts`

t.test('a daprd that dies while the next one starts has one that follows it, which has the new components', async t => {
  const {daprd, pids, folder, gone} = open(t)
  daprd.follow([resource('one')])
  await daprd.open(resource('one'))
  daprd.follow([resource('one'), resource('slow')])
  while (pids.length < 2) await new Promise(setImmediate)
  process.kill(pids[0] ?? 0, 'SIGKILL')
  await gone
  writeFileSync(join(folder, 'go'), '')
  await daprd.open(resource('slow'))
  await daprd.close()
  t.equal(pids.length, 2)
  for (const pid of pids) t.throws(() => process.kill(pid, 0), {code: 'ESRCH'})
})

t.test('a subscription to configuration continues with the daprd that follows one, and can be ended there', async t => {
  const {daprd, pids, folder} = open(t)
  const config = resource('config', 'configuration.azure.appconfig')
  daprd.follow([config])
  const store = (await daprd.open(config)) as ConfigurationStore
  let told = Promise.withResolvers<ConfigurationItems>()
  const end = await store.subscribe([], {}, items => told.resolve(items))
  /** The daprd that is the n-th to serve has the subscription, and tells of a change. */
  const tells = async (n: number): Promise<void> => {
    const isBegun = (): boolean => existsSync(join(folder, `subscribed-${pids[n]}`))
    while (!isBegun()) await pause(5)
    const pid = pids[n] ?? 0
    told = Promise.withResolvers()
    process.kill(pid, 'SIGUSR2')
    t.match(await told.promise, {k: {value: `${pid}`}})
  }
  await tells(0)
  daprd.follow([config, resource('two')])
  await daprd.open(resource('two'))
  await tells(1)
  process.kill(pids[1] ?? 0, 'SIGKILL')
  await tells(2)
  await end()
})

t.test('a subscription to configuration ends also while there is no daprd', async t => {
  const {daprd, pids, folder, gone} = open(t)
  const config = resource('config', 'configuration.azure.appconfig')
  daprd.follow([config])
  const store = (await daprd.open(config)) as ConfigurationStore
  const end = await store.subscribe([], {}, () => undefined)
  writeFileSync(join(folder, 'down'), '')
  process.kill(pids[0] ?? 0, 'SIGKILL')
  await gone
  await end()
})

t.test('a subscription to configuration ends also while the next daprd refuses it', async t => {
  const {daprd, pids, folder} = open(t)
  const config = resource('config', 'configuration.azure.appconfig')
  daprd.follow([config])
  const store = (await daprd.open(config)) as ConfigurationStore
  const end = await store.subscribe([], {}, () => undefined)
  writeFileSync(join(folder, 'refused'), '')
  daprd.follow([config, resource('two')])
  await daprd.open(resource('two'))
  while (!existsSync(join(folder, `subscribed-${pids[1]}`))) await pause(5)
  await end()
})

t.test('what has changed in a configuration while there was no daprd is said', async t => {
  const {daprd, pids, folder} = open(t)
  const config = resource('config', 'configuration.azure.appconfig')
  daprd.follow([config])
  const store = (await daprd.open(config)) as ConfigurationStore
  const told = Promise.withResolvers<ConfigurationItems>()
  await store.subscribe([], {}, told.resolve)
  writeFileSync(join(folder, 'items'), '{"k":{"value":"new"}}')
  process.kill(pids[0] ?? 0, 'SIGKILL')
  t.strictSame(await told.promise, {k: {value: 'new', version: '', metadata: {}}})
})

t.test('a daprd that takes connections, and does not answer, is given up', async t => {
  const {daprd} = open(t, 500)
  daprd.follow([resource('mute')])
  await t.rejects(daprd.open(resource('mute')), {message: /was not ready within 0\.5 s/})
})

t.test('one that does not answer does not hold up the end of its app', async t => {
  const {daprd, pids, folder} = open(t)
  daprd.follow([resource('mute')])
  while (!existsSync(join(folder, 'asked'))) await pause(5)
  await daprd.close()
  t.throws(() => process.kill(pids[0] ?? 0, 0), {code: 'ESRCH'})
})

t.test('one that does not end at SIGTERM is killed at once where the run ends without a grace period', async t => {
  const {daprd, pids, endNow} = open(t, 60_000, 600_000)
  daprd.follow([resource('stubborn')])
  await daprd.open(resource('stubborn'))
  const closed = daprd.close()
  await new Promise(setImmediate)
  endNow()
  await closed
  t.throws(() => process.kill(pids[0] ?? 0, 0), {code: 'ESRCH'})
})

t.test('a daprd that could not start, as a server was not there, is started by a later call', async t => {
  const {daprd, pids, folder} = open(t)
  const lazy = {...resource('one'), isDefault: true}
  writeFileSync(join(folder, 'down'), '')
  daprd.follow([lazy])
  await t.rejects(daprd.open(lazy), {message: /^daprd ended before it was ready/})
  await t.rejects(daprd.open(lazy), {message: /^daprd ended before it was ready/}, 'at once it is not tried again')
  t.equal(pids.length, 1)
  rmSync(join(folder, 'down'))
  t.ok(await answered(async () => daprd.open(lazy)))
  t.equal(pids.length, 2)
})

t.test('a component that could not be opened is tried again, also after another daprd began without it', async t => {
  const {daprd, pids, folder, gone} = open(t)
  const [one, lazy] = [resource('one'), {...resource('two'), isDefault: true}]
  daprd.follow([one, lazy])
  await daprd.open(one)
  writeFileSync(join(folder, 'down'), '')
  await t.rejects(daprd.open(lazy), {message: /^daprd ended before it was ready/})
  rmSync(join(folder, 'down'))
  process.kill(pids[0] ?? 0, 'SIGKILL')
  await gone
  await daprd.open(one)
  t.ok(await answered(async () => daprd.open(lazy)))
})

t.test('components that are edited after a daprd could not start are tried once', async t => {
  const {daprd, pids, folder} = open(t)
  writeFileSync(join(folder, 'down'), '')
  daprd.follow([resource('one')])
  await t.rejects(daprd.open(resource('one')), {message: /^daprd ended before it was ready/})
  const later = performance.now() + 60_000 // when a call would start it again
  t.teardown(() => mock.restoreAll())
  mock.method(performance, 'now', () => later)
  daprd.follow([resource('two')])
  await t.rejects(daprd.open(resource('two')), {message: /^daprd ended before it was ready/})
  t.equal(pids.length, 2)
})

t.test('components that are edited while daprd starts are tried once', async t => {
  const {daprd, pids, folder} = open(t)
  daprd.follow([resource('slow')])
  while (pids.length < 1) await new Promise(setImmediate)
  daprd.follow([resource('slow'), resource('broken')])
  writeFileSync(join(folder, 'go'), '')
  while (pids.length < 2) await new Promise(setImmediate)
  const later = performance.now() + 30_000
  t.teardown(() => mock.restoreAll())
  mock.method(performance, 'now', () => later)
  await t.rejects(daprd.open(resource('broken')), {message: /^daprd ended before it was ready/})
  t.equal(pids.length, 2)
})

t.test('a component that cannot be opened keeps no topic of another one from being read', async t => {
  const {daprd, add, topicsOf} = await reading(t)
  const broken = {...resource('broken'), isDefault: true}
  daprd.follow([resource('reads'), broken])
  await t.rejects(daprd.open(broken), {message: /^daprd ended before it was ready/})
  add('first')
  while ((await topicsOf(-1)).length === 0) await pause(5)
  t.strictSame(await topicsOf(-1), ['first'])
})
