import {execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {knownCopies} from '../../../src/control/known-copies.ts'
import {originOf} from '../../../src/control/repository.ts'
import {writeRunFile} from '../../../src/control/run-file.ts'
import {spaceOf} from '../../../src/control/space.ts'
import {startOf} from '../../../src/platform/process-table.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'known-'))) // not below the repository of this test
t.teardown(() => rmSync(folder, {recursive: true}))
const env = {XDG_STATE_HOME: join(folder, 'state'), PILLION_RUNTIME_DIR: join(folder, 'runs')}
const fileIn = (name: string): string => join(folder, name, 'dapr.yaml')
const git = (name: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    cwd: join(folder, name),
    encoding: 'utf8',
    stdio: 'pipe'
  })
/** The name, where it is and whether it is gone: as `copies` in the main working tree shows it. */
const copiesIn = (name = 'main'): readonly string[] =>
  knownCopies(env, fileIn(name)).map(
    copy => `${copy.name} ${copy.folder.slice(folder.length + 1)}${copy.isGone ? ' gone' : ''}`
  )

for (const name of ['main', 'runs', 'state']) mkdirSync(join(folder, name), {mode: 0o700})
writeFileSync(fileIn('main'), 'version: 1\n')
git('main', 'init', '-q', '-b', 'main')
git('main', 'add', '.')
git('main', 'commit', '-qm', 'shop')

t.test('a worktree that git moves is one copy, in its new place, with what it keeps', async t => {
  git('main', 'worktree', 'add', '-q', '-b', 'fix', '../fix')
  const space = await spaceOf(env, {file: fileIn('fix'), copy: ''})
  t.same(copiesIn(), ['main main', 'fix fix'])
  git('main', 'worktree', 'move', '../fix', '../fixed')
  t.same(copiesIn(), ['main main', 'fixed fixed'])
  t.equal(knownCopies(env, fileIn('main'))[1]?.space?.folder, space?.folder)
  t.equal(knownCopies(env, fileIn('main'))[1]?.branch, 'fix')
  git('main', 'worktree', 'remove', '../fixed')
  t.same(copiesIn(), ['main main', 'fix fix gone'], 'what it has left')
  rmSync(space?.folder ?? '', {recursive: true})
})

t.test('a worktree that git knows by a relative path (worktree.useRelativePaths) is a copy', async t => {
  git('main', 'worktree', 'add', '-q', '--detach', '../near')
  // as Git writes them from 2.48 on
  writeFileSync(join(folder, 'near/.git'), 'gitdir: ../main/.git/worktrees/near\n')
  writeFileSync(join(folder, 'main/.git/worktrees/near/gitdir'), '../../../../near/.git\n')
  t.same(copiesIn(), ['main main', 'near near'])
  t.same(copiesIn('near'), ['main main', 'near near'])
  rmSync(join(folder, 'near'), {recursive: true})
  t.same(copiesIn(), ['main main', 'near near gone'])
  git('main', 'worktree', 'prune')
})

t.test('a main tree whose Git folder is elsewhere (--separate-git-dir, a submodule) is one of its copies', async t => {
  mkdirSync(join(folder, 'apart'))
  git('apart', 'init', '-q', '-b', 'main', '--separate-git-dir', '../apart-git')
  writeFileSync(fileIn('apart'), 'version: 1\n')
  git('apart', 'add', '.')
  git('apart', 'commit', '-qm', 'shop')
  t.same(copiesIn('apart'), ['apart apart'])
  git('apart', 'worktree', 'add', '-q', '--detach', '../beside')
  t.same(copiesIn('apart'), ['apart apart', 'beside beside'])
  t.same(copiesIn('beside'), ['beside beside'], 'Git does not know where it is')
})

t.test('a worktree that was moved by hand is found where it has run, and from inside', async t => {
  git('main', 'worktree', 'add', '-q', '--detach', '../pr')
  const space = await spaceOf(env, {file: fileIn('pr'), copy: ''})
  renameSync(join(folder, 'pr'), join(folder, 'moved'))
  t.same(copiesIn(), ['main main', 'pr pr gone'], 'nobody has seen it')
  t.same(copiesIn('moved'), ['main main', 'moved moved'])
  t.equal((await spaceOf(env, {file: fileIn('moved'), copy: ''}))?.folder, space?.folder, 'as a run begins')
  t.same(copiesIn(), ['main main', 'moved moved'])
  t.equal(knownCopies(env, fileIn('main'))[1]?.space?.folder, space?.folder)
  // it is moved again, and another one is made where it was first
  renameSync(join(folder, 'moved'), join(folder, 'again'))
  mkdirSync(join(folder, 'pr'))
  t.same(copiesIn('again'), ['main main', 'again again'])
  rmSync(join(folder, 'pr'), {recursive: true})
  t.same(copiesIn(), ['main main', 'pr pr gone', 'moved moved gone'])
  git('again', 'worktree', 'repair')
  t.same(copiesIn(), ['main main', 'again again'], 'git was told')
})

t.test('a worktree that was moved by hand and forgotten by git is of its repository, with its own space', async t => {
  git('main', 'worktree', 'add', '-q', '--detach', '../try')
  renameSync(join(folder, 'try'), join(folder, 'tried'))
  git('main', 'worktree', 'prune')
  t.equal(originOf(fileIn('tried')), originOf(fileIn('main')))
  t.ok(copiesIn('tried').includes('tried tried'), 'from inside')
  const space = await spaceOf(env, {file: fileIn('tried'), copy: ''})
  t.match(space?.name, /^tried-/)
  t.ok(copiesIn().includes('tried tried'), 'where it has run')
  rmSync(join(folder, 'tried'), {recursive: true})
  rmSync(space?.folder ?? '', {recursive: true})
})

t.test('where Git keeps branches in tables (reftable), a copy has none that is not there', async t => {
  const head = join(folder, 'main/.git/HEAD')
  writeFileSync(head, 'ref: refs/heads/.invalid\n') // what Git writes there then
  t.teardown(() => writeFileSync(head, 'ref: refs/heads/main\n'))
  t.equal(knownCopies(env, fileIn('main'))[0]?.branch, '')
})

t.test('the run that asks is one of its copies', async t => {
  const home = join(folder, 'runs', 'a')
  mkdirSync(home)
  const {pid} = process
  const started = startOf(pid)
  const identity = {pid, name: 'here', copy: '', started, templateFile: fileIn('main'), appIds: []}
  await writeRunFile(home, {marker: '0'.repeat(32), graceMs: 1, identity})
  t.match(knownCopies(env, fileIn('main')), [
    {name: 'here', run: {pid}},
    {name: 'again', run: undefined}
  ])
})
