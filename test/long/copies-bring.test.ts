import {execFileSync} from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync
} from 'node:fs'
import {readFile, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import t, {type Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: 'pipe'
  })

/** A repository `main` with these files, of which `.gitignore` leaves some to the working tree. */
async function repository(t: Test, files: Readonly<Record<string, string>>): Promise<Rig> {
  const rig = await openRig(t)
  for (const [name, text] of Object.entries(files)) await rig.write({[`main/${name}`]: text})
  const main = join(rig.folder, 'main')
  git(main, 'init', '-q')
  git(main, 'add', '.')
  git(main, 'commit', '-qm', 'all')
  return rig
}

const runsOf = (file: string): number => readFileSync(file, 'utf8').trim().split('\n').length

/** Adds a worktree beside `main`. */
const addWorktree = (rig: Rig, name: string): string => {
  git(join(rig.folder, 'main'), 'worktree', 'add', '-q', '-b', name, `../${name}`)
  return join(rig.folder, name)
}

const templateOf = (top: object, app: object = {}): string =>
  JSON.stringify({
    version: 1,
    ...top,
    apps: [{appID: 'a', appDirPath: './api', command: ['sh', '-c', 'echo started'], ...app}]
  })

const up = async (rig: Rig, folder: string, args: readonly string[] = []): ReturnType<Rig['run']> =>
  rig.run(['up', ...args], {folder})

t.test('bring: what git does not carry comes once, with times and modes, never over a file or by a link', async t => {
  const rig = await repository(t, {
    '.gitignore': '.env\nnode_modules\ndata\n.venv\nmore\n',
    'dapr.yaml': templateOf(
      {bring: ['.env', '*/node_modules', 'api/data', 'api/.venv', 'web/more']},
      {envFile: '../.env'}
    ),
    'api/a.txt': 'a',
    'web/w.txt': 'w'
  })
  const main = join(rig.folder, 'main')
  await rig.write({
    'main/.env': 'KEY=main\n',
    'main/api/node_modules/x/index.js': 'x',
    'main/web/node_modules/y/index.js': 'y',
    'main/api/data/deep/file': 'data',
    'main/api/.venv/pyvenv.cfg': 'home = /usr',
    'main/web/more/m.txt': 'm'
  })
  chmodSync(join(main, 'api/data'), 0o700)
  utimesSync(join(main, 'api/data/deep/file'), 1_000_000, 1_000_000)
  symlinkSync('../x/index.js', join(main, 'api/node_modules/x/inside'))
  symlinkSync(join(main, 'api/a.txt'), join(main, 'api/node_modules/x/outside'))
  const pr = addWorktree(rig, 'pr')
  // what an interrupted copy has left is begun again
  await rig.write({'pr/api/.pillion-bring-data/half': ''})
  await rig.write({'pr/web/node_modules/mine': 'mine'})
  symlinkSync(join(main, 'web'), join(rig.folder, 'elsewhere'))
  const {code, stderr, stdout} = await up(rig, 'pr')
  t.equal(code, 0, stderr)
  t.match(stdout, 'started')
  t.match(stderr, /brought from .*\/main: \.env, api\/node_modules, api\/data, web\/more \(5 files, [\d.]+ s\)/)
  t.match(stderr, 'api/.venv is not brought: it is a Python environment')
  t.match(stderr, 'left out of api/node_modules, as they lead out of it: api/node_modules/x/outside')
  t.equal(readFileSync(join(pr, '.env'), 'utf8'), 'KEY=main\n')
  t.equal(statSync(join(pr, 'api/data')).mode & 0o777, 0o700)
  t.equal(statSync(join(pr, 'api/data/deep/file')).mtimeMs, 1_000_000_000)
  t.equal(statSync(join(pr, 'api/node_modules/x/index.js')).nlink, 1, 'no hard links')
  t.ok(lstatSync(join(pr, 'api/node_modules/x/inside')).isSymbolicLink())
  t.notOk(existsSync(join(pr, 'api/node_modules/x/outside')))
  t.notOk(existsSync(join(pr, 'web/node_modules/y')), 'a folder of the copy is not mixed with another')
  t.notOk(existsSync(join(pr, 'api/.pillion-bring-data')))
  await rig.write({'pr/.env': 'KEY=pr\n', 'main/api/data/deep/file': 'newer'})
  t.notMatch((await up(rig, 'pr')).stderr, 'brought')
  t.equal(readFileSync(join(pr, '.env'), 'utf8'), 'KEY=pr\n')
  t.equal(readFileSync(join(pr, 'api/data/deep/file'), 'utf8'), 'data')
  t.equal((await up(rig, 'main')).code, 0, 'the main working tree brings nothing')
})

t.test('bring: what is a link itself is left out, and named; the rest comes, and the apps start', async t => {
  const rig = await repository(t, {
    '.gitignore': '.env*\ndata\n',
    'dapr.yaml': templateOf({bring: ['.env', '.env.local', 'data']}),
    'api/a.txt': 'a'
  })
  const main = join(rig.folder, 'main')
  await rig.write({'main/.env.local': 'KEY=main\n', 'elsewhere/big': 'big'})
  symlinkSync('.env.local', join(main, '.env'))
  symlinkSync('../elsewhere', join(main, 'data'))
  const pr = addWorktree(rig, 'pr')
  const {code, stderr} = await up(rig, 'pr')
  t.equal(code, 0, stderr)
  t.match(stderr, '.env is not brought: it is a link. Let setup make it')
  t.match(stderr, 'data is not brought: it is a link. Let setup make it')
  t.match(stderr, /brought from .*\/main: \.env\.local \(1 file, /)
  t.same(readdirSync(pr).toSorted(), ['.env.local', '.git', '.gitignore', 'api', 'dapr.yaml'])
})

t.test('of two starts of a worktree one brings, and the other one waits for it', async t => {
  const rig = await repository(t, {
    '.gitignore': 'data\n',
    'dapr.yaml': templateOf({bring: ['data']}),
    'api/a.txt': 'a'
  })
  const [begun, go] = [join(rig.folder, 'begun'), join(rig.folder, 'go')]
  execFileSync('mkfifo', [begun, go])
  await rig.write({
    'main/data/1': '1',
    'main/data/2': '2',
    'bin/cp': `#!/bin/sh\necho > ${begun}\ncat ${go}\nPATH=\${PATH#*:} exec cp "$@"\n`
  })
  chmodSync(join(rig.folder, 'bin/cp'), 0o755)
  const pr = addWorktree(rig, 'pr')
  const env = {PATH: `${join(rig.folder, 'bin')}:${process.env['PATH'] ?? ''}`}
  const first = rig.pillion(['run', '-f', '.'], {folder: 'pr', env})
  await readFile(begun)
  const second = rig.pillion(['run', '-f', '.'], {folder: 'pr'})
  await second.waitForLine('waits for another start', {stream: 'stderr'})
  await writeFile(go, '')
  for (const run of [first, second]) {
    await run.exited
    t.match(run.stdout.text, 'started')
  }
  t.match(first.stderr.text, /brought from .*: data \(2 files/)
  t.notMatch(second.stderr.text, 'brought')
  t.same(readdirSync(join(pr, 'data')), ['1', '2'])
})

t.test('a glob that has found nothing counts again at the next start', async t => {
  const rig = await repository(t, {
    '.gitignore': '.env\n',
    'dapr.yaml': templateOf({bring: ['.env', '..cache/.env']}),
    'api/a.txt': 'a'
  })
  const pr = addWorktree(rig, 'pr')
  t.match(await up(rig, 'pr'), {code: 0}, 'a name that begins with two dots leads nowhere')
  await rig.write({'main/.env': 'KEY=later\n'})
  t.match(await up(rig, 'pr'), {code: 0, stderr: /brought from .*: \.env/})
  t.equal(readFileSync(join(pr, '.env'), 'utf8'), 'KEY=later\n')
})

t.test('bring: through a link there is no way, nor out of the repository', async t => {
  const rig = await repository(t, {
    '.gitignore': 'data\n',
    'dapr.yaml': templateOf({bring: ['web/data']}),
    'api/a.txt': 'a'
  })
  await rig.write({'main/web/data/d': 'd'})
  const pr = addWorktree(rig, 'pr')
  symlinkSync(join(rig.folder, 'main/web'), join(pr, 'web'))
  t.match(await up(rig, 'pr'), {code: 1, stderr: /bring: web\/data is not copied: web is a link/})
  await rig.write({'pr/dapr.yaml': templateOf({bring: ['../secret']})})
  t.match(await up(rig, 'pr'), {code: 1, stderr: /bring: \.\.\/secret leads out of the repository/})
  await rig.write({'pr/dapr.yaml': templateOf({bring: 'web/data'})})
  t.match(await up(rig, 'pr'), {code: 1, stderr: /expected a list of globs/})
})

t.test('without bring the env files come that git ignores, and what .worktreeinclude names', async t => {
  const rig = await repository(t, {
    '.gitignore': '.env\n*.key\nlogs/\n',
    '.worktreeinclude': '*.key\n!other.key\n',
    'dapr.yaml': templateOf({}, {envFile: '.env', command: ['sh', '-c', 'echo $KEY']}),
    'api/a.txt': 'a'
  })
  await rig.write({
    'main/api/.env': 'KEY=brought\n',
    'main/api/my.key': 'k',
    'main/api/other.key': 'o',
    'main/logs/l': 'l'
  })
  const pr = addWorktree(rig, 'pr')
  t.match(await up(rig, 'pr'), {code: 0, stdout: /== APP - a == brought/})
  t.ok(existsSync(join(pr, 'api/my.key')))
  t.notOk(existsSync(join(pr, 'api/other.key')))
  t.notOk(existsSync(join(pr, 'logs')))
})

t.test('the env file of an app of a pillion.yaml comes, too; copies lists the worktree', async t => {
  const apps = [{id: 'a', dir: 'api', envFile: '.env', command: ['sh', '-c', 'echo $KEY']}]
  const rig = await repository(t, {
    '.gitignore': '.env\n',
    'pillion.yaml': JSON.stringify({version: 1, apps}),
    'api/a.txt': 'a'
  })
  await rig.write({'main/api/.env': 'KEY=brought\n'})
  addWorktree(rig, 'pr')
  t.match(await up(rig, 'pr'), {code: 0, stdout: /== APP - a == brought/})
  t.match(await rig.run(['copies'], {folder: 'main'}), {code: 0, stdout: /^main .*\n^pr /m})
})

t.test('setup runs once in a worktree, again when its lock file changed, and a failure stops the start', async t => {
  const rig = await repository(t, {
    'dapr.yaml': templateOf(
      {setup: ['sh', '-c', 'echo all; echo 1 >> all.log']},
      {setup: ['sh', '-c', 'echo app; echo 1 >> app.log; test ! -f broken'], env: {WORD: 'x'}}
    ),
    'api/package-lock.json': '{}'
  })
  t.match(await up(rig, 'main'), {code: 0})
  t.notOk(existsSync(join(rig.folder, 'main/all.log')), 'not in the main working tree')
  const pr = addWorktree(rig, 'pr')
  const first = await up(rig, 'pr')
  t.match(first, {code: 0, stdout: /started/, stderr: /== SETUP == all\n[^]*== SETUP - a == app/})
  t.notMatch((await up(rig, 'pr')).stderr, 'SETUP')
  await rig.write({'pr/api/package-lock.json': '{"a": 1}', 'pr/api/broken': ''})
  const failed = await up(rig, 'pr')
  t.match(failed, {code: 1, stderr: /setup of "a" failed: sh -c .* exited with 1[^]*Nothing was started/})
  t.notMatch(failed.stdout, 'started')
  await rig.write({
    'pr/dapr.yaml': readFileSync(join(pr, 'dapr.yaml'), 'utf8').replace('test ! -f broken', 'rm broken')
  })
  t.match(await up(rig, 'pr', ['--run', 'echo ran']), {code: 0, stdout: /ran/})
  t.same([runsOf(join(pr, 'all.log')), runsOf(join(pr, 'api/app.log'))], [1, 3])
  await rig.write({'pr/dapr.yaml': templateOf({setup: ['no-such-program']})})
  t.match(await up(rig, 'pr'), {code: 1, stderr: /setup failed: no-such-program could not be started/})
})

/** Two starts of a worktree: the first one runs its `setup` until the file `go` is there, and the second one waits for it. */
async function twoStarts(t: Test) {
  const rig = await repository(t, {
    'dapr.yaml': templateOf({
      setup: ['sh', '-c', 'echo 1 >> all.log; echo begun; while ! [ -e go ]; do sleep 0.05; done']
    }),
    'api/a.txt': 'a'
  })
  const pr = addWorktree(rig, 'pr')
  const first = rig.pillion(['run', '-f', '.'], {folder: 'pr'})
  await first.waitForLine('begun', {stream: 'stderr'})
  const second = rig.pillion(['run', '-f', '.'], {folder: 'pr'})
  await second.waitForLine('waits for another start', {stream: 'stderr'})
  return {rig, first, second, setups: (): number => runsOf(join(pr, 'all.log'))}
}

t.test('of two starts of a worktree one runs setup, and the other one waits for it', async t => {
  const {rig, first, second, setups} = await twoStarts(t)
  await rig.write({'pr/go': ''})
  for (const run of [first, second]) {
    await run.exited
    t.match(run.stdout.text, 'started')
  }
  t.equal(setups(), 1)
})

t.test('a start that waits for a setup runs it itself where the other one is killed', async t => {
  const {rig, first, second, setups} = await twoStarts(t)
  await first.end('SIGKILL')
  await second.waitForLine('begun', {stream: 'stderr'})
  await rig.write({'pr/go': ''})
  await second.exited
  t.match(second.stdout.text, 'started')
  t.equal(setups(), 2)
})

t.test('a start without a setup that is due takes no lock', async t => {
  const rig = await repository(t, {'dapr.yaml': templateOf({}), 'api/a.txt': 'a'})
  addWorktree(rig, 'pr')
  mkdirSync(join(rig.folder, 'main/.git/worktrees/pr/pillion.lock')) // whoever takes it fails
  t.match(await up(rig, 'pr'), {code: 0, stdout: /started/})
})

t.test('a signal during setup ends it and what it started', async t => {
  const rig = await repository(t, {
    'dapr.yaml': templateOf({setup: ['sh', '-c', 'sleep 100 & echo $! > pid; echo begun; wait']}),
    'api/a.txt': 'a'
  })
  addWorktree(rig, 'pr')
  const run = rig.pillion(['up'], {folder: 'pr'})
  await run.waitForLine('begun', {stream: 'stderr'})
  await run.end()
  t.notMatch(run.stdout.text, 'started')
  t.match(await up(rig, 'main'), {code: 0})
})

t.test('a template that is saved while its setup runs is the one that is followed', async t => {
  const rig = await repository(t, {
    'dapr.yaml': templateOf(
      {setup: ['sh', '-c', 'sed -i s/b[e]fore/after/ dapr.yaml']},
      {env: {WORD: 'before'}, command: ['sh', '-c', 'echo "$WORD"; exec sleep 100']}
    ),
    'api/a.txt': 'a'
  })
  addWorktree(rig, 'pr')
  const run = rig.pillion(['up', '--watch'], {folder: 'pr'})
  await run.waitForLine(/^== APP - a == after$/)
  await run.end('SIGINT')
})

t.test('down ends a copy that is still made ready, and what its setup started', async t => {
  const rig = await repository(t, {
    'dapr.yaml': templateOf({setup: ['sh', '-c', 'sleep 100 & echo begun; wait']}),
    'api/a.txt': 'a'
  })
  addWorktree(rig, 'pr')
  const run = rig.pillion(['up'], {folder: 'pr'})
  await run.waitForLine('begun', {stream: 'stderr'})
  const {stdout} = await rig.run(['copies', '-o', 'json'], {folder: 'main'})
  t.match(JSON.parse(stdout), [{state: 'stopped'}, {name: 'pr', state: 'starting', pid: run.pid}])
  t.match(await rig.run(['down'], {folder: 'main'}), {code: 0, stdout: /nothing to stop/}, 'it is of another folder')
  t.match(await rig.run(['down'], {folder: 'pr'}), {code: 0, stdout: / stopped\n/})
  t.ok(run.hasExited)
  t.notMatch(run.stdout.text, 'started')
  t.match(await rig.run(['down'], {folder: 'pr'}), {code: 0, stdout: /nothing to stop/})
  t.match(await up(rig, 'main'), {code: 0, stderr: ''}, 'it counts as no copy any more')
})

t.test('a database that is written comes by its own tool; what has none is refused', async t => {
  const rig = await repository(t, {
    '.gitignore': 'data\n',
    'dapr.yaml': templateOf({bring: ['data']}),
    'api/a.txt': 'a'
  })
  const folder = join(rig.folder, 'main/data')
  mkdirSync(folder)
  const database = new DatabaseSync(join(folder, 'shop.db'))
  t.teardown(() => database.close())
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (1), (2)')
  const pr = addWorktree(rig, 'pr')
  t.match(await up(rig, 'pr'), {code: 0, stderr: /which runs, by its own tool/})
  const copy = new DatabaseSync(join(pr, 'data/shop.db'))
  t.teardown(() => copy.close())
  t.same({...copy.prepare('SELECT count(*) AS orders FROM orders').get()}, {orders: 2})
  copy.exec('DELETE FROM orders')
  t.same({...database.prepare('SELECT count(*) AS orders FROM orders').get()}, {orders: 2})
  const other = addWorktree(rig, 'other')
  const writer = rig.pillion([
    ...'run -a w -- sh -c'.split(' '),
    `exec 3>'${join(folder, 'raw')}'; echo open; sleep 100`
  ])
  await writer.waitForLine('open')
  const refused = await up(rig, 'other')
  t.match(refused, {
    code: 1,
    stderr: /data is in use by \w+ \(pid \d+\), and a copy of files that are written would be wrong[^]*Stop it first/
  })
  t.notOk(existsSync(join(other, 'data')))
  await writer.end('SIGINT')
  t.ok(existsSync(dirname(other)))
})
