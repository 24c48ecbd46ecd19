import {execFileSync} from 'node:child_process'
import t from 'tap'
import type {KeptRun} from '../../src/model/api.generated.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const APP = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => response.end('{}')).listen(process.env.APP_PORT)
`

/** A run of the template with 25 calls. */
async function runOnce(rig: Rig, end: NodeJS.Signals): Promise<void> {
  await rig.write({'stock.mjs': APP})
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('stock')
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  for (let count = 0; count < 25; count++)
    await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method/${count}`)).text()
  run.signal(end)
  await run.exited
}

t.test('runs lists the runs of a template', async t => {
  const rig = await openRig(t)
  const git = (...words: readonly string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {cwd: rig.folder, stdio: 'pipe'})
  await rig.template([{appID: 'stock', autoPort: true, command: ['node', '../stock.mjs']}])
  t.match(await rig.run(['runs']), {code: 0, stdout: 'No run with calls or crashes is known.\n'})
  git('init', '-q')
  git('commit', '-q', '--allow-empty', '-m', 'one')
  await runOnce(rig, 'SIGINT')
  git('commit', '-q', '--allow-empty', '-m', 'two')
  await runOnce(rig, 'SIGINT')
  const {stdout} = await rig.run(['runs'])
  t.match(
    stdout,
    /^STARTED +LASTED +CALLS +FAILED +CRASHES +COMMIT\ntoday at [\d:]{5} +\S+ \S+ +25 +0 +0 +[0-9a-f]{8}\n/
  )
  const kept = JSON.parse((await rig.run(['runs', '-o', 'json'])).stdout) as readonly unknown[]
  t.match(kept, [
    {isOver: true, edges: [{to: 'stock', calls: 25}]},
    {isOver: true, edges: [{to: 'stock', calls: 25}]}
  ])
})

t.test('a run with a name is none of those without one, and is found by any name that it has', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true, command: ['node', '../stock.mjs']}])
  const callsIn = async (folder: string, words: readonly string[]): Promise<readonly number[]> => {
    const kept = JSON.parse((await rig.run(['runs', '-o', 'json', ...words], {folder})).stdout) as readonly KeptRun[]
    return kept.map(({edges}) => edges.reduce((sum, {calls}) => sum + calls, 0))
  }
  const callsOf = async (...words: readonly string[]): Promise<readonly number[]> => callsIn('.', words)
  await runOnce(rig, 'SIGINT')
  t.match(await rig.run(['up', '-d', '--name', 'mine']), {code: 0})
  t.match(await rig.run(['invoke', '-a', 'stock', '-m', 'x']), {code: 0})
  t.same([await callsOf(), await callsOf('--name', 'mine')], [[25], [1]])
  t.match(await rig.run(['down', '--name', 'mine']), {code: 0})
  t.same([await callsOf(), await callsOf('--name', 'mine')], [[25], [1]])
  t.match(await rig.run(['up', '-d']), {code: 0})
  t.same(await callsOf('--name', 'work'), [25, 0], 'the name that its folder gives it')
  const other = {folder: 'other'}
  const app = {appID: 'stock', appDirPath: '.', autoPort: true, command: ['node', '../stock.mjs']}
  await rig.write({'other/dapr.yaml': JSON.stringify({version: 1, apps: [app]})})
  t.match(await rig.run(['up', '-d'], other), {code: 0})
  t.match(await rig.run(['invoke', '-a', 'stock', '-m', 'x'], other), {code: 0})
  t.match(await rig.run(['down'], other), {code: 0})
  t.same(await callsIn('other', []), [1])
  t.same(await callsIn('other', ['--name', 'work']), [25, 0], 'a run of another template')
  t.match(await rig.run(['down']), {code: 0})
})

t.test('what is kept of a run has no password of an endpoint that was called', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true, command: ['node', '../stock.mjs']}])
  await rig.write({'stock.mjs': APP})
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('stock')
  await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/http://ada:S3cr3t@127.0.0.1:1/method/x`)).text()
  const living = JSON.parse((await rig.run(['runs', '-o', 'json'])).stdout) as readonly KeptRun[]
  await run.end('SIGINT')
  const kept = JSON.parse((await rig.run(['runs', '-o', 'json'])).stdout) as readonly KeptRun[]
  const edges = [{from: 'stock', to: 'http://ada:<masked, 6 characters>@127.0.0.1:1', calls: 1}]
  t.match([living, kept], [[{edges}], [{edges, isOver: true}]], 'by one name')
})

t.test('a run that is killed: runs has what was known at the last write, and the next run adds to it', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true, command: ['node', '../stock.mjs']}])
  const list = async (): Promise<unknown> => JSON.parse((await rig.run(['runs', '-o', 'json'])).stdout)
  await runOnce(rig, 'SIGINT')
  const before = await list()
  t.match(before, [{isOver: true, edges: [{calls: 25}]}])
  for (let times = 0; times < 2; times++) {
    await runOnce(rig, 'SIGKILL')
    t.strictSame(await list(), before, 'killed within its first minute: what was written before it is as it was')
  }
  await runOnce(rig, 'SIGTERM')
  t.match(await list(), [
    {isOver: true, edges: [{calls: 25}]},
    {isOver: true, edges: [{calls: 25}]}
  ])
})
