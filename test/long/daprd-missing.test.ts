import {existsSync, readdirSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {fakeDaprd, PLAIN_PATH} from '../rig/daprd.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

t.jobs = 2

const env = {PATH: PLAIN_PATH}

t.test('without a daprd each component that needs one is named once; a call to it says why it fails', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/bus.yaml': component('bus', 'pubsub.pulsar'),
    'resources/mail.yaml': component('mail', 'bindings.smtp'),
    'resources/typo.yaml': component('typo', 'pubsub.plusar', {}, {ignoreErrors: true}),
    'resources/store.yaml': component('store', 'state.in-memory')
  })
  await rig.template([
    {appID: 'shop', autoPort: true, resourcesPath: '../resources'},
    {appID: 'other', autoPort: true, resourcesPath: '../resources'}
  ])
  const run = rig.pillion(['run', '-f', '.'], {env})
  const [shop] = await Promise.all([rig.driven('shop'), rig.driven('other')])
  await shop.listen()
  await run.stderr.line(/bus\.yaml/)
  await run.stderr.line(/mail\.yaml/)
  t.match(await shop.fetch('/v1.0/publish/bus/topic', {method: 'POST', body: '{}'}), {
    status: 404,
    body: /"ERR_PUBSUB_NOT_FOUND","message":"pubsub bus is not found \(resources\/bus\.yaml:1 names it, but its type pubsub\.pulsar needs a real daprd: no daprd is installed\)"/
  })
  t.match(await shop.fetch('/v1.0/bindings/mail', {method: 'POST', body: '{"operation":"create"}'}), {
    status: 500,
    body: /couldn't find output binding mail \(resources\/mail\.yaml:1 names it, but its type bindings\.smtp needs a real daprd: no daprd is installed\)/
  })
  t.match(await shop.fetch('/v1.0/state/store/k'), {status: 204})
  t.match(await rig.run(['validate'], {env}), {
    code: 0,
    stderr:
      /there is no type "pubsub\.plusar"[^]*did you mean pubsub\.pulsar\?[^]*Component "bus" \(pubsub\.pulsar\) needs a real daprd, and no daprd is installed/
  })
  t.match(await run.end('SIGINT'), {code: 0})
  const lines = run.stderr.text.split('\n').filter(line => line.includes('needs a real daprd'))
  t.equal(lines.length, 2)
  t.match(
    lines[0],
    /resources\/bus\.yaml:1: the component bus \(pubsub\.pulsar, for publish and subscribe\) needs a real daprd, and no daprd is installed: calls to it fail\. "dapr init --slim" of Dapr’s own CLI installs one; one in the PATH is found, too$/
  )
  t.match(lines[1], /resources\/mail\.yaml:1: the component mail \(bindings\.smtp, for bindings\) needs a real daprd/)
})

t.test('a daprd that is too old is not used', async t => {
  const rig = await openRig(t)
  fakeDaprd(rig, '1.11.6', 'exit 3')
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.pulsar')})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'], {env})
  const shop = await rig.driven('shop')
  await run.stderr.line(
    /needs a real daprd, and \S+\/\.dapr\/bin\/daprd is version 1\.11\.6, and 1\.12 or later is needed: calls to it fail/
  )
  t.match(
    (await shop.fetch('/v1.0/publish/bus/topic', {method: 'POST', body: '{}'})).body,
    /1\.12 or later is needed\)"/
  )
})

t.test('a daprd that ends at its start keeps its app from being started: what it says last is told', async t => {
  const rig = await openRig(t)
  const why = 'Fatal error from runtime: failed to load components: process component bus error: no servers'
  fakeDaprd(rig, '1.13.5', `echo '{"level":"fatal","msg":"${why}","scope":"dapr.runtime"}'; exit 1`)
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.pulsar')})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'], {env})
  t.match(await run.exited, {code: 1})
  t.match(
    run.stderr.text,
    `"shop" was not started: the component bus (pubsub.pulsar) cannot be opened: daprd ended before it was ready: exit status 1: ${why}\n   resources/bus.yaml:1`
  )
  t.same(await rig.leftovers(), [])
})

t.test('a daprd that does not become ready is ended, and its app is not started', async t => {
  const rig = await openRig(t)
  fakeDaprd(rig, '1.18.0', 'exec sleep 60')
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.pulsar')})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources', ready: {timeout: '300ms'}}])
  const run = rig.pillion(['run', '-f', '.'], {env})
  t.match(await run.exited, {code: 1})
  t.match(
    run.stderr.text,
    /"shop" was not started: [^\n]* daprd \(\S+\/\.dapr\/bin\/daprd\) was not ready within 0\.3 s\n/
  )
  t.same(await rig.leftovers(), [])
  t.same(readdirSync(rig.runtimeDir), [])
})

t.test('PILLION_DAPRD=never: what is installed is not used', async t => {
  const rig = await openRig(t)
  fakeDaprd(rig, '1.18.0', 'exit 3')
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.pulsar')})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'], {env: {...env, PILLION_DAPRD: 'never'}})
  const shop = await rig.driven('shop')
  await run.stderr.line(
    /without effect: Component "bus" \(pubsub\.pulsar\) in resources\/bus\.yaml:1 \(this type is not supported yet\)/
  )
  t.match(await shop.fetch('/v1.0/publish/bus/topic', {method: 'POST', body: '{}'}), {status: 404})
})

t.test('Ctrl-C does not wait for a daprd that is not ready, at the start or after a save', async t => {
  for (const isAtStart of [true, false]) {
    const rig = await openRig(t)
    const started = join(rig.home, 'started')
    fakeDaprd(rig, '1.13.5', `touch ${started}; exec sleep 1000`)
    const bus = component('bus', 'pubsub.pulsar')
    await rig.write(isAtStart ? {'resources/bus.yaml': bus} : {'resources/none.txt': ''})
    await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources', command: ['sleep', '1000']}])
    const run = rig.pillion(['run', '-f', '.'], {env})
    if (!isAtStart) {
      await run.waitForLine('Started Dapr with app id "shop"')
      await rig.write({'resources/bus.yaml': bus})
    }
    while (!existsSync(started)) await new Promise(setImmediate)
    run.signal('SIGINT')
    const from = performance.now()
    t.match(await run.exited, {code: 0})
    t.ok(performance.now() - from < 30_000, 'it would be given up after a minute')
    t.same(await rig.leftovers(), [])
  }
})
