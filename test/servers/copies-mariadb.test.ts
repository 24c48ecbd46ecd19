import {execFileSync, spawnSync} from 'node:child_process'
import {chmodSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import type {PsRow} from '../../src/model/api.generated.ts'
import {freePort} from '../rig/free-port.ts'
import {missing} from '../rig/missing.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const absent = ['mariadbd', 'mariadb-install-db', 'mariadb-backup', 'mariadb'].find(
  program => spawnSync(program, ['--help']).error !== undefined
)
const skip = absent === undefined ? false : missing(absent)

/** The entry of the manual; MariaDB refuses to be root, so it is nobody there. */
const SERVE = `#!/bin/sh
set -e
as=
if [ "$(id -u)" = 0 ]; then
  chown -R 65534 .
  as='setpriv --reuid=65534 --regid=65534 --clear-groups'
fi
[ -d data ] || { rm -rf new && $as mariadb-install-db --no-defaults --datadir=$PWD/new --auth-root-authentication-method=normal --skip-test-db >/dev/null && mv new data; }
exec $as mariadbd --no-defaults --datadir=$PWD/data --bind-address=127.0.0.1 --port=$APP_PORT --socket=/tmp/my-$APP_PORT.sock --innodb-log-file-size=4M
`

async function portOf(rig: Rig, folder: string): Promise<number> {
  const {stdout} = await rig.run(['ps', 'my', '-o', 'json'], {folder})
  const [row] = JSON.parse(stdout) as readonly PsRow[]
  return row?.appPort ?? 0
}

const query = (port: number, sql: string): string =>
  execFileSync(
    'mariadb',
    ['--no-defaults', '-h', '127.0.0.1', '-P', port.toString(), '-u', 'root', '-N', '-B', '-e', sql],
    {encoding: 'utf8'}
  ).trim()

t.test('bring: a copy gets the data of a MariaDB that is written, as they were at one moment', {skip}, async t => {
  const rig = await openRig(t)
  for (const each of [rig.folder, dirname(rig.folder)]) chmodSync(each, 0o755)
  const app = {
    appID: 'my',
    appDirPath: './my',
    appPort: await freePort(),
    stop: {timeout: '30s'},
    ready: {command: ['sh', '-c', 'mariadb-admin --no-defaults -h 127.0.0.1 -P $APP_PORT -u root ping']},
    command: ['./serve.sh']
  }
  await rig.write({
    'main/dapr.yaml': JSON.stringify({version: 1, bring: ['my/data'], apps: [app]}),
    'main/my/serve.sh': SERVE,
    'main/.gitignore': 'data\nnew\n.dapr\n'
  })
  const main = join(rig.folder, 'main')
  chmodSync(join(main, 'my/serve.sh'), 0o755)
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {cwd: main, encoding: 'utf8'})
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'shop')
  const first = rig.pillion(['up'], {folder: 'main'})
  t.match(await rig.run(['wait', '--for', 'ready', '--timeout', '120s'], {folder: 'main'}), {code: 0})
  const port = await portOf(rig, 'main')
  query(port, 'CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, text VARCHAR(4000))')
  const end = new AbortController()
  let count = 0
  const write = (): void => {
    query(port, `INSERT INTO shop.orders VALUES (${++count}, REPEAT('x', 4000)), (${++count}, REPEAT('y', 4000))`)
  }
  for (let each = 0; each < 50; each++) write()
  const before = count
  const writing = (async () => {
    for (; !end.signal.aborted; await pause(1)) write()
  })()
  git('worktree', 'add', '-q', '../pr')
  const second = rig.pillion(['up'], {folder: 'pr'})
  t.match(await rig.run(['wait', '--for', 'ready', '--timeout', '120s'], {folder: 'pr'}), {code: 0})
  end.abort()
  await writing
  t.match(second.stderr.text, /bringing my\/data from mariadbd \(pid \d+\), which runs, by its own tool/)
  const copy = await portOf(rig, 'pr')
  t.not(copy, port)
  const [rows = 0, last = 0] = query(copy, 'SELECT count(*), max(id) FROM shop.orders').split('\t').map(Number)
  t.ok(rows >= before && rows <= count, `${before} ≤ ${rows} ≤ ${count}`)
  t.equal(last, rows, 'nothing in the middle is missing')
  t.match(query(copy, 'CHECK TABLE shop.orders'), /OK$/)
  query(copy, 'DELETE FROM shop.orders')
  t.equal(query(port, 'SELECT count(*) FROM shop.orders'), count.toString())
  for (const [folder, run] of [
    ['pr', second],
    ['main', first]
  ] as const) {
    t.match(await rig.run(['down'], {folder}), {code: 0})
    t.match(await run.exited, {code: 0})
  }
  t.same(await rig.leftovers(), [])
})
