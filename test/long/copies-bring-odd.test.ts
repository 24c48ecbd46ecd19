import {execFileSync, spawnSync} from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  symlinkSync
} from 'node:fs'
import {dirname, join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {orElse} from '../../src/model/or-else.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: 'pipe'
  })

/** A repository `main` that ignores `data`, and a worktree `pr` beside it, with a template that has these keys. */
async function repository(t: Test, keys: object, app: object = {}): Promise<Rig> {
  const rig = await openRig(t)
  const apps = [{appID: 'a', appDirPath: './api', command: ['true'], ...app}]
  await rig.write({
    'main/.gitignore': 'data\n',
    'main/.worktreeinclude': 'api/data/\n',
    'main/api/a.txt': 'a',
    'main/dapr.yaml': JSON.stringify({version: 1, ...keys, apps})
  })
  const main = join(rig.folder, 'main')
  git(main, 'init', '-q')
  git(main, 'add', '.')
  git(main, 'commit', '-qm', 'all')
  git(main, 'worktree', 'add', '-q', '../pr')
  return rig
}

const up = async (rig: Rig): ReturnType<Rig['run']> => rig.run(['up'], {folder: 'pr'})

for (const wanted of ['data/shop.db', 'data/deep'])
  t.test(`bring: a database that is written lies behind a link of the main working tree: ${wanted}`, async t => {
    const rig = await repository(t, {bring: [wanted]})
    const folder = join(rig.folder, 'disk/data', wanted === 'data/deep' ? 'deep' : '')
    mkdirSync(folder, {recursive: true})
    const database = new DatabaseSync(join(folder, 'shop.db'))
    t.teardown(() => database.close())
    database.exec('PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (1), (2)')
    symlinkSync('../disk/data', join(rig.folder, 'main/data'))
    t.match(await up(rig), {code: 0, stderr: /which runs, by its own tool/})
    t.same(readdirSync(folder), ['shop.db', 'shop.db-shm', 'shop.db-wal'], 'it is where it was')
    const copy = new DatabaseSync(join(rig.folder, 'pr', wanted, wanted === 'data/deep' ? 'shop.db' : ''))
    t.teardown(() => copy.close())
    t.same({...copy.prepare('SELECT count(*) AS orders FROM orders').get()}, {orders: 2})
  })

t.test('bring: a folder comes whole, though another glob names a file in it', async t => {
  const rig = await repository(t, {bring: ['data/*.db', 'data', 'data/deep']})
  await rig.write({'main/data/a.db': '1', 'main/data/b.txt': '2', 'main/data/deep/c': '3'})
  t.match(await up(rig), {code: 0, stderr: /brought from .*\/main: data \(3 files, /})
  t.same(readdirSync(join(rig.folder, 'pr/data')), ['a.db', 'b.txt', 'deep'])
})

t.test('an env file comes, and the folder of .worktreeinclude around it', async t => {
  const rig = await repository(t, {}, {envFile: 'data/.env'})
  await rig.write({'main/api/data/.env': 'A=1', 'main/api/data/key': 'k'})
  t.match(await up(rig), {code: 0, stderr: /brought from .*\/main: api\/data \(2 files, /})
  t.same(readdirSync(join(rig.folder, 'pr/api/data')), ['.env', 'key'])
})

t.test('a copy that is refused leaves nothing behind', async t => {
  const rig = await repository(t, {bring: ['data']})
  await rig.write({'main/data/other': 'o', 'main/data/shop.db': 'SQLite format 3\0 and then something else'})
  const written = openSync(join(rig.folder, 'main/data/shop.db'), 'r+')
  t.teardown(() => closeSync(written))
  t.match(await up(rig), {code: 1, stderr: /would be wrong: file is not a database/})
  t.notOk(existsSync(join(rig.folder, 'pr/data')))
  t.notMatch(readdirSync(join(rig.folder, 'pr')).join(), 'pillion-bring')
})

t.test('bring waits for a transaction of who writes a database', async t => {
  const rig = await repository(t, {bring: ['data/shop.db']})
  const file = join(rig.folder, 'main/data/shop.db')
  mkdirSync(dirname(file))
  const database = new DatabaseSync(file)
  t.teardown(() => database.close())
  database.exec('CREATE TABLE orders (id INTEGER); BEGIN EXCLUSIVE; INSERT INTO orders VALUES (1)')
  const run = rig.pillion(['up'], {folder: 'pr'})
  const over = new AbortController()
  void run.exited.then(() => over.abort())
  const fds = `/proc/${run.pid}/fd`
  const reads = (): boolean => readdirSync(fds).some(fd => orElse(() => readlinkSync(join(fds, fd)), '') === file)
  while (!over.signal.aborted && !orElse(reads, false)) await pause(1)
  database.exec('COMMIT')
  t.match(await run.exited, {code: 0}, run.stderr.text)
  const copy = new DatabaseSync(join(rig.folder, 'pr/data/shop.db'))
  t.teardown(() => copy.close())
  t.same({...copy.prepare('SELECT count(*) AS orders FROM orders').get()}, {orders: 1})
})

t.test('env files come, though one is in a submodule', async t => {
  const rig = await repository(t, {}, {envFile: ['../sub/data', 'data']})
  const main = join(rig.folder, 'main')
  git(main, 'init', '-q', 'sub')
  await rig.write({'main/sub/.gitignore': 'data\n', 'main/sub/data': 'A=1', 'main/api/data': 'B=2'})
  git(join(main, 'sub'), 'add', '.')
  git(join(main, 'sub'), 'commit', '-qm', 'sub')
  git(main, 'add', 'sub')
  t.match(await up(rig), {code: 1, stderr: /brought from .*\/main: api\/data \(1 file/})
  t.notOk(existsSync(join(rig.folder, 'pr/sub/data')), 'git fills the submodule only while it is empty')
})

const NOBODY = 65_534

t.test('what another user owns, as a container leaves it, is named, and is no bug of ours', async t => {
  const rig = await repository(t, {bring: ['data']})
  await rig.write({'main/data/one/1': '1', 'main/data/owned/2': '2', 'main/data/two/3': '3'})
  const owned = join(rig.folder, 'main/data/owned')
  const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  const isRoot = process.getuid?.() === 0
  if (isRoot) {
    chmodSync(dirname(rig.folder), 0o755)
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, rig.folder])
    chownSync(owned, 0, 0)
  }
  chmodSync(owned, isRoot ? 0o700 : 0)
  const {status, stderr} = spawnSync('env', [...(isRoot ? asNobody : []), ...rig.program, 'up'], {
    cwd: join(rig.folder, 'pr'),
    env: {PATH: process.env['PATH'], HOME: rig.folder},
    encoding: 'utf8'
  })
  t.equal(status, 1)
  t.match(stderr, /bring: .*\/data cannot be copied: cp exited with 1: cp: .*owned.*: Permission denied/)
  t.notOk(existsSync(join(rig.folder, 'pr/data')))
  chmodSync(owned, 0o700)
})
