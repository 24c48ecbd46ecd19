import {existsSync, lstatSync, readFileSync, readdirSync, rmSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {currentSystem} from '../../src/platform/process-table.ts'
import {freePorts} from '../rig/free-port.ts'
import {noTerminal, onTerminal} from '../rig/on-terminal.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

interface Row {
  readonly name: string
  readonly state: string
  readonly ports: Readonly<Record<string, number>>
  readonly memoryBytes: number | null
  readonly diskBytes: number | null
}

const rowsOf = async (rig: Rig): Promise<readonly Row[]> =>
  JSON.parse((await rig.run(['copies', '-o', 'json'], {folder: 'main'})).stdout) as readonly Row[]

t.test('copies: shows those of the template, stops them, and forgets what one that is gone has left', async t => {
  const [appPort = 0, redis = 0] = await freePorts(2)
  const rig = await openRig(t)
  const app = {appID: 'shop', appDirPath: '.', appPort, command: rig.drivenCommand, resourcesPath: './resources'}
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({version: 1, apps: [app]}),
    'resources/store.yaml': component('store', 'state.redis', {redisHost: `localhost:${redis}`})
  })
  await rig.write({
    'main/.git/HEAD': 'ref: refs/heads/main\n',
    'main/.git/worktrees/pr/HEAD': 'ref: refs/heads/fix/cart\n'
  })
  t.match(await rowsOf(rig), [
    {name: 'main', state: 'stopped', branch: 'main', ports: {}, memoryBytes: null},
    {name: 'pr', state: 'stopped', branch: 'fix/cart', pid: 0}
  ])
  const start = async (folder: string): Promise<ReturnType<Rig['pillion']>> => {
    const run = rig.pillion(['up'], {folder})
    const shop = await rig.driven('shop')
    await shop.listen()
    await shop.fetch('/v1.0/state/store', {method: 'POST', body: JSON.stringify([{key: 'who', value: folder}])})
    await shop.fetch('/v1.0-alpha1/jobs/later', {method: 'POST', body: JSON.stringify({schedule: '@daily'})})
    return run
  }
  const runs = [await start('main'), await start('pr')]
  const rows = await rowsOf(rig)
  t.match(rows, [
    {name: 'main', state: 'running', pid: runs[0]?.pid, ports: {shop: appPort}},
    {name: 'pr', state: 'running', pid: runs[1]?.pid}
  ])
  for (const {memoryBytes, diskBytes} of rows) t.ok((memoryBytes ?? 0) > 1e6 && (diskBytes ?? 0) > 0)
  t.match(await rig.run(['copies'], {folder: 'main'}), {
    code: 0,
    stdout: /NAME +STATE +BRANCH[^]*pr +running +fix\/cart +shop \d+/
  })
  await rig.write({'main/src/app/x': ''})
  t.match(
    await rig.run(['copies'], {folder: 'main/src/app'}),
    {code: 0, stdout: /pr +running +fix\/cart/},
    'below it, too'
  )
  t.match(await rig.run(['copies', 'forget', 'pr', '--yes'], {folder: 'main'}), {code: 1, stderr: /pr is running/})
  t.match(await rig.run(['copies', 'down', 'nobody'], {folder: 'main'}), {code: 1, stderr: /The copies are: main, pr/})
  t.match(await rig.run(['copies', 'down', 'pr'], {folder: 'main'}), {code: 0, stdout: /pr was stopped/})
  await runs[1]?.exited
  t.match(await rig.run(['copies', 'down', '--all'], {folder: 'main'}), {code: 0, stdout: /main was stopped/})
  await runs[0]?.exited
  t.match(await rig.run(['copies', 'down', '--all'], {folder: 'main'}), {code: 0, stdout: /nothing to stop/})
  const state = join(rig.home, '.local/state/pillion')
  const left = (): readonly string[] =>
    readdirSync(state, {recursive: true, encoding: 'utf8'}).filter(name => /work-pr-|copies\/pr-|work%2Fpr/.test(name))
  t.ok(['work-pr-', 'copies/pr-'].every(what => left().some(name => name.startsWith(what))))
  rmSync(join(rig.folder, 'pr'), {recursive: true})
  // what another repository has left is none of this one's
  await rig.write({
    '../home/.local/state/pillion/copies/x-1/about.json': '{"root": "/gone", "copy": "", "repository": "/other"}'
  })
  t.same(
    (await rowsOf(rig)).map(({name}) => name),
    ['main', 'pr']
  )
  t.match(
    (await rowsOf(rig)).find(({name}) => name === 'pr'),
    {state: 'gone', diskBytes: null}
  )
  const exits = `exits/${encodeURIComponent(join(rig.folder, 'pr/dapr.yaml'))}.jsonl`
  await rig.write({[`../home/.local/state/pillion/${exits}`]: ''})
  const question = await rig.run(['copies', 'forget', 'pr'], {folder: 'main'})
  t.match(question, {code: 1, stderr: /exits of \/\S*\/pr\/dapr\.yaml[^]*--yes agrees to it/})
  t.notMatch(question.stderr, '%2F')
  const lock = join(rig.runtimeDir, 'naming.lock')
  symlinkSync(JSON.stringify({id: 'killed', pid: process.pid, started: 1, ...currentSystem()}), lock)
  t.match(
    await rig.run(['copies', 'forget', 'pr', 'pr', '--yes'], {folder: 'main'}),
    {code: 0, stdout: /^.*pr is forgotten\n$/},
    'named twice, it is one'
  )
  t.notOk(lstatSync(lock, {throwIfNoEntry: false}), 'no start goes on meanwhile: it has taken the lock of a killed one')
  t.same(left(), [])
  t.ok(readdirSync(state).some(name => name.startsWith('work-main-')))
  t.match(await rig.run(['copies', 'forget', 'pr', '--yes'], {folder: 'main'}), {stdout: /nothing to forget/})
  t.ok(existsSync(join(rig.folder, 'main')))
})

t.test('what a copy keeps stays if it was started before the question was answered', {skip: noTerminal}, async t => {
  const [redis = 0] = await freePorts(1)
  const rig = await openRig(t)
  const app = {appID: 'shop', appDirPath: '.', command: rig.drivenCommand, resourcesPath: './resources'}
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({version: 1, apps: [app]}),
    'resources/store.yaml': component('store', 'state.redis', {redisHost: `localhost:${redis}`})
  })
  const start = async (): Promise<boolean> =>
    t.match(await rig.run(['up', '-d', '--name', 'mine'], {folder: 'main'}), {code: 0})
  const copies = join(rig.home, '.local/state/pillion/copies')
  await start()
  t.match(await rig.run(['copies', 'down', 'mine'], {folder: 'main'}), {code: 0})
  const forget = onTerminal(rig, ['copies', 'forget', 'mine'], {folder: 'main'})
  await forget.stdout.until(() => forget.stdout.text.includes('[y/N]') || undefined, 'the question')
  await start()
  forget.stdin.write('y\n')
  t.match(await forget.exited, {code: 1})
  t.match(forget.stdout.text, /mine is running \(pid \d+\)/)
  t.match(readdirSync(copies), [/^mine-/])
})

t.test('forget runs the teardown of a copy, also of a lost worktree, and removes nothing if it fails', async t => {
  const rig = await openRig(t)
  const log = join(rig.folder, 'log')
  const note = (word: string): readonly string[] => [
    'sh',
    '-c',
    `echo ${word} $PILLION_COPY >> ${log}; ! [ -e ${log}.bad ]`
  ]
  const app = {appID: 'shop', appDirPath: '.', command: rig.drivenCommand, teardown: note('app')}
  const template = JSON.stringify({version: 1, apps: [app], setup: note('setup'), teardown: note('all')})
  await writeWorktrees(rig, {'dapr.yaml': template}, ['pr', 'fix'])
  for (const folder of ['pr', 'fix']) {
    const run = rig.pillion(['up'], {folder})
    await (await rig.driven('shop')).listen()
    await run.end()
  }
  const lines = (): readonly string[] => readFileSync(log, 'utf8').trim().split('\n')
  t.same(lines(), ['setup pr', 'setup fix'])
  await rig.write({'log.bad': ''})
  const forget = async (name: string): ReturnType<Rig['run']> =>
    rig.run(['copies', 'forget', name, '--yes'], {folder: 'main'})
  t.match(await forget('fix'), {
    code: 1,
    stderr: /teardown failed: sh -c [^]*exited with 1[^]*Nothing of fix was removed/
  })
  rmSync(`${log}.bad`)
  t.match(await rig.run(['copies', 'forget', 'fix'], {folder: 'main'}), {code: 1, stderr: /the teardown sh -c/})
  t.match(await forget('fix'), {code: 0, stdout: /fix is forgotten/})
  t.same(lines().slice(2), ['app fix', 'app fix', 'all fix'])
  rmSync(join(rig.folder, 'pr'), {recursive: true})
  rmSync(join(rig.folder, 'main/.git/worktrees/pr'), {recursive: true})
  t.match(await rig.run(['copies'], {folder: 'main'}), {stderr: /gone: pr\. pillion copies forget NAME/})
  t.match(await forget('pr'), {code: 0, stdout: /pr is forgotten/})
  t.same(lines().slice(5), ['app pr', 'all pr'])
  t.match(await forget('pr'), {code: 1, stderr: /no copy is called pr/})
})
