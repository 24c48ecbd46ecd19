import {rename} from 'node:fs/promises'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {PublishEventRequest} from '../../src/model/dapr/messages/pubsub.generated.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** Answers everything, and writes each request that it gets. */
const API = `require('node:http').createServer((request, response) => {
  console.log('got', request.url)
  response.end('hello')
}).listen(process.env.PORT)`
const WORKER = `console.log('working'); setInterval(() => {}, 1000)`

async function shop(t: Test, name = 'pillion.yaml'): Promise<{readonly rig: Rig; readonly port: number}> {
  const rig = await openRig(t)
  const port = await freePort()
  const [id, dir] = name.startsWith('pillion') ? ['id', 'dir'] : ['appID', 'appDirPath']
  const apps = [
    {[id]: 'api', [dir]: 'api', port, command: ['node', '-e', API]},
    {[id]: 'worker', [dir]: 'worker', command: ['node', '-e', WORKER]}
  ]
  await rig.write({'api/x': '', 'worker/x': '', [name]: JSON.stringify({version: 1, apps})})
  return {rig, port}
}

t.test('a pillion.yaml runs, and neither the screen nor a log of its apps has a word of Dapr', async t => {
  const {rig, port} = await shop(t)
  t.match(await rig.run(['validate']), {code: 0, stdout: '✅  pillion.yaml can run: 2 apps\n', stderr: ''})
  const run = rig.pillion(['up'])
  await run.waitForLine(/^✅  worker started \(\d+\.\d s\)$/)
  await run.waitForLine(new RegExp(`^✅  api ready at http://localhost:${port} \\(\\d+\\.\\d s\\)$`))
  t.equal(await (await fetch(`http://localhost:${port}/first`)).text(), 'hello')
  await run.waitForLine('== APP - api == got /first')
  const shown = ['ps', 'list', 'calls', 'graph', 'why', 'url', 'logs', 'doctor', 'copies']
  for (const command of shown)
    t.notMatch(await rig.run([command, ...(command === 'url' ? ['api'] : [])]), {stdout: /dapr(?!\/logs)/i}, command)
  t.match(await rig.run(['down']), {code: 0, stdout: '✅  2 apps stopped\n'})
  await run.exited
  t.notMatch(run.stdout.text + run.stderr.text, /dapr|termination signal/i)
  t.match(run.stdout.text, 'stopping 2 apps …')
  t.match(await rig.run(['ps']), {stdout: 'Nothing is running.\n'})
  t.same(
    run.stdout.lines.filter(line => line.includes('== got')),
    ['== APP - api == got /first']
  )
})

t.test('run -f of a pillion.yaml keeps Dapr’s lines', async t => {
  const {rig} = await shop(t)
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('ℹ️  Started Dapr with app id "api"')
  t.match(await rig.run(['stop', '-f', '.']), {stdout: '✅  Dapr and app processes stopped successfully\n'})
  await run.exited
})

t.test('both names in one folder are refused by what reads a template; one above does not count', async t => {
  const {rig} = await shop(t)
  await rig.write({'inner/pillion.yaml': 'version: 1\napps: [{id: a, dir: ., command: ["true"]}]\n'})
  await rig.write({'dapr.yaml': 'version: 1\napps: [{appID: a, appDirPath: ., command: ["true"]}]\n'})
  for (const command of ['up', 'validate'])
    t.match(await rig.run([command]), {code: 1, stderr: '❌  pillion.yaml and dapr.yaml are in one folder\n'}, command)
  t.match(await rig.run(['doctor']), {code: 1, stdout: /pillion\.yaml and dapr\.yaml are in one folder/})
  t.match(await rig.run(['validate', '-f', 'dapr.yaml']), {code: 0})
  t.match(await rig.run(['up'], {folder: 'inner'}), {code: 0})
  t.match(await rig.run(['import', '-o', 'pillion.yml']), {code: 1, stderr: /already exists/})
})

t.test('mistakes of a pillion.yaml have a place, and no words of Dapr or Go', async t => {
  const rig = await openRig(t)
  const wrong: readonly (readonly [text: string, stderr: RegExp])[] = [
    ['apps: []', /^❌ {2}version is missing\npillion\.yaml:1:1/],
    ['version: 1\napps: [{id: a, command: [x]}]', /^❌ {2}dir is missing\npillion\.yaml:2:8\n.*\n.*\nexpected dir:/],
    ['version: 1\napps: [{id: a, dir: nowhere}]', /^❌ {2}\S*nowhere: no such file or directory\npillion\.yaml:2:21/],
    ['version: 1\napps: [{id: a, dir: ., env: [A=1]}]', /^❌ {2}a value of the wrong type\npillion\.yaml:2:29/],
    ['version: 1\napps: [{id: a, dir: .', /^❌ {2}not valid YAML: /],
    ['version: 1\napps: [{id: a, dir: ., appProtocol: x}]', /^❌ {2}wrong value of appProtocol\n/],
    ['version: 1\napps: [{id: a, dir: ., command: [""]}]', /^❌ {2}app "a": the command is empty\n/],
    [
      'version: 1\napps: [{id: a, appID: b, dir: .}]',
      /^❌ {2}id and appID are two names of one key\npillion\.yaml:2:9\n.*\n {8}\^\^\n/
    ],
    [
      'version: 1\napps:\n  - {id: web, dir: .}\n  - {id: web, dir: ., port: 5100}',
      /^❌ {2}two apps have the id "web": pillion\.yaml:3:10 and pillion\.yaml:4:10\n/
    ]
  ]
  for (const [text, expected] of wrong) {
    await rig.write({'pillion.yaml': text})
    const {code, stdout, stderr} = await rig.run(['up'])
    t.same({code, stdout}, {code: 1, stdout: ''}, text)
    t.match(stderr, expected, text)
    t.notMatch(stderr, /dapr|app config|unmarshal|runfileconfig/i, text)
    t.match(await rig.run(['validate']), {code: 1, stderr: expected}, text)
  }
})

t.test('in a dapr.yaml the short names are unknown, and one id with one number is a warning', async t => {
  const rig = await openRig(t)
  await rig.write({
    'dapr.yaml':
      'version: 1\napps:\n  - {appID: web, appDirPath: ., id: web, port: 5100, command: [a]}\n  - {appID: web, appDirPath: ., port: 5100, command: [a]}\n  - {appID: web, appDirPath: ., port: 5101, command: [a]}\n'
  })
  const {code, stderr} = await rig.run(['validate'])
  t.equal(code, 0)
  t.match(stderr, /id is ignored: unknown key\n[^]*did you mean appID\?/)
  t.equal(stderr.match(/two entries have the id "web"/g)?.length, 1)
})

t.test('a template keeps what is its own under both names, also one that is renamed while it runs', async t => {
  const {rig} = await shop(t, 'dapr.yaml')
  const crash = async (): Promise<void> => {
    const {stdout} = await rig.run(['ps', '-o', 'json'])
    const [api] = JSON.parse(stdout) as readonly {readonly pid: number}[]
    process.kill(api?.pid ?? 0, 'SIGKILL')
    await rig.run(['wait', '--for', 'exit:api'])
  }
  const run = rig.pillion(['up', '--watch'])
  await run.waitForLine('== APP - worker == working')
  const page = async (): Promise<unknown> => /http:.*/.exec((await rig.run(['dashboard', '--no-open'])).stdout)?.[0]
  const before = await page()
  await rename(join(rig.folder, 'dapr.yaml'), join(rig.folder, 'pillion.yaml'))
  t.match(await rig.run(['ps']), {code: 0, stdout: /worker +ready/}, 'its run is found by its new name')
  t.match(await rig.run(['up']), {code: 1, stderr: /is already running/})
  await crash()
  const apps = [{id: 'api', dir: 'api', command: ['node', '-e', 'console.log("edited"); setInterval(() => {}, 1000)']}]
  await rig.write({'pillion.yaml': JSON.stringify({version: 1, apps})})
  await run.waitForLine('== APP - api == edited')
  t.match(await rig.run(['down']), {code: 0, stdout: '✅  1 app stopped\n'})
  t.match(await run.exited, {code: 0})
  t.match(await rig.run(['why', '--last-run']), {stdout: /SIGKILL/}, 'its exits are found, too')
  const again = rig.pillion(['up', '-f', '.'])
  await again.waitForLine('api started')
  t.equal(await page(), before, 'the page has the address and the key that it had')
  await rig.run(['down'])
})

/** It takes each request for one of its own clients, whose bodies are JSON. */
const STRICT = `require('node:http').createServer((request, response) => {
  let body = ''
  request.on('data', piece => (body += piece)).on('end', () => response.end(JSON.parse(body).name))
}).listen(process.env.PORT)`

const strict = (keys: object): string =>
  JSON.stringify({version: 1, apps: [{appID: 'api', appDirPath: '.', command: ['node', '-e', STRICT], ...keys}]})

t.test('a service that fails at an unknown request lives with a port alone; why names such a request', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({'dapr.yaml': strict({port})})
  t.match(await rig.run(['up', '-d']), {code: 0, stdout: /1 app ready/})
  const answer = await fetch(`http://localhost:${port}/`, {method: 'POST', body: '{"name": "jam"}'})
  t.equal(await answer.text(), 'jam')
  await rig.run(['down'])
  await rig.write({'dapr.yaml': strict({autoPort: true})})
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine(/^ *GET \/dapr\/config from its sidecar/, {stream: 'stderr'})
  await run.exited
  const {stdout} = await rig.run(['why', '--last-run'])
  t.match(stdout, /Sent by Pillion:\n {2}GET \/dapr\/config from its sidecar/)
  t.notMatch(stdout, 'No recorded call was in flight')
})

/** Tells its topic and its actor, and writes what it gets. */
const READS = `require('node:http').createServer((request, response) => {
  let body = ''
  request.on('data', piece => (body += piece)).on('end', () => {
    console.log(request.method, request.url, body.includes('"data":"jam"') ? 'jam' : '')
    if (request.url === '/dapr/config') return response.end('{"entities": ["cart"]}')
    if (request.url === '/dapr/subscribe') return response.end('[{"pubsubname": "pubsub", "topic": "orders", "route": "/orders"}]')
    response.end('{}')
  })
}).listen(process.env.PORT)`
const CALLS = `const at = 'http://localhost:' + process.env.DAPR_HTTP_PORT + '/v1.0/'
setInterval(async () => {
  if (!require('node:fs').existsSync('go')) return
  const [way] = require('node:fs').readFileSync('go', 'utf8').split('\\n')
  require('node:fs').rmSync('go')
  console.log('answer', (await fetch(at + way, {method: 'POST', headers: {'content-type': 'application/json'}, body: '"jam"'})).status)
}, 20)
console.log('open')`

for (const [what, way, then] of [
  ['event', 'publish/pubsub/orders', 'POST /orders jam'],
  ['actor call', 'actors/cart/1/method/pay', 'PUT /actors/cart/1/method/pay']
] as const)
  t.test(`no app of a plain stack is asked before one calls a sidecar; the first ${what} arrives`, async t => {
    const rig = await openRig(t)
    const ports = [await freePort(), await freePort()] as const
    await rig.write({
      'pillion.yaml': JSON.stringify({
        version: 1,
        apps: [
          {id: 'reader', dir: '.', port: ports[0], command: ['node', '-e', READS]},
          {id: 'other', dir: '.', port: ports[1], command: ['node', '-e', API]},
          {id: 'caller', dir: '.', command: ['node', '-e', CALLS]}
        ]
      })
    })
    const run = rig.pillion(['up'])
    await run.waitForLine('== APP - caller == open')
    for (const port of ports) await fetch(`http://localhost:${port}/first`)
    t.match(await rig.run(['invoke', '--app-id', 'other', '--method', 'mine', '--verb', 'GET']), {code: 0})
    await run.waitForLine('== APP - other == got /mine')
    t.notMatch(run.stdout.text, '/dapr/', 'a call of a person is none of an app')
    await rig.write({go: way})
    await run.waitForLine(`== APP - reader == ${then}`)
    await run.waitForLine(/== APP - caller == answer 20[04]/)
    await run.waitForLine('== APP - other == got /dapr/config')
    t.equal(run.stdout.text.match(/reader == GET \/dapr\/config/g)?.length, 1, 'it is asked once')
    await rig.run(['down'])
  })

t.test('a call over gRPC counts, too: the first event arrives', async t => {
  const rig = await openRig(t)
  const apps = [
    {id: 'reader', dir: '.', port: await freePort(), command: ['node', '-e', READS]},
    {id: 'worker', dir: '.', command: ['node', '-e', WORKER]}
  ]
  await rig.write({'pillion.yaml': JSON.stringify({version: 1, apps})})
  const run = rig.pillion(['up'])
  await run.waitForLine('reader ready')
  const all = JSON.parse((await rig.run(['ps', '-o', 'json'])).stdout) as readonly {readonly grpcPort: number}[]
  const client = new DaprClient(t, all[1]?.grpcPort ?? 0)
  t.notMatch(run.stdout.text, '/dapr/')
  const event = {pubsubName: 'pubsub', topic: 'orders', data: Buffer.from('"jam"'), dataContentType: 'application/json'}
  t.match(await client.call('PublishEvent', [PublishEventRequest, event]), {code: 0})
  await run.waitForLine('== APP - reader == POST /orders jam')
  await rig.run(['down'])
})

t.test('resources of one app, or an app port, have the apps asked as ever', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({
    'resources/x': '',
    'pillion.yaml': JSON.stringify({
      version: 1,
      common: {resourcesPath: './resources'},
      apps: [{id: 'api', dir: '.', port, command: ['node', '-e', API]}]
    })
  })
  const run = rig.pillion(['up'])
  await run.waitForLine('== APP - api == got /dapr/config')
  await rig.run(['down'])
})
