import {spawn} from 'node:child_process'
import {cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import t from 'tap'
import {writeRunFile} from '../../../src/control/run-file.ts'
import {oneByOne} from '../../../src/control/run-name.ts'
import {spaceOf, type Space} from '../../../src/control/space.ts'
import {startOf} from '../../../src/platform/process-table.ts'

const CONFIG = '[remote "origin"]\n\turl = git@example.com:a/b.git\n'

/** A repository with a worktree that has a submodule, two clones of another one, and a folder of none. */
const FILES = {
  'main/.git/config': '',
  'main/.git/worktrees/pr/commondir': '../..\n',
  'main/.git/worktrees/pr/modules/lib/HEAD': '',
  'main/shop/dapr.yaml': '',
  'pr/.git': 'gitdir: ../main/.git/worktrees/pr\n',
  'pr/shop/dapr.yaml': '',
  'pr/lib/.git': 'gitdir: ../../main/.git/worktrees/pr/modules/lib\n',
  'one/.git/config': CONFIG,
  'two/.git/config': CONFIG,
  'three/.git/config': CONFIG,
  'none/dapr.yaml': '',
  'runs/.keep': '',
  'state/.keep': ''
}
const folder = mkdtempSync(join(tmpdir(), 'space-')) // not below the repository of this test
t.teardown(() => rmSync(folder, {recursive: true}))
for (const [path, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(folder, path)), {recursive: true, mode: 0o700})
  writeFileSync(join(folder, path), text)
}
const env = {XDG_STATE_HOME: join(folder, 'state'), PILLION_RUNTIME_DIR: join(folder, 'runs')}

const spaceAt = async (path: string, copy = ''): Promise<Space | undefined> => {
  const at = join(folder, path)
  return spaceOf(env, {file: join(at, 'dapr.yaml'), copy})
}

t.test('worktrees and named copies have a space, the same for each of their templates; others share', async t => {
  t.equal(await spaceAt('main/shop'), undefined)
  t.equal(await spaceAt('none'), undefined)
  const pr = await spaceAt('pr/shop')
  t.match(pr, {name: /^pr-[0-9a-f]{12}$/, folder: join(folder, 'state/pillion/copies', pr?.name ?? '?')})
  for (const path of ['pr', 'pr/lib', 'pr/gone']) t.same(await spaceAt(path), pr, path)
  t.same(await spaceOf(env, {file: '', copy: ''}, join(folder, 'pr')), pr, 'a single app')
  symlinkSync(join(folder, 'pr'), join(folder, 'link'))
  t.same(await spaceAt('link/shop'), pr, 'by a link')
  const named = await spaceAt('none', 'b')
  t.match(named, {name: /^b-/})
  t.same(await spaceAt('none', 'b'), named)
  t.not((await spaceAt('main', 'b'))?.name, named?.name)
})

t.test('a worktree that is moved keeps its space; a copy of it, and one made in its place, have others', async t => {
  const files = {'main/.git/worktrees/fix/commondir': '../..\n', 'fix/.git': 'gitdir: ../main/.git/worktrees/fix\n'}
  const make = (): void => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), {recursive: true})
      writeFileSync(join(folder, path), text)
    }
  }
  make()
  const before = process.cwd()
  // as a run does that is started there
  process.chdir(join(folder, 'fix'))
  const fix = await spaceAt('fix')
  process.chdir(before)
  const named = await spaceAt('fix', 'b')
  cpSync(join(folder, 'fix'), join(folder, 'fix-by-hand'), {recursive: true})
  const byHand = await spaceAt('fix-by-hand')
  t.not(byHand?.name, fix?.name)
  renameSync(join(folder, 'fix'), join(folder, 'moved'))
  t.same(await spaceAt('moved'), fix)
  t.same(await spaceAt('moved', 'b'), named)
  t.same(await spaceAt('fix-by-hand'), byHand)
  for (const gone of ['moved', 'main/.git/worktrees/fix']) rmSync(join(folder, gone), {recursive: true})
  make()
  const again = await spaceAt('fix')
  t.match(again, {name: /^fix-/})
  t.notOk([fix, byHand].some(each => each?.name === again?.name))
})

t.test('of clones the one that runs first shares; one that runs next to it has a space from then on', async t => {
  t.equal(await spaceAt('one'), undefined)
  const first = await runOf('one')
  const two = await spaceAt('two')
  t.match(two, {name: /^two-/})
  first()
  t.same(await spaceAt('two'), two, 'alone, too')
  const second = await runOf('two')
  t.equal(await spaceAt('one'), undefined, 'next to one that has a space')
  second()
  t.equal(await spaceAt('three'), undefined)
})

/** Another process that is registered as the run of a template; gives its end. */
async function runOf(path: string): Promise<() => void> {
  const {pid = 0} = spawn('sleep', ['60'])
  const home = join(env.PILLION_RUNTIME_DIR, path)
  mkdirSync(home)
  const identity = {
    pid,
    name: path,
    copy: '',
    started: startOf(pid),
    templateFile: join(folder, path, 'dapr.yaml'),
    appIds: []
  }
  await writeRunFile(home, {marker: '0'.repeat(32), graceMs: 1, identity})
  return () => {
    rmSync(home, {recursive: true})
    process.kill(pid)
  }
}

t.test('a state folder in which nothing can be written is no reason to fail', async t => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const at = join(folder, 'pr')
  t.match(await spaceOf({...env, XDG_STATE_HOME: file}, {file: join(at, 'dapr.yaml'), copy: ''}), {
    folder: new RegExp(`^${dirname(file)}`)
  })
})

t.test('a copy is not begun while another one forgets those that were not used for long', async t => {
  const forgotten = Promise.withResolvers<void>()
  const forgetting = oneByOne(env.PILLION_RUNTIME_DIR, async () => forgotten.promise)
  let isBegun = false
  const beginning = spaceAt('pr').then(() => (isBegun = true))
  for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate)
  t.notOk(isBegun)
  forgotten.resolve()
  await forgetting
  t.ok(await beginning)
})
