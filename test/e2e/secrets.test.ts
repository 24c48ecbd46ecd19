import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

interface Shop {
  readonly rig: Rig
  readonly run: Program
  readonly shop: Driven
}

const openShop = async (t: Test, files: Readonly<Record<string, string>>): Promise<Shop> => {
  const rig = await openRig(t)
  await rig.write(files)
  const configured = files['config.yaml'] === undefined ? {} : {configFilePath: '../config.yaml'}
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources', ...configured}])
  const run = rig.pillion(['run', '-f', '.'], {env: {GREETING: 'hello', DAPR_KEY: 'hidden', APP_API_TOKEN: 'token'}})
  const shop = await rig.driven('shop')
  await shop.listen()
  return {rig, run, shop}
}

const SECRETS = JSON.stringify({plain: 'pear', nested: {inner: {deep: 'plum'}}, list: ['a', 5, true], nothing: null})

t.test('secrets of a file, flattened; those of the environment; and what is missing', async t => {
  const {shop} = await openShop(t, {
    'shop/secrets.json': SECRETS,
    'resources/file.yaml': component('file', 'secretstores.local.file', {secretsFile: 'secrets.json'}),
    'resources/dots.yaml': component('dots', 'secretstores.local.file', {
      SecretsFile: './secrets.json',
      nestedSeparator: '.'
    }),
    'resources/env.yaml': component('env', 'secretstores.local.env')
  })
  const cases: readonly (readonly [path: string, status: number, body: string])[] = [
    ['file/plain', 200, '{"plain":"pear"}'],
    ['file/nested:inner:deep', 200, '{"nested:inner:deep":"plum"}'],
    ['dots/nested.inner.deep', 200, '{"nested.inner.deep":"plum"}'],
    ['file/list:1', 200, '{"list:1":"5"}'],
    ['env/GREETING', 200, '{"GREETING":"hello"}'],
    ['env/ABSENT', 200, '{"ABSENT":""}'],
    ['env/DAPR_KEY', 200, '{"DAPR_KEY":""}'],
    ['env/APP_API_TOKEN', 200, '{"APP_API_TOKEN":""}'],
    [
      'file/nested',
      500,
      '{"errorCode":"ERR_SECRET_GET","message":"failed getting secret with key nested from secret store file: secret nested not found"}'
    ],
    [
      'fil/plain',
      401,
      '{"errorCode":"ERR_SECRET_STORE_NOT_FOUND","message":"failed finding secret store with key fil (did you mean file?)"}'
    ]
  ]
  for (const [path, status, body] of cases) t.match(await shop.fetch(`/v1.0/secrets/${path}`), {status, body}, path)
  const all = await shop.fetch('/v1.0/secrets/file/bulk')
  t.same(JSON.parse(all.body), {
    plain: {plain: 'pear'},
    'nested:inner:deep': {'nested:inner:deep': 'plum'},
    'list:0': {'list:0': 'a'},
    'list:1': {'list:1': '5'},
    'list:2': {'list:2': 'true'},
    nothing: {nothing: ''}
  })
  const metadata = JSON.parse((await shop.fetch('/v1.0/metadata')).body) as {components: object[]}
  t.same(metadata.components[0], {name: 'dots', type: 'secretstores.local.file', version: 'v1'})
})

t.test('several values for each secret, and the scopes of a Configuration', async t => {
  const {shop} = await openShop(t, {
    'shop/secrets.json': SECRETS,
    'resources/file.yaml': component('file', 'secretstores.local.file', {
      secretsFile: 'secrets.json',
      multiValued: 'true'
    }),
    'config.yaml': JSON.stringify({
      kind: 'Configuration',
      spec: {secrets: {scopes: [{storeName: 'file', defaultAccess: 'deny', allowedSecrets: ['nested']}]}}
    })
  })
  t.match(await shop.fetch('/v1.0/secrets/file/nested'), {status: 200, body: '{"inner:deep":"plum"}'})
  t.match(await shop.fetch('/v1.0/secrets/file/plain'), {
    status: 403,
    body: '{"errorCode":"ERR_PERMISSION_DENIED","message":"access denied by policy to get \\"plain\\" from \\"file\\""}'
  })
  t.match(await shop.fetch('/v1.0/secrets/file/bulk'), {status: 200, body: '{"nested":{"inner:deep":"plum"}}'})
})

t.test('a component that cannot be opened: its app is not started, the file is shown with a caret', async t => {
  const {rig, run} = await (async () => {
    const rig = await openRig(t)
    await rig.write({'resources/file.yaml': component('file', 'secretstores.local.file', {secretsFile: 'none.json'})})
    await rig.template([
      {appID: 'shop', autoPort: true, resourcesPath: '../resources'},
      {appID: 'stock', autoPort: true}
    ])
    return {rig, run: rig.pillion(['run', '-f', '.'])}
  })()
  const stock = await rig.driven('stock')
  await run.waitForLine('"shop" was not started: the component file (secretstores.local.file) cannot be opened', {
    stream: 'stderr'
  })
  await stock.exit(0)
  t.match(await run.exited, {code: 1})
  t.match(run.stderr.text, /none\.json cannot be read.*\n +resources\/file\.yaml:1:\d+\n.*\n +\^/)
})

t.test('an app that was not started can be started once what was at fault is corrected', async t => {
  const rig = await openRig(t)
  const pipeline = {handlers: [{name: 'limit', type: 'middleware.http.ratelimit'}]}
  const configuration = {metadata: {name: 'config'}, kind: 'Configuration', spec: {httpPipeline: pipeline}}
  const limited = (most: string): Promise<void> =>
    rig.write({'resources/limit.yaml': component('limit', 'middleware.http.ratelimit', {maxRequestsPerSecond: most})})
  await limited('0')
  await rig.write({
    'resources/file.yaml': component('file', 'secretstores.local.file', {secretsFile: 'secrets.json'}),
    'config.yaml': JSON.stringify({apiVersion: 'dapr.io/v1alpha1', ...configuration})
  })
  await rig.template([
    {appID: 'shop', autoPort: true, resourcesPath: '../resources', configFilePath: '../config.yaml'},
    {appID: 'stock', autoPort: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await rig.driven('stock')
  await run.waitForLine('"shop" was not started', {stream: 'stderr'})
  /** Resolves with what `start` says once it says something else than before. */
  const said = async (before: RegExp): Promise<string> => {
    for (;;) {
      const {stdout, stderr} = await rig.run(['start', 'shop'])
      if (!before.test(stderr)) return stdout + stderr
    }
  }
  await limited('5')
  t.match(await said(/must be a positive value/), /secrets\.json cannot be read/)
  await rig.write({
    'shop/secrets.json': SECRETS,
    'resources/file.yaml': component('file', 'secretstores.local.file', {secretsFile: './secrets.json'})
  })
  t.match(await said(/cannot be read/), /shop/)
  const shop = await rig.driven('shop')
  await shop.listen()
  t.match(await shop.fetch('/v1.0/secrets/file/plain'), {status: 200, body: '{"plain":"pear"}'})
})

t.test('what a component needs may come later: start and restart open it then, its file unedited', async t => {
  const rig = await openRig(t)
  const vault = component('file', 'secretstores.local.file', {secretsFile: 'secrets.json'})
  await rig.write({'resources/file.yaml': vault})
  const resources = {autoPort: true, resourcesPath: '../resources'}
  await rig.template([
    {appID: 'shop', ...resources},
    {appID: 'cart', ...resources},
    {appID: 'bank', ...resources},
    {appID: 'desk', ...resources},
    {appID: 'bill', autoPort: true, dependsOn: {bank: 'started'}},
    {appID: 'stock', autoPort: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await rig.driven('stock')
  await run.waitForLine('"shop" was not started', {stream: 'stderr'})
  t.match(await rig.run(['start', 'shop']), {code: 1, stderr: /secrets\.json cannot be read/})
  t.match(await rig.run(['stop', 'desk']), {code: 0})
  for (const _ of [1, 2]) t.match(await rig.run(['debug', 'desk']), {code: 1, stderr: /secrets\.json cannot be read/})
  const apps = ['shop', 'cart', 'bank', 'desk']
  await rig.write(Object.fromEntries(apps.map(id => [`${id}/secrets.json`, SECRETS])))
  t.match(await rig.run(['debug', 'desk']), {code: 0})
  t.match(await rig.run(['ps']), {stdout: /desk.*debug/})
  t.match(await rig.run(['start', 'desk']), {code: 0})
  t.match(await rig.run(['start', 'shop']), {code: 0})
  t.match(await rig.run(['restart', 'cart']), {code: 0})
  t.match(await rig.run(['start', 'bill']), {code: 0, stderr: ''}, 'with what it depends on')
  for (const id of apps) {
    const app = await rig.driven(id)
    await app.listen()
    t.match(await app.fetch('/v1.0/secrets/file/plain'), {status: 200, body: '{"plain":"pear"}'}, id)
  }
})
