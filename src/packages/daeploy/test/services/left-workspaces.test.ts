import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import {readdir} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {basename, join} from 'node:path'
import t, {type Test} from 'tap'
import {tarOf} from '../../../../../test/rig/tar.ts'
import {Workspaces} from '../../services/workspaces.ts'
import {MANIFEST} from '../../services/manifest.ts'
import {removeLeftWorkspaces} from '../../services/left-workspaces.ts'
import type {AppPlan} from '../../../../model/plan.ts'

const MARKER = 'c0ffee'.padEnd(32, '0')

const app = (id: string, folder: string): AppPlan =>
  ({id, version: '1.0.0', instance: 1, folder, fixedPort: 8000}) as unknown as AppPlan

/** The number of a process that has ended. */
async function pidOfNobody(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid ?? 0
}

/** A run with a working copy, a deployed service and the hook's folder; `left` is what its manifest says in place of the truth. */
async function scene(t: Test, left: Readonly<Record<string, unknown>>) {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'left-')))
  t.teardown(() => rmSync(home, {recursive: true, force: true}))
  const project = join(home, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'service.py'), 'one')
  writeFileSync(join(home, 'archive'), tarOf({name: 'service.py', text: 'hello'}))
  const copies = new Workspaces({HOME: home}, MARKER, {warn: (_, text) => t.fail(text)})
  await copies.open([app('a', project), app('b', project)])
  const copy = await copies.folderOf(app('b', project))
  const deployed = await copies.unpack('hello_1.0.0', join(home, 'archive'))
  copies.folder('python')
  const run = join(home, '.cache/pillion', MARKER)
  const manifest = join(run, MANIFEST)
  writeFileSync(manifest, JSON.stringify({...(JSON.parse(readFileSync(manifest, 'utf8')) as object), ...left}))
  const warned: string[] = []
  const sweep = async () => removeLeftWorkspaces({env: {HOME: home}, reporter: {warn: (_, text) => warned.push(text)}})
  return {home, run, copy, deployed, warned, sweep}
}

t.test('what a dead run has left goes, nothing is warned', async t => {
  const {run, warned, sweep} = await scene(t, {pid: await pidOfNobody()})
  await sweep()
  t.notOk(existsSync(run))
  t.same(warned, [])
})

t.test("its number may be somebody else's by now", async t => {
  const {run, sweep} = await scene(t, {started: 1})
  await sweep()
  t.notOk(existsSync(run))
})

t.test('copies in which files were changed stay and are named once; the rest goes', async t => {
  const {run, copy, deployed, warned, sweep} = await scene(t, {pid: await pidOfNobody()})
  writeFileSync(join(copy, 'notes.txt'), 'mine')
  writeFileSync(join(deployed, 'service.py'), 'mine')
  await sweep()
  const why = 'a workspace of a run that was killed: it is kept'
  t.same(warned, [`files were changed in ${copy}, ${why}`, `files were changed in ${deployed}, ${why}`])
  t.same(readdirSync(run).toSorted(), ['b_1.0.0', 'hello_1.0.0'])
  t.equal(readFileSync(join(copy, 'notes.txt'), 'utf8'), 'mine')
  await sweep()
  t.equal(warned.length, 2)
  t.same(readdirSync(run).toSorted(), ['b_1.0.0', 'hello_1.0.0'])
})

t.test('what cannot be removed is named once and stays; the rest goes', async t => {
  const {home, run, copy, warned, sweep} = await scene(t, {pid: await pidOfNobody()})
  const closed = join(copy, '__pycache__')
  mkdirSync(closed)
  writeFileSync(join(closed, 'x'), '')
  chmodSync(closed, 0o555)
  const isRoot = process.geteuid?.() === 0
  if (isRoot)
    for (const path of readdirSync(home, {recursive: true, encoding: 'utf8'})) chownSync(join(home, path), 65_534, 0)
  if (isRoot) chownSync(home, 65_534, 0)
  if (isRoot) process.seteuid?.(65_534) // root may remove anything
  try {
    await sweep()
    await sweep()
    t.match(warned, [`${copy} cannot be removed: EACCES`])
    t.equal(warned.length, 1)
    t.same(readdirSync(run), [basename(copy)])
  } finally {
    if (isRoot) process.seteuid?.(0)
    chmodSync(closed, 0o755)
  }
})

for (const [who, left] of [
  ['one that lives', {}],
  ['one of an earlier boot or another machine', {pid: 1, started: 1, boot: 'another'}],
  ['one in another pid namespace', {pid: 1, started: 1, pids: 'pid:[1]'}],
  ['one that writes its ledger in another way', {pid: 1, started: 1, copies: 7}]
] as const)
  t.test(`${who} is left alone`, async t => {
    const {copy, deployed, warned, sweep} = await scene(t, left)
    await sweep()
    t.ok(existsSync(join(copy, 'service.py')))
    t.ok(existsSync(join(deployed, 'service.py')))
    t.same(warned, [])
  })

t.test('a dead run of which a process lives is left alone until that has ended', async t => {
  const {run, copy, sweep} = await scene(t, {pid: await pidOfNobody()})
  const child = spawn('sleep', ['60'], {cwd: copy, env: {...process.env, PILLION_RUN: MARKER}})
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  await sweep()
  t.ok(existsSync(join(copy, 'service.py')))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await sweep()
  t.notOk(existsSync(run))
})

t.test('other things in that folder are not ours', async t => {
  const {home, sweep} = await scene(t, {})
  mkdirSync(join(home, '.cache/pillion/mine'))
  mkdirSync(join(home, '.cache/pillion', '0'.repeat(32)))
  await sweep()
  t.same(readdirSync(join(home, '.cache/pillion')).toSorted(), ['0'.repeat(32), MARKER, 'mine'])
})

t.test('what cannot be looked at hinders nobody', async t => {
  const {copy, warned, sweep} = await scene(t, {pid: await pidOfNobody()})
  const manifest = join(copy, '..', MANIFEST)
  const text = readFileSync(manifest, 'utf8')
  writeFileSync(manifest, text.replaceAll(basename(copy), 'no\\u0000name'))
  await sweep()
  t.ok(existsSync(join(copy, 'service.py')))
  t.same(warned, [])
})

t.test('nothing is there: nothing happens', async t => {
  const warned: string[] = []
  await removeLeftWorkspaces({
    env: {HOME: join(tmpdir(), 'nobody-lives-here')},
    reporter: {warn: (_, text) => warned.push(text)}
  })
  t.same(warned, [])
})

t.test('a sweep that another one overtakes keeps what was changed', async t => {
  const {home, run, copy, sweep} = await scene(t, {pid: await pidOfNobody()})
  writeFileSync(join(copy, 'notes.txt'), 'mine')
  const slow = sweep()
  await readdir(join(home, '.cache/pillion')) // it has read the manifest, and looks at all processes
  rmSync(join(run, MANIFEST)) // as the other one does at its end
  await slow
  t.equal(readFileSync(join(copy, 'notes.txt'), 'utf8'), 'mine')
})
