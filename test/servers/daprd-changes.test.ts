import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {Driven} from '../rig/command.ts'
import {daprdsOf, installDaprd, skipWithoutDaprd} from '../rig/daprd.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

t.jobs = 2

const turn = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const post = async (shop: Driven, path: string, body: unknown): ReturnType<Driven['fetch']> =>
  shop.fetch(path, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)})

/** What we have ourselves daprd has, too: no test needs a server. */
const ALWAYS = {PILLION_DAPRD: 'always'}

t.test('a daprd that dies is started anew, and that is told', {skip: skipWithoutDaprd}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  await rig.write({'resources/env.yaml': component('env', 'secretstores.local.env')})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'], {env: {...ALWAYS, GREETING: 'hello'}})
  const shop = await rig.driven('shop')
  await shop.listen()
  const [pid = 0] = daprdsOf(rig)
  process.kill(pid, 'SIGKILL')
  await run.stderr.line(/daprd next to "shop" has exited \(signal: killed\): starting a new one/)
  t.match(await shop.fetch('/v1.0/secrets/env/GREETING'), {status: 200, body: '{"GREETING":"hello"}'})
  const [next = 0] = daprdsOf(rig)
  t.not(next, pid)
  t.equal(daprdsOf(rig).length, 1)
})

// a daprd says so before it ends: which of both is noticed first is open
t.test('saved files: daprd has what they name now; a mistake changes nothing', {skip: skipWithoutDaprd}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  await rig.write({'resources/store.yaml': component('store', 'state.in-memory')})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'], {env: ALWAYS})
  const shop = await rig.driven('shop')
  await shop.listen()
  await run.ports('shop')
  await rig.write({'resources/more.yaml': component('more', 'state.in-memory')})
  while ((await post(shop, '/v1.0/state/more', [{key: 'k', value: 2}])).status !== 204) await turn()
  await rig.write({'resources/bad.yaml': component('bad', 'state.sqlite', {connectionString: 'none/a.db'})})
  await run.stderr.line(
    /the component bad \(state\.sqlite\) cannot be opened: (?:daprd ended before it was ready: exit status 1: )?Fatal error/
  )
  await run.stderr.line(/resources\/bad\.yaml:1/)
  t.match(await shop.fetch('/v1.0/state/more/k'), {status: 200, body: '2'})
  t.equal(daprdsOf(rig).length, 1)
})

t.test('an app whose component daprd cannot open is not started: the others run', {skip: skipWithoutDaprd}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  await rig.write({
    'resources/bad.yaml': component('bad', 'state.sqlite', {connectionString: 'none/a.db'}),
    'plain/none.txt': ''
  })
  await rig.template([
    {appID: 'shop', autoPort: true, resourcesPath: '../resources'},
    {appID: 'plain', autoPort: true, resourcesPath: '../plain'}
  ])
  const run = rig.pillion(['run', '-f', '.'], {env: ALWAYS})
  const plain = await rig.driven('plain')
  await run.stderr.line(
    /"shop" was not started: the component bad \(state\.sqlite\) cannot be opened: (?:daprd ended before it was ready: |Fatal error)/
  )
  await plain.exit(0)
  t.match(await run.exited, {code: 1})
  t.same(await rig.leftovers(), [])
})

t.test('nothing is left behind after kill -9', {skip: skipWithoutDaprd}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  await rig.write({'resources/store.yaml': component('store', 'state.in-memory')})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources', stop: {timeout: '500ms'}}])
  const run = rig.pillion(['run', '-f', '.'], {env: ALWAYS})
  const shop = await rig.driven('shop')
  await run.ports('shop')
  t.equal(daprdsOf(rig).length, 1)
  run.signal('SIGKILL')
  await shop.closed
  t.same(await rig.leftovers(), [])
  t.same(readdirSync(rig.runtimeDir), [])
})

t.test('two apps that share a component have a daprd each', {skip: skipWithoutDaprd}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  await rig.write({
    'resources/store.yaml': component('store', 'state.sqlite', {connectionString: join(rig.home, 'both.db')})
  })
  await rig.template([
    {appID: 'one', autoPort: true, resourcesPath: '../resources'},
    {appID: 'two', autoPort: true, resourcesPath: '../resources'}
  ])
  const run = rig.pillion(['run', '-f', '.'], {env: ALWAYS})
  const [one, two] = await Promise.all([rig.driven('one'), rig.driven('two')])
  await run.ports('two')
  t.equal(daprdsOf(rig).length, 2)
  t.match(await post(one, '/v1.0/state/store', [{key: 'k', value: 1}]), {status: 204})
  t.match(await two.fetch('/v1.0/state/store/k'), {status: 204})
  t.match(await two.fetch('/v1.0/state/store/one%7C%7Ck'), {status: 400})
  const stopped = await rig.run(['stop', '--app-id', 'one'])
  t.equal(stopped.code, 0)
  t.equal(daprdsOf(rig).length, 1)
})
