import {cpSync, existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import {copyExample} from '../rig/example.ts'
import {freePort} from '../rig/free-port.ts'
import {ask, managerOf} from '../rig/manager.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {openSdk} from '../rig/sdk.ts'

// The first test of a machine installs the SDK.
t.setTimeout(400_000)

const FIXTURES = join(import.meta.dirname, '../fixtures/daeploy')

/** Copies services into the rig's folder, and writes a template with a manager's port of its own. */
const template = async (rig: Rig, folders: readonly string[], apps: readonly object[]): Promise<void> => {
  for (const folder of folders) cpSync(join(FIXTURES, folder), join(rig.folder, folder), {recursive: true})
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, managerPort: 0, apps})})
}

const post = async (url: string, body: unknown) => ask(url, {method: 'POST', body})

const PYTHON = ['python', 'service.py']
const RELAY = {appID: 'relay', version: '1.0.0', appDirPath: 'relay', command: PYTHON}

/** Lines that an app has written. */
const linesOf = (run: Program, name: string): readonly string[] =>
  run.stdout.lines.filter(line => line.startsWith(`== APP - ${name} == `))

for (const set of ['today', 'older'] as const)
  t.test(`the example: two services with one port call each other and notify (versions: ${set})`, async t => {
    const sdk = await openSdk(t, set)
    if (sdk === undefined) return
    const rig = await openRig(t)
    const {folder} = await copyExample(rig, 'daeploy')
    const template = join(folder, 'dapr.yaml')
    writeFileSync(template, `${readFileSync(template, 'utf8')}managerPort: 0\n`)
    const run = rig.pillion(['run', '-f', 'daeploy'], {env: sdk.env})
    const manager = await managerOf(run)
    const desk = `${manager}/services/parcel_desk`
    t.match(await post(`${desk}/accept`, {items: ['book', 'tea']}), {
      status: 200,
      headers: {'content-type': 'application/json'},
      body: '{"items":2,"grams":760,"accepted":true}'
    })
    t.equal((await ask(`${manager}/notifications/`)).body, '{}')
    for (let i = 0; i < 2; i++)
      t.match(await post(`${desk}/accept`, {items: ['anvil']}), {body: '{"items":1,"grams":41000,"accepted":false}'})
    const kept = Object.values(JSON.parse((await ask(`${manager}/notifications/`)).body) as Record<string, unknown>)
    t.equal(kept.length, 1)
    t.match(kept, [
      {service_name: 'parcel_desk', service_version: '1.0.0', msg: 'a parcel of 41000 g', severity: 1, counter: 2}
    ])
    await run.waitForLine('🔔 parcel_desk 1.0.0 WARNING a parcel of 41000 g', {nth: 2})

    const docs = await ask(`${desk}/docs`)
    t.match(docs.body, '<title>parcel_desk 1.0.0 - Swagger UI</title>')
    t.match(docs.body, '/services/parcel_desk_1.0.0/openapi.json')
    const {servers, paths} = JSON.parse((await ask(`${desk}/openapi.json`)).body) as {
      servers: {url: string}[]
      paths: Record<string, Record<string, unknown>>
    }
    t.match(servers, [{url: '/services/parcel_desk_1.0.0'}])
    for (const [path, methods] of Object.entries(paths))
      for (const method of Object.keys(methods)) {
        const {status} = await ask(`${manager}${servers[0]?.url ?? ''}${path}`, {
          method: method.toUpperCase(),
          body: {}
        })
        t.not(status, 404, `${method} ${path}`)
        t.not(status, 502, `${method} ${path}`)
      }

    t.match(await post(`${manager}/services/nobody/x`, {}), {status: 404, body: '{"detail":"Not Found"}'})
    t.match(await ask(`${desk}/docs`, {headers: {host: 'localhost'}}), {status: 200})
    t.match(await ask(`${desk}/docs`, {headers: {host: 'evil.test'}}), {status: 403})
    t.ok(existsSync(join(folder, 'scales/service_db.db')))

    run.signalGroup('SIGINT')
    t.same(await run.exited, {code: 0, signal: null})
    t.same(await rig.leftovers(), [])
    t.notMatch(run.stdout.text, /exited with error|Traceback/)
    t.same(
      run.stderr.lines.filter(line => !line.startsWith('⌛  not ready after')), // on a slow machine
      []
    )
    t.notOk(existsSync(join(folder, 'scales/service_db.db')), 'it was asked to end, and took its database with it')
    t.same(existsSync(join(rig.home, '.cache/pillion')) ? readdirSync(join(rig.home, '.cache/pillion')) : [], [])
  })

t.test('call_service: main and shadows, a named version, GET with a body, a redirect, a shell', async t => {
  const sdk = await openSdk(t)
  if (sdk === undefined) return
  const rig = await openRig(t)
  const proxied: string[] = []
  const proxy = createServer((request, response) => {
    proxied.push(request.url ?? '')
    response.writeHead(502).end()
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => proxy.close())
  const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  await template(
    rig,
    ['echo', 'relay'],
    [
      {appID: 'echo', version: '1.0.0', appDirPath: 'echo', command: ['/bin/sh', '-c', 'exec python service.py']},
      {appID: 'echo', version: '2.0.0', appDirPath: 'echo', command: PYTHON, env: {FAILS: '1'}},
      RELAY
    ]
  )
  const run = rig.pillion(['run', '-f', '.'], {env: {...sdk.env, HTTP_PROXY: proxyUrl, http_proxy: proxyUrl}})
  const manager = await managerOf(run)
  const relay = async (body: object) =>
    post(`${manager}/services/relay/relay`, {name: 'echo', entrypoint: 'greet', arguments: {name: 'Ada'}, ...body})
  t.match(await relay({}), {status: 200, body: '"Ada from 1.0.0"'}, 'main answers')
  await run.waitForLine(/== APP - echo_2\.0\.0 == .*greeting Ada/)
  await run.waitForLine(/== APP - echo_2\.0\.0 == .*RuntimeError: it fails/)
  t.match(await relay({arguments: {name: 'Bo'}, version: '1.0.0'}), {body: '"Bo from 1.0.0"'})
  t.match(await relay({arguments: {name: 'Cy'}, version: '2.0.0'}), {status: 500}, 'a failure of who was asked is told')
  t.match(await relay({entrypoint: 'look', method: 'GET', arguments: {name: 'Di'}}), {body: '"Di seen by 1.0.0"'})
  t.match(
    await relay({entrypoint: 'greet/', arguments: {name: 'Ed'}}),
    {body: '"Ed from 1.0.0"'},
    'a trailing slash is redirected'
  )
  t.match(await relay({entrypoint: 'greet/', version: '1.0.0', arguments: {name: 'Flo'}}), {body: '"Flo from 1.0.0"'})
  await run.waitForLine(/== APP - echo_2\.0\.0 == .*greeting Ed/)
  t.same(
    linesOf(run, 'echo_2.0.0').filter(line => /greeting (?:Bo|Flo)/.test(line)),
    [],
    'a named version is called alone'
  )
  t.match((await ask(`${manager}/services/echo_1.0.0/docs`)).body, '<title>echo 1.0.0 - Swagger UI</title>')
  t.same(proxied, [], "no call went by the company's proxy")

  t.match(await post(`${manager}/services/relay/tell`, {msg: 'look out'}), {body: '"told"'})
  await run.waitForLine('🔔 relay 1.0.0 CRITICAL look out (e-mail not sent)')
  t.match(Object.values(JSON.parse((await ask(`${manager}/notifications/`)).body) as object), [
    {timer: 60, frozen_until: /^\d{4}-\d\d-\d\dT/}
  ])

  t.match(await rig.run(['assign', 'echo', '2.0.0']), {code: 0})
  t.match(await relay({arguments: {name: 'Gus'}}), {status: 500})
  await run.waitForLine(/== APP - echo_1\.0\.0 == .*greeting Gus/)
  t.match(await run.end(), {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('a change of service.py restarts it once, its database never does, and a caller loses nothing', async t => {
  const sdk = await openSdk(t)
  if (sdk === undefined) return
  const rig = await openRig(t)
  await template(rig, ['echo'], [{appID: 'echo', version: '1.0.0', appDirPath: 'echo', command: PYTHON, watch: true}])
  const run = rig.pillion(['run', '-f', '.'], {env: sdk.env})
  const manager = await managerOf(run)
  const greet = async () => post(`${manager}/services/echo/greet`, {name: 'Ada'})
  t.match(await greet(), {body: '"Ada from 1.0.0"'})
  const file = join(rig.folder, 'echo/service.py')
  await rig.write({'echo/service.py': readFileSync(file, 'utf8').replace('{name} from {ME}', '{name} anew from {ME}')})
  writeFileSync(join(rig.folder, 'echo/service_db.db'), 'touched')
  writeFileSync(join(rig.folder, 'echo/service_db.db-journal'), 'touched')
  const calls: ReturnType<typeof greet>[] = []
  const isOver = {value: false}
  const calling = (async () => {
    while (!isOver.value) {
      calls.push(greet())
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  })()
  await run.waitForLine(/reloaded|restarted/i)
  for (let body = ''; !body.includes('anew');) body = (await greet()).body
  isOver.value = true
  await calling
  const answers = await Promise.all(calls)
  t.same(
    answers.filter(({status}) => status !== 200),
    [],
    `${answers.length} calls, none lost`
  )
  await run.waitForLine(/^== APP - echo == .*Started server process/, {nth: 2})
  t.equal(linesOf(run, 'echo').filter(line => line.includes('Started server process')).length, 2)
})

t.test('an app that starts is waited for; one whose module is missing is gone quickly, with a hint', async t => {
  const sdk = await openSdk(t)
  if (sdk === undefined) return
  const rig = await openRig(t)
  await template(
    rig,
    ['echo', 'relay'],
    [
      {
        appID: 'echo',
        version: '1.0.0',
        appDirPath: 'echo',
        command: ['/bin/sh', '-c', 'sleep 1; exec python service.py']
      },
      {appID: 'broken', version: '1.0.0', appDirPath: 'broken', command: ['python', 'broken.py']},
      RELAY
    ]
  )
  await rig.write({'broken/broken.py': 'import nothing_of_this_name\n', 'broken/requirements.txt': 'daeploy\n'})
  const run = rig.pillion(['run', '-f', '.'], {env: sdk.env})
  const manager = await managerOf(run)
  const body = {name: 'echo', entrypoint: 'greet', arguments: {name: 'Ada'}}
  t.match(await post(`${manager}/services/relay/relay`, body), {status: 200, body: '"Ada from 1.0.0"'})
  await run.waitForLine('"broken" lacks a Python module (ModuleNotFoundError: No module named', {stream: 'stderr'})
  await run.waitForLine(`    cd ${join(rig.folder, 'broken')}`, {stream: 'stderr'})
  await run.waitForLine('    .venv/bin/pip install -r requirements.txt', {stream: 'stderr'})
  t.match(await post(`${manager}/services/broken/x`, {}), {status: 502, body: 'Bad Gateway'})
})

t.test('where Python is told to load no hook, it is said why the service is not ready', async t => {
  const sdk = await openSdk(t)
  if (sdk === undefined) return
  const rig = await openRig(t)
  const fixedPort = await freePort()
  await template(
    rig,
    [],
    [
      {
        appID: 'alone',
        appDirPath: 'alone',
        fixedPort,
        ready: {timeout: '2s'},
        command: ['python', '-I', '-m', 'http.server', fixedPort.toString(), '--bind', '127.0.0.1']
      },
      {
        appID: 'moved',
        appDirPath: 'alone',
        fixedPort,
        command: ['python', '-m', 'http.server', fixedPort.toString(), '--bind', '127.0.0.1']
      }
    ]
  )
  await rig.write({'alone/index.html': 'hello'})
  const run = rig.pillion(['run', '-f', '.'], {env: sdk.env})
  const manager = await managerOf(run)
  t.match(await ask(`${manager}/services/moved/index.html`), {status: 200, body: 'hello'}, 'the hook moves any server')
  const line = await run.waitForLine(`"alone" listens on port ${fixedPort}`, {stream: 'stderr'})
  t.match(line, /it is not a Python program, or Python was started with -I, -E or -S.*uvicorn/)
})
