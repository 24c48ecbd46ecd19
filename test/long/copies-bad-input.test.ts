import {chmodSync, renameSync, rmSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {PsRow} from '../../src/model/api.generated.ts'
import {freePorts} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

const SERVER = `require('node:http').createServer((request, response) => response.end(process.cwd())).listen(Number(process.argv[2]?.replace('--port=', '') ?? process.env.APP_PORT), '127.0.0.1', () => console.log('listens'))`

const app = (appPort: number, command: readonly string[] = ['node', 'server.js']): object => ({
  appID: 'shop',
  appDirPath: '.',
  appPort,
  command
})

const templateOf = (...apps: readonly object[]): string => JSON.stringify({version: 1, apps})

async function rowsOf(rig: Rig, args: readonly string[], folder?: string): Promise<readonly PsRow[]> {
  const {stdout} = await rig.run(['ps', '-o', 'json', ...args], folder === undefined ? {} : {folder})
  return JSON.parse(stdout) as readonly PsRow[]
}

/** Settles when a run has this many apps that are ready. */
const ready = async (rig: Rig, folder: string): Promise<void> => {
  t.match(await rig.run(['wait', '--for', 'ready'], {folder}), {code: 0})
}

/** Three copies of a template that start in the same instant, and are ready. All but one say that they have other ports. */
async function startAtOnce(t: Test, rig: Rig, template: object, command = ['up']): Promise<readonly string[]> {
  await writeWorktrees(rig, {'dapr.yaml': templateOf(template), 'server.js': SERVER}, ['pr', 'pr2'])
  const folders = ['main', 'pr', 'pr2']
  const runs = folders.map(folder => rig.pillion(command, {folder}))
  await Promise.all(folders.map(async folder => ready(rig, folder)))
  t.equal(runs.filter(run => run.stderr.text.includes('other ports')).length, 2)
  return folders
}

t.test('two copies that start in the same instant have two names and two sets of ports', async t => {
  const rig = await openRig(t)
  const [appPort = 0, daprHTTPPort] = await freePorts(2)
  const folders = await startAtOnce(t, rig, {...app(appPort), daprHTTPPort})
  const rows = (await Promise.all(folders.map(async folder => rowsOf(rig, [], folder)))).flat()
  t.same(rows.map(({runName}) => runName).toSorted(), folders)
  t.equal(new Set(rows.map(row => row.appPort)).size, 3)
  t.equal(new Set(rows.map(({httpPort}) => httpPort)).size, 3)
  t.ok(
    rows.some(row => row.appPort === appPort),
    'one has those of the template'
  )
  for (const row of rows)
    t.match(await (await fetch(`http://127.0.0.1:${row.appPort}`)).text(), new RegExp(`/${row.runName}$`))
})

t.test('copies that start in one instant and fix nothing but a port at which others call have one each', async t => {
  const rig = await openRig(t)
  const [port] = await freePorts(1)
  const folders = await startAtOnce(t, rig, {...app(0), port})
  const urls = await Promise.all(folders.map(async folder => (await rig.run(['url', 'shop'], {folder})).stdout))
  t.equal(new Set(urls).size, 3)
  t.ok(urls.includes(`http://localhost:${port}\n`), 'one has that of the template')
})

t.test('copies that start in the same instant and fix nothing but the port of a server have one each', async t => {
  const rig = await openRig(t)
  const [tcp] = await freePorts(1)
  await startAtOnce(t, rig, {...app(0, ['node', 'server.js', `${tcp}`]), ready: {tcp}})
})

t.test('… also where nothing but lines of a shell have its number', async t => {
  const rig = await openRig(t)
  const [port] = await freePorts(1)
  const lines = `ln -s "${process.execPath}" redis-server\nexec ./redis-server server.js --port=${port}\n`
  await startAtOnce(t, rig, {...app(0, ['sh', '-c', lines]), ready: {log: 'listens'}}, ['run', '-f', '.'])
})

t.test('a copy that starts before the server of another listens has another port, and its own server', async t => {
  const rig = await openRig(t)
  const [tcp] = await freePorts(1)
  const command = ['node', 'server.js', `${tcp}`, '--token', 'abc'] // which is masked where others see it
  const server = {...app(0, command), ready: {tcp}}
  // it listens once it is allowed to
  const late = `const {existsSync} = require('node:fs'); const timer = setInterval(() => { if (existsSync('go')) { clearInterval(timer); ${SERVER} } }, 50)`
  await writeWorktrees(rig, {'dapr.yaml': templateOf(server), 'server.js': late})
  const main = rig.pillion(['up'], {folder: 'main'})
  await main.waitForLine('Writing log files')
  const pr = rig.pillion(['up'], {folder: 'pr'})
  await pr.waitForLine('Writing log files')
  await rig.write({'main/go': '', 'pr/go': ''})
  for (const folder of ['main', 'pr']) await ready(rig, folder)
  t.match(
    pr.stderr.text,
    `other ports: main (pid ${main.pid}) runs the same template and has its ports: shop ${tcp} → `
  )
})

t.test('copies whose only number is that of a server, in its command, see each other start', async t => {
  const rig = await openRig(t)
  const [port] = await freePorts(1)
  const redis = {...app(0, ['./redis-server', '--port', `${port}`]), ready: {command: ['test', '-e', 'go']}}
  const program = `#!/usr/bin/env node\nprocess.argv[2] = process.argv[3]; ${SERVER}`
  await writeWorktrees(rig, {'dapr.yaml': templateOf(redis), 'redis-server': program})
  const folders = ['main', 'pr']
  for (const folder of folders) chmodSync(join(rig.folder, folder, 'redis-server'), 0o755)
  const runs = folders.map(folder => rig.pillion(['up'], {folder}))
  for (const run of runs) await run.waitForLine('Writing log files')
  for (const folder of folders) await rig.write({[`${folder}/go`]: ''})
  await Promise.all(folders.map(async folder => ready(rig, folder)))
  t.equal(runs.filter(run => run.stderr.text.includes('other ports')).length, 1)
})

t.test('a run has the ports of its template again while a copy that has others is not ready yet', async t => {
  const rig = await openRig(t)
  const [appPort = 0] = await freePorts(1)
  const worker = {appID: 'worker', appDirPath: '.', command: ['sleep', '1000'], ready: {command: ['test', '-e', 'go']}}
  await writeWorktrees(rig, {'dapr.yaml': templateOf(app(appPort), worker), 'server.js': SERVER})
  const up = async (folder: string): Promise<number | undefined> => {
    await rig.pillion(['up'], {folder}).waitForLine('Writing log files')
    return (await rowsOf(rig, ['shop'], folder))[0]?.appPort
  }
  t.equal(await up('main'), appPort)
  t.not(await up('pr'), appPort)
  t.match(await rig.run(['down'], {folder: 'main'}), {code: 0})
  t.equal(await up('main'), appPort)
})

t.test('so do two copies whose apps are called at a `port`; copies shows where', async t => {
  const rig = await openRig(t)
  const [port = 0, other = 0] = await freePorts(2)
  const apps = [port, other].map((at, nth) => ({
    appID: nth === 0 ? 'web' : 'api',
    appDirPath: '.',
    port: at,
    command: ['node', 'server.js']
  }))
  const files = {'dapr.yaml': templateOf(...apps), 'server.js': SERVER}
  await writeWorktrees(rig, files, ['pr'])
  const runs = ['main', 'pr'].map(folder => rig.pillion(['up'], {folder}))
  await Promise.all(['main', 'pr'].map(async folder => ready(rig, folder)))
  t.equal(runs.filter(run => run.stderr.text.includes('other ports')).length, 1)
  const {stdout} = await rig.run(['copies', '-o', 'json'], {folder: 'main'})
  const copies = JSON.parse(stdout) as readonly {readonly name: string; readonly ports: Record<string, number>}[]
  t.equal(new Set(copies.map(({ports}) => ports['web'])).size, 2)
  for (const {name, ports} of copies)
    t.match(await (await fetch(`http://127.0.0.1:${ports['web'] ?? 0}`)).text(), new RegExp(`/${name}$`))
  t.ok(copies.some(({ports}) => ports['web'] === port && ports['api'] === other))
})

t.test('the same folder twice, once by a link, is no copy: both are named, and one is chosen by its name', async t => {
  const rig = await openRig(t)
  await writeWorktrees(rig, {'dapr.yaml': templateOf({appID: 'shop', appDirPath: '.', command: ['sleep', '100']})})
  symlinkSync(join(rig.folder, 'pr'), join(rig.folder, 'link'))
  const first = rig.pillion(['up'], {folder: 'pr'})
  await first.waitForLine('Writing log files')
  const second = rig.pillion(['run', '-f', '.'], {folder: 'link'})
  await second.waitForLine('Writing log files')
  t.match(await second.waitForLine('already running', {stream: 'stderr'}), `pid ${first.pid}`)
  t.match(await rig.run(['restart', 'shop'], {folder: 'pr'}), {code: 1, stderr: /Select one with --name pr or --name /})
  const names = (await rowsOf(rig, [], 'link')).map(({runName}) => runName)
  t.equal(new Set(names).size, 2)
  for (const name of names) t.match(await rig.run(['down', '--name', name]), {code: 0})
  t.match([await first.exited, await second.exited], [{code: 0}, {code: 0}])
})

t.test('a copy whose folder is renamed or removed while it runs is found by its name, and others start', async t => {
  const rig = await openRig(t)
  const [port = 0] = await freePorts(1)
  await writeWorktrees(rig, {'dapr.yaml': templateOf(app(port)), 'server.js': SERVER}, ['pr', 'pr2'])
  const runs = ['pr', 'pr2'].map(folder => rig.pillion(['up'], {folder}))
  for (const folder of ['pr', 'pr2']) await ready(rig, folder)
  renameSync(join(rig.folder, 'pr'), join(rig.folder, 'moved'))
  rmSync(join(rig.folder, 'pr2'), {recursive: true})
  const main = rig.pillion(['up'], {folder: 'main'})
  await ready(rig, 'main')
  t.equal((await rowsOf(rig, [], 'main')).length, 1)
  for (const name of ['pr', 'pr2']) {
    t.match(await rowsOf(rig, ['--name', name]), [{runName: name, isReady: true}])
    t.match(await rig.run(['url', 'shop', '--name', name]), {code: 0, stdout: /^http:/})
  }
  for (const name of ['pr', 'pr2', 'main']) t.match(await rig.run(['down', '--name', name]), {code: 0})
  for (const run of [...runs, main]) {
    t.match(await run.exited, {code: 0})
    t.notMatch(run.stderr.text, /\n {4}at /)
  }
})

t.test('a folder and a name of every character', async t => {
  const rig = await openRig(t)
  const folder = 'ünï "q" $(x) \'y\' #1 日本 ; & %'
  const [port = 0] = await freePorts(1)
  await writeWorktrees(rig, {'dapr.yaml': templateOf(app(port)), 'server.js': SERVER}, [folder])
  const main = rig.pillion(['up'], {folder: 'main'})
  await ready(rig, 'main')
  const copy = rig.pillion(['up'], {folder})
  await ready(rig, folder)
  const [row] = await rowsOf(rig, [], folder)
  t.match(row?.runName, /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u)
  t.not(row?.appPort, port)
  t.match(await rig.run(['url', 'shop', '--name', row?.runName ?? '']), {
    code: 0,
    stdout: `http://localhost:${row?.appPort}\n`
  })
  for (const name of ['', ' ', 'a/b', '../x', '-x', 'a b', '$(x)', 'x'.repeat(64), 'a\nb'])
    t.match(
      await rig.run(['up', `--name=${name}`], {folder: 'main'}),
      {code: 1, stderr: /no run can be called/},
      JSON.stringify(name)
    )
  for (const run of [main, copy]) {
    t.match(await run.end('SIGINT'), {code: 0})
  }
})

t.test('a number in a shell script is said: it cannot be changed', async t => {
  const rig = await openRig(t)
  const [port = 0] = await freePorts(1)
  const command = ['sh', 'start.sh']
  await writeWorktrees(rig, {
    'dapr.yaml': templateOf(app(port, command)),
    'server.js': SERVER,
    'start.sh': `exec node server.js ${port}`
  })
  const main = rig.pillion(['up'], {folder: 'main'})
  await ready(rig, 'main')
  const pr = rig.pillion(['up'], {folder: 'pr'})
  t.match(
    await pr.waitForLine('other ports', {stream: 'stderr'}),
    /Nothing in the template gives shop the number: there PORT has to count, or a variable of the template$/
  )
  t.match(await pr.waitForLine('EADDRINUSE'), /./)
  t.match(await (await fetch(`http://127.0.0.1:${port}`)).text(), /main$/, 'the other copy is as it was')
  for (const run of [main, pr]) run.signal('SIGINT')
  t.match(await main.exited, {code: 0})
})
