import {chmodSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import type {PsRow} from '../../src/model/api.generated.ts'
import {freePorts} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** Listens at the numbers in APP_PORT and CONSOLE_PORT; prints what it reads. */
const SERVER = `#!/usr/bin/env node
const {createServer} = require('node:net')
for (const port of [process.env.APP_PORT, process.env.CONSOLE_PORT])
  createServer(socket => {
    socket.on('data', data => console.log('got ' + data.toString().split('\\n')[0])).on('error', () => undefined)
    socket.end('here ' + process.cwd())
  }).listen(Number(port), '127.0.0.1', () => console.log('listens at ' + port))
`

const templateOf = (...apps: readonly object[]): string => JSON.stringify({version: 1, apps})

const shopAt = (appPort: number): object => ({appID: 'shop', appDirPath: '.', appPort, command: ['node', 'server.js']})

const ready = async (rig: Rig, folder: string): Promise<unknown> => rig.run(['wait', '--for', 'ready'], {folder})

t.test('a second port of a server moves, and a program where the other copy listens; no server is asked', async t => {
  const [mail = 0, smtp = 0, web = 0, admin = 0, foreign = 0] = await freePorts(5)
  const rig = await openRig(t)
  const apps = [
    {appID: 'mail', appDirPath: '.', appPort: mail, command: ['./mailpit'], env: {CONSOLE_PORT: smtp.toString()}},
    {
      appID: 'web',
      appDirPath: '.',
      appPort: web,
      command: ['node', 'server.js'],
      env: {CONSOLE_PORT: admin.toString(), SMTP_URL: `smtp://localhost:${smtp}`, DB_PORT: foreign.toString()}
    }
  ]
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({version: 1, apps}),
    mailpit: SERVER,
    'server.js': SERVER,
    'settings.json': `{\n  "mail": "localhost:${smtp}"\n}\n`
  })
  for (const folder of ['main', 'pr']) chmodSync(join(rig.folder, folder, 'mailpit'), 0o755)
  const main = rig.pillion(['up'], {folder: 'main'})
  t.match(await ready(rig, 'main'), {code: 0})
  const pr = rig.pillion(['up'], {folder: 'pr'})
  t.match(
    await pr.waitForLine('other ports', {stream: 'stderr'}),
    new RegExp(`mail ${mail} → \\d+, web ${web} → \\d+, mail ${smtp} → \\d+, web ${admin} → \\d+`)
  )
  t.match(
    await pr.waitForLine('numbers in files', {stream: 'stderr'}),
    `settings.json:2 (${smtp}): write $APP_PORT there, or a variable of env`
  )
  t.match(await ready(rig, 'pr'), {code: 0})
  const {stdout} = await rig.run(['env', 'web'], {folder: 'pr'})
  t.match(stdout, new RegExp(`DB_PORT='?${foreign}`), 'a server of the machine stays')
  t.notMatch(stdout, `localhost:${smtp}`)
  t.match(main.stdout.text, /web == got GET \/dapr\/config/)
  for (const run of [main, pr]) {
    t.notMatch(run.stdout.text, 'mail == got')
    await run.end('SIGINT')
  }
})

t.test('an edit that adds a server to a copy moves components that are open already', async t => {
  const [port = 0, web = 0] = await freePorts(2)
  const rig = await openRig(t)
  const shop = {appDirPath: '.', command: rig.drivenCommand, resourcesPath: './resources', appID: 'shop', appPort: web}
  const redis = {
    appID: 'redis',
    appDirPath: '.',
    command: [...rig.program, 'redis', port.toString()],
    env: {PILLION_REDIS: 'memory'},
    ready: {tcp: port}
  }
  await writeWorktrees(rig, {
    'dapr.yaml': templateOf(shop),
    'resources/store.yaml': component('store', 'state.redis', {redisHost: `localhost:${port}`})
  })
  const main = rig.pillion(['up'], {folder: 'main'})
  const first = await rig.driven('shop')
  await first.listen()
  const pr = rig.pillion(['up', '--watch'], {folder: 'pr'})
  const second = await rig.driven('shop')
  await second.listen()
  t.match(await ready(rig, 'pr'), {code: 0})
  const save = async (value: string): Promise<number> =>
    (await second.fetch('/v1.0/state/store', {method: 'POST', body: JSON.stringify([{key: 'who', value}])})).status
  t.equal(await save('before'), 204)
  await rig.write({'pr/dapr.yaml': templateOf(shop, redis)})
  await pr.waitForLine('added redis')
  t.match(await ready(rig, 'pr'), {code: 0})
  const {stdout} = await rig.run(['ps', 'redis', '-o', 'json'], {folder: 'pr'})
  t.match(JSON.parse(stdout) as readonly PsRow[], [{id: 'redis', state: 'running'}])
  // the new server is empty
  while ((await second.fetch('/v1.0/state/store/who')).status !== 204) await pause(20)
  t.equal(await save('after'), 204)
  for (const run of [pr, main]) run.signal('SIGINT')
  for (const run of [pr, main]) await run.exited
})

t.test('a number that comes with an edit is moved where another copy has it; the others stay', async t => {
  const [web = 0, other = 0] = await freePorts(2)
  const rig = await openRig(t)
  const extra = {appID: 'extra', appDirPath: '.', appPort: web, command: ['node', 'server.js']}
  await writeWorktrees(rig, {'server.js': SERVER.replace('process.env.CONSOLE_PORT', '0')})
  await rig.write({'main/dapr.yaml': templateOf(shopAt(web)), 'pr/dapr.yaml': templateOf(shopAt(other))})
  const main = rig.pillion(['up'], {folder: 'main'})
  t.match(await ready(rig, 'main'), {code: 0})
  const pr = rig.pillion(['up', '--watch'], {folder: 'pr'})
  t.match(await ready(rig, 'pr'), {code: 0})
  t.notMatch(pr.stderr.text, 'other ports')
  await rig.write({'pr/dapr.yaml': templateOf(shopAt(other), extra)})
  const told = await pr.waitForLine('other ports', {stream: 'stderr'})
  t.match(told, new RegExp(`main \\(pid ${main.pid}\\) .* has its ports: extra ${web} → \\d+(?:\\.|$)`))
  await pr.waitForLine('added extra')
  t.match(await ready(rig, 'pr'), {code: 0})
  const {stdout} = await rig.run(['ps', '-o', 'json'], {folder: 'pr'})
  const rows = JSON.parse(stdout) as readonly PsRow[]
  t.equal(rows.find(({id}) => id === 'shop')?.appPort, other)
  t.not(rows.find(({id}) => id === 'extra')?.appPort, web)
  for (const run of [pr, main]) run.signal('SIGINT')
  for (const run of [pr, main]) await run.exited
})

t.test('of several copies the one counts that has the port at which others call an app', async t => {
  const [web = 0, admin = 0] = await freePorts(2)
  const rig = await openRig(t)
  const app = {appID: 'web', appDirPath: '.', port: web, command: ['node', 'server.js']}
  await rig.write({'dapr.yaml': templateOf({...app, env: {CONSOLE_PORT: admin.toString()}}), 'server.js': SERVER})
  const main = rig.pillion(['up'])
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  const has = `\\(pid ${main.pid}\\) runs the same template and has its ports: web ${web} → \\d+, web ${admin} → \\d+`
  for (const name of ['two', 'three', 'four', 'five']) {
    const copy = rig.pillion(['up', '--name', name])
    t.match(await copy.waitForLine('other ports', {stream: 'stderr'}), new RegExp(has), name)
    t.match(await rig.run(['wait', '--for', 'ready', '--name', name]), {code: 0}, name)
  }
})
