/**
 * Public programs with actors, unmodified, by the commands of their READMEs: the examples of Dapr's SDKs for Go, Python and JavaScript,
 * and a template of three apps. They are fetched from GitHub; where it cannot be reached they are skipped.
 */
import {execFileSync} from 'node:child_process'
import {cp, symlink} from 'node:fs/promises'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {freePort, untilFree} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {daprForJavascript, daprForPythonWeb, installed, publicSource, type Package} from './installed.ts'

t.setTimeout(900_000)

const WAIT = {limitMs: 120_000}

/** A rig with a copy of the files, where they are to be had. */
async function withFiles(t: Test, source: Package): Promise<Rig | undefined> {
  const from = await installed(t, source)
  if (from === undefined) return undefined
  const rig = await openRig(t)
  await cp(from, rig.folder, {recursive: true})
  return rig
}

t.test('a template of three apps in Go: dice and coins are actors, a simulation throws them', async t => {
  const rig = await withFiles(
    t,
    publicSource({
      repository: 'aykay76/dapr-go',
      commit: '68193c4995315716c1f035095e87a94fe7c2f847',
      paths: ['.'],
      // so that "go run" has it in its cache
      build: folder =>
        ['dice', 'coin', 'simulation'].map(app => ['go', 'build', '-C', join(folder, app), '-o', '/dev/null', '.'])
    })
  )
  if (rig === undefined) return
  // what was compiled above; the run has a home of its own
  const go = JSON.parse(execFileSync('go', ['env', '-json', 'GOCACHE', 'GOMODCACHE'], {encoding: 'utf8'})) as Record<
    string,
    string
  >
  const run = rig.pillion(['run', '-f', '.'], {env: go})
  await run.waitForLine('== APP - dapr-go == You can start a simulation', WAIT)
  const {http} = await run.ports('dapr-go')
  const {status} = await fetch(`http://127.0.0.1:${http}/v1.0/invoke/dapr-go/method/start`, {
    method: 'POST',
    body: '{}'
  })
  t.equal(status, 200)
  await run.waitForLine(/== APP - dapr-go == Simulation finished/, WAIT)
  const thrown = (pattern: RegExp): number => run.stdout.lines.filter(line => pattern.test(line)).length
  t.equal(thrown(/Die die\d result = %!d\(float64=[1-6]\)$/), 990, 'ten dice, 99 times')
  t.equal(thrown(/Coin coin\d result = %!d\(string=(?:heads|tails)\)$/), 990)
})

t.test('the example of the SDK for Go', async t => {
  const rig = await withFiles(
    t,
    publicSource({
      repository: 'dapr/go-sdk',
      commit: '2d0b08509cf27a60c14238e1f7f8e9ff10ddaf13',
      paths: ['*.go', '*.mod', '*.sum', '*.yaml', 'version'],
      build: folder =>
        ['serving', 'client'].map(part => [
          'go',
          'build',
          '-C',
          join(folder, 'examples'),
          '-mod=mod',
          '-o',
          part,
          `./actor/${part}`
        ])
    })
  )
  if (rig === undefined) return
  const at = {folder: 'examples/actor'}
  const flags = (part: string): readonly string[] =>
    ['--log-level', 'debug', '--resources-path', './config', '--'].concat(join(rig.folder, 'examples', part))
  const server = rig.pillion(
    ['run', '--app-id', 'actor-serving', '--app-protocol', 'http', '--app-port', '8080', ...flags('serving')],
    at
  )
  await server.waitForLine(/You're up and running/, {...WAIT, stream: 'stdout'})
  const client = rig.pillion(['run', '--app-id', 'actor-client', ...flags('client')], at)
  t.match(await client.exited, {code: 0})
  for (const line of [
    'get user result =  &{abc 123}',
    'get invoke result =  laurence',
    'get post result =  laurence',
    'get result =  get result',
    'stop timer',
    'stop reminder',
    'get user = {Name: Age:1}',
    'get user = {Name: Age:2}'
  ])
    t.ok(client.stdout.text.includes(line), line)
  for (const line of [
    'call get user req =  &{abc 123}',
    'get req =  laurence',
    'get post request =  laurence',
    'get req =  hello',
    'receive reminder =  testReminderName  state =  "hello"'
  ])
    t.ok(server.stdout.text.includes(line), line)
})

for (const service of ['demo_actor_service', 'demo_actor_flask'])
  t.test(`the example of the SDK for Python: ${service}`, async t => {
    const packages = await installed(t, daprForPythonWeb)
    const rig = await withFiles(
      t,
      publicSource({
        repository: 'dapr/python-sdk',
        commit: 'e4ad1818079c5089814e4d1610b585286d28b98f',
        paths: ['examples/demo_actor']
      })
    )
    if (packages === undefined || rig === undefined) return
    const port = `${await freePort()}`
    const at = {
      folder: 'examples/demo_actor/demo_actor',
      env: {PYTHONPATH: packages, APP_PORT: port, HTTP_APP_PORT: port}
    }
    const command = service.endsWith('flask')
      ? ['python3', `${service}.py`]
      : ['python3', '-m', 'uvicorn', '--port', port, `${service}:app`]
    const server = rig.pillion(['run', '--app-id', 'demo-actor', '--app-port', port, '--', ...command], at)
    await server.waitForLine(/You're up and running/, WAIT)
    const client = rig.pillion(['run', '--app-id', 'demo-client', '--', 'python3', 'demo_actor_client.py'], at)
    t.match(await client.exited, {code: 0})
    for (const line of [
      'None',
      "Actor reentrancy enabled: b'true'",
      "{'data': 'new_data'",
      'stop timer',
      'clear actor state'
    ])
      t.ok(client.stdout.text.includes(line), line)
    for (const line of [
      'Activate DemoActor actor!',
      'has_value: True',
      'set reminder is done',
      'set_timer is done',
      "receive_reminder is called - demo_reminder reminder - b'reminder_state'",
      'time_callback is called - timer_state',
      'clear_my_data'
    ])
      t.ok(server.stdout.text.includes(line), line)
  })

t.test('the example of the SDK for JavaScript', async t => {
  const packages = await installed(t, daprForJavascript('3.18.0'))
  const rig = await withFiles(
    t,
    publicSource({
      repository: 'dapr/js-sdk',
      commit: 'dcc90636ffd40081ef8b960145f8d9c136c99cb4',
      paths: ['examples/http/actor'],
      build: folder => {
        const example = join(folder, 'examples/http/actor')
        const esbuild = join(import.meta.dirname, '../../node_modules/.bin/esbuild')
        const flags = ['--bundle', '--platform=node', '--external:@dapr/dapr', '--keep-names', '--log-level=error']
        return [[esbuild, join(example, 'src/index.ts'), ...flags, `--outfile=${join(example, 'dist/index.js')}`]]
      }
    })
  )
  if (packages === undefined || rig === undefined) return
  const folder = 'examples/http/actor'
  await symlink(join(packages, 'node_modules'), join(rig.folder, folder, 'node_modules'))
  const flags = [
    '--app-protocol',
    'http',
    '--app-port',
    '50001',
    '--dapr-http-port',
    '50000',
    '--resources-path',
    './components'
  ]
  for (const port of [50_000, 50_001]) await untilFree(port)
  const run = rig.pillion(['run', '--app-id', 'example-actor', ...flags, '--', process.execPath, 'dist/index.js'], {
    folder
  })
  t.match(await run.exited, {code: 0})
  for (const line of [
    "Invoked 'getCounter' and got data: 3",
    "Invoked 'getCounter' and got data: 13",
    'Actor Reminder Fired!',
    "Invoked 'getCounter' and got data: 0",
    /Invoked 'getCounter' and got data: [1-3]00/,
    'Invoked \'getState\' for "my-numeric-key" and got data: 1',
    'Invoked \'getState\' for "my-object-key" and got data.message: Hello World!',
    'Invoked \'getState\' for "my-custom-type-key" and got data.name: John Doe'
  ])
    t.match(run.stdout.text, line)
})
