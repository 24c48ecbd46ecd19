import {once} from 'node:events'
import {existsSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import http from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {openRig} from '../rig/rig.ts'

/** A site outside that answers with its name. */
const site = async (t: Test, name: string): Promise<string> => {
  const server = http.createServer((_, response) => response.end(name))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const endpoint = (name: string, baseUrl: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: ${name}}\nspec: {baseUrl: "${baseUrl}"}\n`

t.test('resources that change are followed while the run goes on; a broken one is told, changes nothing', async t => {
  const rig = await openRig(t)
  const [old, anew] = [await site(t, 'old'), await site(t, 'new')]
  await rig.write({'resources/site.yaml': endpoint('site', old)})
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const answers = async (id: string): Promise<string> => (await shop.fetch(`/v1.0/invoke/${id}/method/x`)).body
  const until = async (id: string, expected: string): Promise<void> => {
    while ((await answers(id)) !== expected) await pause(5)
  }
  t.equal(await answers('site'), 'old')
  await rig.write({'resources/site.yaml': endpoint('site', anew)})
  await until('site', 'new')
  await rig.write({'resources/site.yaml': 'kind: HTTPEndpoint\nspec: [\n'})
  await run.stderr.line(/resources\/site\.yaml:\d:\d+: not valid YAML/)
  t.equal(await answers('site'), 'new')
  await rig.write({'resources/another.yml': endpoint('another', old)})
  await until('another', 'old')
  t.match(await run.end('SIGINT'), {code: 0})
})

t.test('the first resource of a folder that was empty takes effect', async t => {
  const rig = await openRig(t)
  const outside = await site(t, 'outside')
  await rig.write({'resources/notes.txt': 'none yet'})
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const answer = async (): Promise<string> => (await shop.fetch('/v1.0/invoke/site/method/x')).body
  t.match(await answer(), /ERR_DIRECT_INVOKE/)
  await rig.write({'resources/site.yaml': endpoint('site', outside)})
  while ((await answer()) !== 'outside') await pause(5)
  t.match(await run.end('SIGINT'), {code: 0})
})

const component = (name: string, type: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${name}\nspec: {type: ${type}, version: v1}\n`

t.test('what has no effect is said: by validate with its place, by run in a line, by its call', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/pubsub.yaml': component('orderpubsub', 'pubsub.pulsar'),
    'resources/resiliency.yaml': 'kind: Resiliency\nmetadata: {name: r}\nspec: {targets: {apps: {x: {retry: nix}}}}\n',
    'resources/tracing.yaml': 'kind: Configuration\nmetadata: {name: daprConfig}\n'
  })
  await rig.template([{appID: 'shop', resourcesPath: '../resources', placementHostAddress: 'localhost:1'}])
  const env = {PILLION_DAPRD: 'never'}
  const {code, stderr} = await rig.run(['validate'], {env})
  t.equal(code, 0)
  t.match(stderr, /placementHostAddress has no effect: actors need no placement service\ndapr\.yaml:\d+:\d+\n/)
  t.match(
    stderr,
    /Component "orderpubsub" \(pubsub\.pulsar\) has no effect: this type is not supported yet\nresources\/pubsub\.yaml:4:9\n {2}name: orderpubsub\n {8}\^{11}\n/
  )
  t.match(
    stderr,
    /targets\.apps\.x names retry "nix", which is not in policies\.retries: it has no retry\nresources\/resil/
  )
  const json = JSON.parse((await rig.run(['validate', '-o', 'json'])).stdout) as {findings: readonly object[]}
  t.match(json.findings[1], {file: 'resources/resiliency.yaml', line: 3, column: 36})
  const run = rig.pillion(['run', '-f', '.'], {env})
  const shop = await rig.driven('shop')
  await run.stderr.line(
    /without effect: Component "orderpubsub" \(pubsub\.pulsar\) in resources\/pubsub\.yaml:4 \(this type is not supported yet\), Configuration "daprConfig" in resources\/tracing\.yaml:1 \(only the file that configFilePath or --config names is read\)$/
  )
  const published = await shop.fetch('/v1.0/publish/orderpubsub/topic', {method: 'POST', body: '{}'})
  t.equal(published.status, 404)
  t.match(JSON.parse(published.body), {
    errorCode: 'ERR_PUBSUB_NOT_FOUND',
    message:
      'pubsub orderpubsub is not found (resources/pubsub.yaml:4 names it, but its type pubsub.pulsar is not supported yet)'
  })
  t.match(await run.end('SIGINT'), {code: 0})
})

t.test('of Dapr’s own folder run says nothing, and the call that wants it does', async t => {
  const rig = await openRig(t)
  await rig.write({'../home/.dapr/components/statestore.yaml': component('statestore', 'state.etcd')})
  await rig.template([{appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  t.match(await shop.fetch('/v1.0/state/statestore/x'), {
    status: 500,
    body: /state store statestore is not configured \(.*statestore\.yaml:4 names it, but its type state\.etcd needs a real daprd: no daprd is installed/
  })
  t.match(await run.end('SIGINT'), {code: 0})
  t.equal(run.stderr.text, '')
})

t.test('the sidecar’s log has the lines that Dapr’s scripts wait for, in their order, as text and as JSON', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', enableApiLogging: true, autoPort: true}])
  const expected = [
    /^(Starting Dapr with id shop\.)/,
    /HTTP server is running on port \d+/,
    /Internal gRPC server is running on :\d+/,
    /application protocol: http\. waiting on port \d+\. {2}This will block until the app is listening on that port\./,
    /^(?=.*HTTP API Called).*PUT \/v1\.0\/metadata\/cliPID/,
    /application discovered on port \d+/,
    /dapr initialized\. Status: Running\. Init Elapsed \d+ms/,
    /^(?=.*HTTP API Called).*GET \/v1\.0\/metadata/,
    /Daprd shutdown gracefully/,
    /Exited Dapr successfully/
  ]
  for (const flags of [[], ['--log-as-json']]) {
    const run = rig.pillion(['run', '-f', '.', ...flags])
    const shop = await rig.driven('shop')
    await shop.listen()
    while ((await shop.fetch('/v1.0/healthz')).status !== 204) await pause(5)
    await shop.fetch('/v1.0/metadata')
    t.match(await run.end('SIGINT'), {code: 0})
    const folder = join(rig.folder, 'shop/.dapr/logs')
    const [name = ''] = readdirSync(folder).filter(file => file.includes('daprd'))
    const lines = readFileSync(join(folder, name), 'utf8').split('\n')
    rmSync(folder, {recursive: true})
    let at = -1
    for (const pattern of expected) {
      const next = lines.findIndex((line, index) => index > at && pattern.test(line))
      t.ok(next > at, `${pattern.source} after line ${at} ${flags.join()}`)
      at = next
    }
    const own = lines.filter(line => line.includes('dapr.runtime'))
    t.ok(own.length > 8)
    for (const line of own)
      if (flags.length === 0) t.match(line, /^time="[^"]+" level=info msg=.* app_id=shop .*type=log .*ver=/)
      else t.match(JSON.parse(line), {app_id: 'shop', level: 'info', type: 'log'})
  }
})

t.test('an empty command fails the run before anything is started', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop', command: ['touch', 'started']},
    {appID: 'stock', command: ['']}
  ])
  const {code, stdout} = await rig.run(['run', '-f', '.'])
  t.equal(code, 1)
  t.match(stdout, 'Error starting Dapr and app ("stock"): exec: no command')
  t.notOk(existsSync(join(rig.folder, 'shop/started')))
})
