import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {mkdir} from 'node:fs/promises'
import {createServer, type AddressInfo} from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import type {Answer} from '../rig/command.ts'
import {ask, managerOf} from '../rig/manager.ts'
import {openRig, type Rig, type TemplateApp} from '../rig/rig.ts'

/** Writes a template with a manager's port of its own; what the rig adds to apps is added here too. */
const template = async (rig: Rig, apps: readonly TemplateApp[], managerPort: number | undefined = 0): Promise<void> => {
  const whole = apps.map(app => ({appDirPath: app.appID, command: rig.drivenCommand, ...app}))
  for (const {appDirPath} of whole) await mkdir(join(rig.folder, appDirPath), {recursive: true})
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, managerPort, apps: whole})})
}

const two = [
  {appID: 'hello', version: '1.0.0', appDirPath: 'one'},
  {appID: 'hello', version: '2.0.0', appDirPath: 'two'}
] as const

t.test('a name is answered by the first version and copied to the other, a version reaches that alone', async t => {
  const rig = await openRig(t)
  await template(rig, two)
  const run = rig.pillion(['run', '-f', '.'])
  const markers = [await rig.driven('hello'), await rig.driven('hello')]
  const [one, second] = markers.toSorted((a, b) =>
    (a.env['daeploy.version'] ?? '').localeCompare(b.env['daeploy.version'] ?? '')
  )
  if (one === undefined || second === undefined) throw new Error('two versions live')
  for (const marker of markers) await marker.listen()
  const manager = await managerOf(run)
  const roads: readonly (readonly [string, () => Promise<Answer>])[] = [
    ['name', async () => ask(`${manager}/services/hello/greet`, {method: 'POST', body: {}})],
    ['sidecar of an app', async () => second.fetch('/services/hello/greet', {method: 'POST', body: '{}'})],
    ['invoke', async () => second.fetch('/v1.0/invoke/hello/method/greet', {method: 'POST', body: '{}'})],
    ['header', async () => second.fetch('/greet', {method: 'POST', body: '{}', headers: {'dapr-app-id': 'hello'}})]
  ]
  for (const [road, call] of roads) {
    const answer = call()
    const asked = await one.nextRequest()
    t.match(asked, {url: '/greet', body: '{}'}, road)
    await asked.reply({status: 201, body: 'main'})
    t.match(await answer, {status: 201, body: 'main'}, road)
    const copied = await second.nextRequest()
    t.match(copied, {url: '/greet', body: '{}'}, road)
    await copied.reply({status: 500, body: 'nobody hears this'})
  }
  const direct = ask(`${manager}/services/hello_2.0.0/only`)
  const alone = await second.nextRequest()
  t.equal(alone.url, '/only')
  await alone.reply({body: 'second'})
  t.match(await direct, {body: 'second'})

  t.same(await rig.run(['assign', 'hello', '2.0.0']), {
    code: 0,
    stdout: 'Changed main version to hello 2.0.0\n',
    stderr: ''
  })
  const afterwards = ask(`${manager}/services/hello/after`)
  const answered = await second.nextRequest()
  await answered.reply({body: 'the new main'})
  t.match(await afterwards, {body: 'the new main'})
  t.match(await one.nextRequest(), {url: '/after'}, 'the old main is a shadow now')

  const list = await rig.run(['ls', 'hello'])
  t.match(
    list.stdout,
    /^MAIN {4}NAME {4}VERSION {4}STATUS {4}RUNNING\n-{6} {2}-{6} {2}-{9} {2}-{8} {2}-{35}\n {8}hello {3}1\.0\.0 {6}running {3}Running \(since [\d: -]{19}\)\n\* {7}hello {3}2\.0\.0 {6}running {3}Running \(since [\d: -]{19}\)\n\n$/
  )
  t.match((await rig.run(['ls', 'nobody'])).stdout, /^MAIN.*\n-+.*\n\n\n$/)
  t.match(await rig.run(['assign', 'hello', '9.9.9']), {code: 1, stderr: '❌  No service matching hello 9.9.9\n'})
  t.match(await rig.run(['assign', 'nobody', '1.0.0']), {code: 1, stderr: '❌  No main service matching nobody\n'})
  const table = (await rig.run(['list'])).stdout.split('\n')
  t.match(table[0], /^APP ID {2}VERSION {2}MAIN {3}HTTP PORT/)
  t.match(table[1], /^hello {3}1\.0\.0 {4}false/)
  t.match(table[2], /^hello {3}2\.0\.0 {4}true/)
})

t.test('versions of an id are told apart by prefix and log file', async t => {
  const rig = await openRig(t)
  await template(rig, [...two, {appID: 'plain'}])
  const run = rig.pillion(['run', '-f', '.'])
  const markers = [await rig.driven('hello'), await rig.driven('hello')]
  for (const marker of markers) await marker.print(`I am ${marker.env['daeploy.version'] ?? ''}\n`)
  await (await rig.driven('plain')).print('I have none\n')
  await run.waitForLine('== APP - hello_1.0.0 == I am 1.0.0')
  await run.waitForLine('== APP - hello_2.0.0 == I am 2.0.0')
  await run.waitForLine('== APP - plain == I have none')
  const files = readdirSync(join(rig.folder, 'one/.dapr/logs'))
  t.match(files.toSorted(), [/^hello_1\.0\.0_app_\d{14}\.log$/, /^hello_1\.0\.0_daprd_\d{14}\.log$/])
})

t.test('logs and stop take a version; without one logs show the main version', async t => {
  const rig = await openRig(t)
  await template(rig, [...two, {appID: 'plain'}])
  const run = rig.pillion(['run', '-f', '.'])
  await rig.driven('plain')
  for (const marker of [await rig.driven('hello'), await rig.driven('hello')])
    await marker.print(`I am ${marker.env['daeploy.version'] ?? ''}\n`)
  await run.waitForLine('I am 1.0.0')
  await run.waitForLine('I am 2.0.0')
  t.match(await rig.run(['logs', '--app-id', 'hello']), {code: 0, stdout: '== APP - hello_1.0.0 == I am 1.0.0\n'})
  t.match(await rig.run(['logs', '--app-id', 'hello', '--version', '2.0.0']), {
    code: 0,
    stdout: '== APP - hello_2.0.0 == I am 2.0.0\n'
  })
  t.match(await rig.run(['stop', '--app-id', 'hello', '--version', '1.0.0']), {
    code: 1,
    stderr:
      '❌  failed to stop app id hello: Not allowed to kill main service while there are mutliple deployed versions of that service\n'
  })
  t.match(await rig.run(['stop', '--app-id', 'hello', '--version', '2.0.0']), {
    code: 0,
    stdout: '✅  app stopped successfully: hello 2.0.0\n'
  })
  t.notMatch((await rig.run(['ls'])).stdout, '2.0.0')
  t.match(await rig.run(['stop', '--app-id', 'hello']), {code: 0})
  t.notOk(run.hasExited)
})

t.test('a service gets what the SDK reads; another app gets none of it', async t => {
  const rig = await openRig(t)
  await template(rig, [
    {appID: 'scales', fixedPort: 8123, env: {'daeploy.name': 'forged'}},
    {appID: 'desk', version: '1.2.3'},
    {appID: 'plain'}
  ])
  rig.pillion(['run', '-f', '.'], {env: {NO_PROXY: 'kept.test', PYTHONPATH: '/mine'}})
  const [scales, desk, plain] = await Promise.all([rig.driven('scales'), rig.driven('desk'), rig.driven('plain')])
  t.match(scales.env, {
    'daeploy.name': 'scales',
    'daeploy.version': '0.0.0',
    DAEPLOY_MANAGER_URL: `http://127.0.0.1:${scales.env['DAPR_HTTP_PORT'] ?? ''}`,
    DAEPLOY_MANAGER_HOSTNAME: 'localhost',
    NO_PROXY: 'kept.test,127.0.0.1,localhost',
    no_proxy: 'kept.test,127.0.0.1,localhost',
    PYTHONUNBUFFERED: '1'
  })
  t.match(scales.env['PYTHONPATH'], /^\/.+:\/mine$/)
  t.match(scales.env['daeploy.auth'], /^[\da-f]{64}$/)
  t.not(scales.env['daeploy.auth'], desk.env['daeploy.auth'])
  t.match(desk.env, {'daeploy.version': '1.2.3'})
  t.same(
    Object.keys(plain.env).filter(name => /daeploy/i.test(name)),
    []
  )
  t.equal(plain.env['PYTHONPATH'], '/mine')
})

t.test('a call to a service that starts waits; to one that has ended it is a bad gateway', async t => {
  const rig = await openRig(t)
  await template(rig, [
    {appID: 'scales', version: '1.0.0'},
    {appID: 'desk', version: '1.0.0'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [scales, desk] = await Promise.all([rig.driven('scales'), rig.driven('desk')])
  const manager = await managerOf(run)
  const early = ask(`${manager}/services/scales/early`)
  await scales.answer({body: 'in time'})
  await scales.listen()
  t.match(await early, {status: 200, body: 'in time'})
  await scales.exit(3)
  await run.waitForLine('exit status 3')
  for (const answer of [await ask(`${manager}/services/scales/late`), await desk.fetch('/services/scales_1.0.0/late')])
    t.match(answer, {status: 502, body: 'Bad Gateway'})
  const unknown = await desk.fetch('/services/nobody/x')
  t.match(unknown, {status: 404, body: '{"detail":"Not Found"}'})
  t.match(await ask(`${manager}/services/scales/x`, {headers: {host: 'evil.test'}}), {status: 403})
})

t.test('plain apps are reached by the same road, and are not listed', async t => {
  const rig = await openRig(t)
  await template(rig, [
    {appID: 'order-processor', autoPort: true},
    {appID: 'scales', version: '1.0.0'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const plain = await rig.driven('order-processor')
  await plain.answer({body: 'plain'})
  await plain.listen()
  const manager = await managerOf(run)
  t.match(await ask(`${manager}/services/order-processor/x`), {body: 'plain'})
  t.match(await ask(`${manager}/services/order-processor_0.0.0/x`), {body: 'plain'})
  t.equal(
    (await ask(`${manager}/services/`)).body,
    '[{"name":"scales","version":"1.0.0","image":"scales:1.0.0","main":true}]'
  )
  const named = await plain.fetch('/services/scales/x', {headers: {'dapr-app-id': 'order-processor'}})
  t.match(named, {body: 'plain'}, 'the header goes before the path')
})

t.test('a run without a Daeploy service has no manager', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'plain', autoPort: true}])
  const run = rig.pillion(['run', '-f', '.'])
  const plain = await rig.driven('plain')
  await run.waitForLine('Writing log files')
  t.match((await plain.fetch('/services/plain/x')).body, /ERR_DIRECT_INVOKE/)
  await plain.exit(0)
  await run.exited
  t.notMatch(run.stdout.text, /Daeploy/)
})

t.test('a notification is printed once, kept in the log of its service, and listed', async t => {
  const rig = await openRig(t)
  await template(rig, [{appID: 'desk', version: '1.0.0'}])
  const run = rig.pillion(['run', '-f', '.'])
  const desk = await rig.driven('desk')
  const manager = await managerOf(run)
  t.same(await rig.run(['notifications']), {code: 0, stdout: 'No notifications.\n', stderr: ''})
  const body = {
    service_name: 'desk',
    service_version: '1.0.0',
    msg: 'heavy',
    severity: 1,
    dashboard: true,
    emails: ['a@b.test'],
    timer: 0,
    timestamp: '2026-11-20 05:05:54.719785'
  }
  const posted = await desk.fetch('/notifications/', {method: 'POST', body: JSON.stringify(body)})
  t.match(posted, {status: 200, body: '"Notification added"'})
  t.match(await ask(`${manager}/notifications`, {method: 'POST', body}), {status: 200})
  t.match(await ask(`${manager}/notifications/`, {method: 'POST', body: {...body, service_name: 'nobody'}}), {
    status: 200
  })
  await run.waitForLine('🔔 nobody 1.0.0 WARNING heavy (e-mail not sent)')
  t.equal(run.stdout.lines.filter(line => line === '🔔 desk 1.0.0 WARNING heavy (e-mail not sent)').length, 2)
  const kept = Object.values(JSON.parse((await ask(`${manager}/notifications/`)).body) as Record<string, unknown>)
  t.match(kept, [
    {...body, counter: 2},
    {service_name: 'nobody', counter: 1}
  ])
  const listed = (await rig.run(['notifications'])).stdout.split('\n')
  t.match(listed[0], /^LAST +TIMES {2}SERVICE {2}VERSION {2}SEVERITY {2}MESSAGE/)
  t.match(listed[1], /^2026-11-20 05:05:54 {2}2 {6}desk {5}1\.0\.0 {4}WARNING {3}heavy/)
  const logs = join(rig.folder, 'desk/.dapr/logs')
  await desk.exit(0)
  await run.exited
  const file = readdirSync(logs).find(name => name.includes('_app_')) ?? ''
  t.match(readFileSync(join(logs, file), 'utf8'), '🔔 desk 1.0.0 WARNING heavy (e-mail not sent)\n')
})

t.test("a taken manager's port is told before anything starts; the usual one is left to whoever has it", async t => {
  const rig = await openRig(t)
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const {port} = server.address() as AddressInfo
  await template(rig, [{appID: 'scales', version: '1.0.0'}], port)
  const {code, stdout, stderr} = await rig.run(['run', '-f', '.'])
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, `❌  invalid configuration for managerPort. Port ${port} is not available\n`)
  t.match(stderr, new RegExp(`\\nPort ${port}: it is held by .* \\(pid ${process.pid}\\)`))
  await template(rig, [{appID: 'scales', version: '1.0.0', appPort: 5080}], undefined)
  const run = rig.pillion(['run', '-f', '.'])
  await rig.driven('scales')
  t.notMatch(await managerOf(run), ':5080')
})

t.test('services that share a folder run in copies, all but the first; a changed copy is kept', async t => {
  const rig = await openRig(t)
  await template(rig, [
    {appID: 'one', version: '1.0.0', appDirPath: 'project'},
    {appID: 'two', version: '1.0.0', appDirPath: 'project'},
    {appID: 'plain', appDirPath: 'project'}
  ])
  await rig.write({
    'project/service.py': 'print(1)',
    'project/data/model.txt': 'model',
    'project/service_db.db': 'rows',
    'project/node_modules/x.js': 'x'
  })
  const run = rig.pillion(['run', '-f', '.'])
  const [one, two, plain] = await Promise.all([rig.driven('one'), rig.driven('two'), rig.driven('plain')])
  const project = join(rig.folder, 'project')
  t.equal(one.hello.folder, project)
  t.equal(plain.hello.folder, project)
  const copy = two.hello.folder
  t.match(copy, new RegExp(`^${rig.home}/\\.cache/pillion/[\\da-f]{32}/two_1\\.0\\.0$`))
  t.equal(readFileSync(join(copy, 'data/model.txt'), 'utf8'), 'model')
  t.equal(readFileSync(join(copy, 'node_modules/x.js'), 'utf8'), 'x')
  t.notOk(existsSync(join(copy, 'service_db.db')), 'a database is not shared')
  await run.waitForLine(`Writing log files to directory : ${project}/.dapr/logs`, {nth: 3})
  writeFileSync(join(copy, 'service.py'), 'print(2)')
  writeFileSync(join(copy, 'service_db.db'), 'rows')
  t.match(await run.end(), {code: 0})
  t.match(run.stderr.text, `⚠  files were changed in ${copy}: it is kept\n`)
  t.equal(readFileSync(join(copy, 'service.py'), 'utf8'), 'print(2)')
  const again = rig.pillion(['run', '-f', '.'])
  const next = await rig.driven('two')
  t.not(next.hello.folder, copy)
  await again.end()
  t.notOk(existsSync(next.hello.folder), 'an untouched copy goes with its run')
  t.equal(again.stderr.text, '')
})

const named = (version: string) => ({name: 'hello', version})

t.test("those who manage do so at the manager's port alone", async t => {
  const rig = await openRig(t)
  await template(rig, [...two, {appID: 'desk', version: '1.0.0'}])
  const run = rig.pillion(['run', '-f', '.'])
  const desk = await rig.driven('desk')
  await Promise.all([rig.driven('hello'), rig.driven('hello')])
  const manager = await managerOf(run)
  for (const [method, path] of [
    ['DELETE', '/services/'],
    ['PUT', '/services/~assign'],
    ['POST', '/services/~tar']
  ] as const)
    t.match(await desk.fetch(path, {method, body: JSON.stringify(named('2.0.0'))}), {status: 404}, `${method} ${path}`)
  t.match(await desk.fetch('/services/'), {status: 200}, 'to look is allowed everywhere')
  t.match(await ask(`${manager}/services/`, {method: 'DELETE', body: named('1.0.0')}), {
    status: 403,
    body: '{"detail":"Not allowed to kill main service while there are mutliple deployed versions of that service"}'
  })
  t.match(await ask(`${manager}/services/~assign`, {method: 'PUT', body: named('2.0.0')}), {status: 200, body: '"OK"'})
  t.match(await ask(`${manager}/services/?remove_image=True`, {method: 'DELETE', body: named('1.0.0')}), {
    status: 200,
    body: '"OK"'
  })
  t.match(await ask(`${manager}/services/hello_1.0.0/x`), {status: 404})
  t.match(await ask(`${manager}/services/`, {method: 'DELETE', body: named('1.0.0')}), {
    status: 404,
    body: '{"detail":["Service with name: hello and version: 1.0.0 does not exists!"]}'
  })
  t.notMatch((await rig.run(['ls', 'hello'])).stdout, /1\.0\.0/)
  t.match(await ask(`${manager}/services/`, {method: 'DELETE', body: named('2.0.0')}), {status: 200})
  t.notOk(run.hasExited, 'the others go on')
})

t.test('a template with managerPort and no apps is a manager that waits', async t => {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': 'version: 1\nmanagerPort: 0\n'})
  const run = rig.pillion(['run', '-f', '.'])
  const manager = await managerOf(run)
  t.match(await ask(`${manager}/services/`), {status: 200, body: '[]'})
  t.match(await ask(`${manager}/`), {status: 307, headers: {location: '/dashboard'}})
  t.match(await ask(`${manager}/dashboard`), {status: 404, body: '{"detail":"Not Found"}'})
  t.match(await ask(`${manager}/auth/verify`), {status: 200, body: '"OK"'})
  t.match(await ask(`${manager}/services/~git`, {method: 'POST', body: {}}), {
    status: 501,
    body: '{"detail":"Not available locally: add the app to dapr.yaml"}'
  })
  t.match(await run.end(), {code: 0})
})

t.test('with DAPR_API_TOKEN the sidecar asks for it, or for the token of a service', async t => {
  const rig = await openRig(t)
  await template(rig, [{appID: 'scales', version: '1.0.0'}])
  const run = rig.pillion(['run', '-f', '.'], {env: {DAPR_API_TOKEN: 'secret'}})
  const scales = await rig.driven('scales')
  await scales.answer({body: 'let in'})
  await scales.listen()
  const manager = await managerOf(run)
  const url = `${manager}/services/scales/x`
  t.match(await ask(url), {status: 401, body: '{"detail":"Token not valid!"}'})
  t.match(await ask(url, {headers: {'dapr-api-token': 'secret'}}), {status: 200})
  t.match(await ask(url, {headers: {authorization: `Bearer ${scales.env['daeploy.auth'] ?? ''}`}}), {status: 200})
  t.match(await scales.fetch('/services/scales/x'), {status: 401}, 'the sidecar of an app, too')
})
