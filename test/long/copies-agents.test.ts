import {execFileSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {agent} from './mcp-agent.ts'

const SERVER = `require('node:http').createServer((_, response) => response.end(process.env.WORD + ' ' + process.cwd())).listen(process.env.APP_PORT, '127.0.0.1')`
const TEST = `fetch('http://127.0.0.1:' + process.env.WEB_PORT).then(answer => answer.text()).then(text => process.exit(text.startsWith('brought ') ? 0 : 1))`

t.test('a coding agent in a fresh worktree needs nothing but up -d, wait, mcp, up --run and down', async t => {
  const rig = await openRig(t)
  const app = {
    appID: 'web',
    appDirPath: '.',
    appPort: await freePort(),
    envFile: '.env',
    command: ['node', 'server.js']
  }
  await rig.write({
    'main/dapr.yaml': JSON.stringify({version: 1, apps: [app]}),
    'main/server.js': SERVER,
    'main/test.js': TEST,
    'main/.gitignore': '.env\n.dapr\n'
  })
  const cwd = join(rig.folder, 'main')
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {cwd, encoding: 'utf8'})
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'all')
  await rig.write({'main/.env': 'WORD=brought\n'})
  const main = rig.pillion(['up'], {folder: 'main'})
  t.match(await rig.run(['wait', '--for', 'ready'], {folder: 'main'}), {code: 0})
  git('worktree', 'add', '-q', '../cart-fix')
  const folder = 'cart-fix'
  t.match(await rig.run(['up', '-d'], {folder}), {code: 0})
  t.match(await rig.run(['wait', '--for', 'ready'], {folder}), {code: 0})
  const {stdout: url} = await rig.run(['url', 'web'], {folder})
  t.match(await (await fetch(url.trim())).text(), /^brought .*\/cart-fix$/)
  const {call} = await agent(t, rig, {folder})
  t.match((await call('list_apps')).text, /"id":"web",.*"availability":"ready",.*"appPort":\d+/)
  t.match((await call('invoke', {app: 'web', path: '/'})).text, /^200 /)
  const {stdout: port} = await rig.run(['ps', 'web', '-o', 'json'], {folder})
  const env = {WEB_PORT: (JSON.parse(port) as readonly {readonly appPort: number}[])[0]?.appPort.toString() ?? ''}
  t.match(await rig.run(['up', '--run', 'node test.js'], {folder, env}), {code: 0})
  t.match(await rig.run(['down'], {folder}), {code: 0})
  t.match(await rig.run(['ps', '-o', 'json'], {folder: 'main'}), {stdout: /"runName":"main"/}, 'main goes on')
  t.match(await main.end('SIGINT'), {code: 0})
  t.same(await rig.leftovers(), [])
})
