import {execFileSync, spawnSync} from 'node:child_process'
import {chmodSync, cpSync, readFileSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type {PsRow} from '../../src/model/api.generated.ts'
import {LIMIT_MS} from '../rig/limit.ts'
import {missing} from '../rig/missing.ts'
import {skipWithoutPostgres} from '../rig/postgres.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const PROGRAMS = [
  ['redis-server', '--version'],
  ['go', 'version'],
  ['python3', '--version']
] as const
const absent = PROGRAMS.find(([program, word]) => spawnSync(program, [word]).status !== 0)
const skip = skipWithoutPostgres === false ? absent !== undefined && missing(absent[0]) : skipWithoutPostgres

/** `COPIES=5 ORDERS=500 npm test -- test/servers/worktrees.test.ts` is a whole day of a team. */
const COPIES = Number(process.env['COPIES'] ?? 2)
const ORDERS = Number(process.env['ORDERS'] ?? 100)
const AT_ONCE = 10
/** What the whole takes on a busy machine. */
const timeout = LIMIT_MS + COPIES * ORDERS * 200
const EXAMPLE = join(import.meta.dirname, '../../examples/worktrees')

t.setTimeout(timeout + LIMIT_MS)

const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {cwd, encoding: 'utf8'})

async function portOf(rig: Rig, folder: string, app: string): Promise<number> {
  const {stdout} = await rig.run(['ps', app, '-o', 'json'], {folder})
  const [row] = JSON.parse(stdout) as readonly PsRow[]
  return row?.appPort ?? 0
}

const query = (port: number, sql: string): string =>
  execFileSync('psql', ['-X', '-A', '-t', '-h', '127.0.0.1', '-p', port.toString(), '-U', 'postgres', '-c', sql], {
    encoding: 'utf8'
  }).trim()

/** A repository `main` with the example; its template begins with these lines, too. */
async function openShop(t: Test, lines = ''): Promise<Rig> {
  const rig = await openRig(t)
  // PostgreSQL is another user where the test is root
  for (const each of [rig.folder, dirname(rig.folder)]) chmodSync(each, 0o755)
  const main = join(rig.folder, 'main')
  cpSync(EXAMPLE, main, {recursive: true, filter: path => !/\/(?:data|new|\.dapr)$/.test(path)})
  const template = join(main, 'dapr.yaml')
  writeFileSync(template, readFileSync(template, 'utf8').replace('version: 1\n', `version: 1\n${lines}`))
  git(main, 'init', '-q')
  git(main, 'add', '.')
  git(main, 'commit', '-qm', 'shop')
  return rig
}

const ENV = {GOCACHE: execFileSync('go', ['env', 'GOCACHE'], {encoding: 'utf8'}).trim()}

/** Two commands, and the first order. */
async function startShop(t: Test, rig: Rig, folder: string): Promise<Program> {
  const began = performance.now()
  if (folder !== 'main') git(join(rig.folder, 'main'), 'worktree', 'add', '-q', `../${folder}`)
  const run = rig.pillion(['up'], {folder, env: ENV})
  t.match(await rig.run(['wait', '--for', 'ready', '--timeout', '240s'], {folder}), {code: 0}, folder)
  await order(await portOf(rig, folder, 'web'), [`${folder} 0`])
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const [kilobytes = ''] = execFileSync('du', ['-sk', join(rig.folder, folder)], {encoding: 'utf8'}).split('\t')
  t.comment(`${folder}: first order after ${seconds} s, ${(Number(kilobytes) / 1024).toFixed(0)} MB`)
  return run
}

/** What is ordered in a copy. */
const idsOf = (folder: string): readonly string[] => Array.from({length: ORDERS}, (_, at) => `${folder} ${at}`)

async function order(port: number, ids: readonly string[]): Promise<void> {
  const left = ids.values()
  const worker = async (): Promise<void> => {
    for (const id of left) {
      const {status} = await fetch(`http://127.0.0.1:${port}/orders`, {method: 'POST', body: JSON.stringify({id})})
      if (status !== 201) throw new Error(`order ${id}: ${status}`)
    }
  }
  await Promise.all(Array.from({length: AT_ONCE}, worker))
}

const redisCli = (port: number, ...args: readonly string[]): string =>
  execFileSync('redis-cli', ['-p', port.toString(), ...args], {encoding: 'utf8'}).trim()

/** The ids of the orders that the Redis of a copy keeps. */
const idsInRedis = (port: number): readonly string[] =>
  redisCli(port, '--scan', '--pattern', 'orders||*')
    .split('\n')
    .map(key => key.replace('orders||', ''))
    .toSorted()

async function downAll(t: Test, rig: Rig, folders: readonly string[], runs: readonly Program[]): Promise<void> {
  for (const folder of folders) t.match(await rig.run(['down'], {folder}), {code: 0})
  for (const run of runs) t.match(await run.exited, {code: 0})
  t.same(await rig.leftovers(), [])
}

t.test('worktrees by two commands each: every order and event is in its own servers only', {skip, timeout}, async t => {
  const rig = await openShop(t)
  const folders = ['main', ...Array.from({length: COPIES - 1}, (_, at) => `copy${at + 1}`)]
  const runs: Program[] = []
  for (const folder of folders) runs.push(await startShop(t, rig, folder))
  const webs = await Promise.all(folders.map(async folder => portOf(rig, folder, 'web')))
  t.equal(new Set(webs).size, folders.length)
  await Promise.all(folders.map(async (folder, at) => order(webs[at] ?? 0, idsOf(folder).slice(1))))
  for (const folder of folders) {
    const db = await portOf(rig, folder, 'db')
    const redis = await portOf(rig, folder, 'redis')
    while (Number(query(db, 'SELECT count(*) FROM mails')) < ORDERS) await pause(50)
    const copies = query(
      db,
      "SELECT string_agg(DISTINCT split_part(id, ' ', 1), ',') FROM (SELECT id FROM orders UNION ALL SELECT id FROM mails) a"
    )
    t.equal(copies, folder, 'rows of this copy alone')
    t.same(
      [query(db, 'SELECT count(*) FROM orders'), query(db, 'SELECT count(DISTINCT id), count(*) FROM mails')],
      [`${ORDERS}`, `${ORDERS}|${ORDERS}`]
    )
    t.same(idsInRedis(redis), idsOf(folder).toSorted())
    t.equal(redisCli(redis, 'XLEN', 'orders'), ORDERS.toString(), 'events of this copy alone')
  }
  await downAll(t, rig, folders, runs)
})

t.test('bring: a copy gets the data of running, written servers, as they were at one moment', {skip}, async t => {
  const rig = await openShop(t, 'bring: [db/data, redis/data]\n')
  const main = await startShop(t, rig, 'main')
  const web = await portOf(rig, 'main', 'web')
  const taken = ['main 0']
  const end = new AbortController()
  const shopping = (async () => {
    for (let at = 1; !end.signal.aborted; at++) {
      await order(web, [`main ${at}`])
      taken.push(`main ${at}`)
    }
  })()
  while (taken.length < 30) await pause(20)
  const before = [...taken]
  const copy = await startShop(t, rig, 'copy')
  end.abort()
  await shopping
  const after = new Set(taken)
  t.match(copy.stderr.text, /bringing db\/data from postgres \(pid \d+\), which runs, by its own tool/)
  t.match(copy.stderr.text, /bringing redis\/data from redis-server \(pid \d+\), which runs, by its own tool/)
  t.match(copy.stderr.text, /brought from .*\/main: db\/data, redis\/data/)
  const [db, redis] = [await portOf(rig, 'copy', 'db'), await portOf(rig, 'copy', 'redis')]
  const rows = query(db, "SELECT id FROM orders WHERE id LIKE 'main %'").split('\n')
  for (const ids of [rows, idsInRedis(redis).filter(id => id.startsWith('main '))]) {
    t.ok(
      before.every(id => ids.includes(id)),
      'all that was there before'
    )
    t.ok(
      ids.every(id => after.has(id)),
      'nothing else'
    )
    // orders came one after the other: what is missing is the end
    t.same(new Set(ids), new Set([...after].slice(0, ids.length)))
  }
  t.equal(query(db, "SELECT count(*) FROM orders WHERE id = 'copy 0'"), '1')
  t.equal(query(await portOf(rig, 'main', 'db'), "SELECT count(*) FROM orders WHERE id = 'copy 0'"), '0')
  t.notOk(idsInRedis(await portOf(rig, 'main', 'redis')).includes('copy 0'))
  await downAll(t, rig, ['main', 'copy'], [main, copy])
})
