import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

t.test('a type that nobody has: validate names the near miss; run starts the others and exits with 1', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/a.yaml': component('store', 'state.in-memoy'),
    'resources/b.yaml': component('file', 'secretstores.local.file', {
      secretFile: 'secrets.json',
      SecretsFile: 'secrets.json'
    }),
    'shop/secrets.json': '{}'
  })
  await rig.template([
    {appID: 'shop', autoPort: true, resourcesPath: '../resources'},
    {appID: 'stock', autoPort: true}
  ])
  const validated = await rig.run(['validate'])
  t.equal(validated.code, 1)
  t.match(
    validated.stderr,
    /there is no type "state\.in-memoy"\nresources\/a\.yaml:1:\d+\n.*\n +\^+\n.*did you mean state\.in-memory\?/
  )
  t.match(
    validated.stderr,
    /secretstores\.local\.file has no property "secretFile": it has no effect\n(?:.*\n)*.*did you mean secretsFile\?/
  )
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await run.waitForLine("couldn't find state store state.in-memoy/v1", {stream: 'stderr'})
  await stock.exit(0)
  t.match(await run.exited, {code: 1})
})

t.test('ignoreErrors: the app starts without the component; a secret store comes before its users', async t => {
  const rig = await openRig(t)
  await rig.write({
    'shop/secrets.json': '{"path":"data.db"}',
    'resources/a.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Component',
      metadata: {name: 'store'},
      spec: {type: 'state.sqlite', metadata: [{name: 'connectionString', secretKeyRef: {name: 'path', key: 'path'}}]},
      auth: {secretStore: 'vault'}
    }),
    'resources/b.yaml': component('vault', 'secretstores.local.file', {secretsFile: 'secrets.json'}),
    'resources/c.yaml': component('broken', 'state.sqlite', {connectionString: 'none/data.db'}, {ignoreErrors: true}),
    'resources/d.yaml': component('scoped', 'state.in-memory').replace(/}$/, ',"scopes":["stock"]}')
  })
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  t.match(await shop.fetch('/v1.0/state/store', {method: 'POST', body: '[{"key":"k","value":1}]'}), {status: 204})
  t.match(await shop.fetch('/v1.0/state/broken/k'), {status: 400, body: /broken could not be opened/})
  const {components} = JSON.parse((await shop.fetch('/v1.0/metadata')).body) as {components: unknown}
  t.strictSame(components, [
    {name: 'store', type: 'state.sqlite', capabilities: ['ETAG', 'TRANSACTIONAL', 'TTL', 'KEYS_LIKE', 'ACTOR']},
    {name: 'vault', type: 'secretstores.local.file', version: 'v1'}
  ])
  t.match(await shop.fetch('/v1.0/state/scoped/k'), {status: 400, body: /state store scoped is not found/})
})

t.test('state whose key is in the file is not kept at all: the app is not started, and the place is named', async t => {
  const rig = await openRig(t)
  const encrypted = component('store', 'state.in-memory', {primaryEncryptionKey: '0123'})
  await rig.write({
    'resources/a.yaml': encrypted,
    'others/a.yaml': encrypted.replace('"version"', '"ignoreErrors":true,"version"')
  })
  await rig.template([
    {appID: 'shop', autoPort: true, resourcesPath: '../resources'},
    {appID: 'stock', autoPort: true, resourcesPath: '../others'}
  ])
  const refused = /failed to extract encryption key: secretKeyRef cannot be empty.*\n.*resources\/a\.yaml:1:\d+/
  t.match(await rig.run(['validate']), {code: 1, stderr: refused})
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await run.waitForLine('cannot be opened: failed to extract encryption key: secretKeyRef cannot be empty', {
    stream: 'stderr'
  })
  t.match(await stock.fetch('/v1.0/state/store/k'), {
    status: 500,
    body: /store could not be opened: failed to extract encryption key/
  })
  t.notMatch((await stock.fetch('/v1.0/metadata')).body, /"name":"store"/)
  await stock.exit(0)
  t.match(await run.exited, {code: 1})
})

t.test('two components of one name: the app is not started, and both are named', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/a.yaml': component('store', 'state.in-memory'),
    'resources/b.yaml': component('store', 'state.sqlite', {connectionString: 'data.db'})
  })
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  t.match(await rig.run(['validate']), {code: 1, stderr: /duplicate definition of component name store/})
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await run.exited, {code: 1})
  t.match(
    run.stderr.text,
    /duplicate definition of component name store \(state\.sqlite\/v1\) with existing store \(state\.in-memory\/v1\)\n.*resources\/b\.yaml:1/
  )
})

t.test('a secret store that is not there: the app starts without the component, which is told', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/a.yaml': component('store', 'state.in-memory'),
    'resources/b.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Component',
      metadata: {name: 'secret'},
      spec: {type: 'state.sqlite', metadata: [{name: 'connectionString', secretKeyRef: {name: 'path'}}]},
      auth: {secretStore: 'vault'}
    })
  })
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await run.waitForLine('secret store vault is not loaded', {stream: 'stderr'})
  t.match(await shop.fetch('/v1.0/state/store/k'), {status: 204})
  t.match(await shop.fetch('/v1.0/state/secret/k'), {
    status: 400,
    body: /secret could not be opened: secret store vault/
  })
})

const store = (path: string): string => component('store', 'state.sqlite', {connectionString: path})

t.test('files that are saved take effect alone; a mistake leaves what was there', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/a.yaml': store('one.db')})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  await run.waitForLine('Started Dapr with app id "shop"')
  const read = async (name = 'store'): Promise<string> => (await shop.fetch(`/v1.0/state/${name}/k`)).body
  await shop.fetch('/v1.0/state/store', {method: 'POST', body: '[{"key":"k","value":"one"}]'})
  await rig.write({'resources/a.yaml': store('two.db')})
  while ((await read()) !== '') await pause(10)
  await shop.fetch('/v1.0/state/store', {method: 'POST', body: '[{"key":"k","value":"two"}]'})
  await rig.write({'resources/a.yaml': store('none/three.db')})
  await run.waitForLine(/the component store \(state\.sqlite\) cannot be opened/, {stream: 'stderr'})
  t.equal(await read(), '"two"')
  await rig.write({'resources/b.yaml': component('new', 'state.in-memory')})
  while (!(await shop.fetch('/v1.0/metadata')).body.includes('"name":"new"')) await pause(10)
  t.equal(await read('new'), '')
  await rig.write({'resources/a.yaml': store('one.db')})
  while ((await read()) !== '"one"') await pause(10)
})

t.test('a Component of another apiVersion is left out, as by Dapr, and named', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/a.yaml': component('store', 'state.in-memory').replace('v1alpha1', 'v2')})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  t.match(
    (await rig.run(['validate'])).stderr,
    /the apiVersion "dapr\.io\/v2" is not known: this Component is left out/
  )
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  t.match(await shop.fetch('/v1.0/state/store/k'), {status: 500, body: /ERR_STATE_STORE_NOT_CONFIGURED/})
})
