import {execFileSync, spawnSync} from 'node:child_process'
import {chmodSync, cpSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import type {PsRow} from '../../src/model/api.generated.ts'
import {missing} from '../rig/missing.ts'
import {skipWithoutPostgres} from '../rig/postgres.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const PROGRAMS = [
  ['redis-server', '--version'],
  ['go', 'version'],
  ['python3', '--version']
] as const
const absent = PROGRAMS.find(([program, word]) => spawnSync(program, [word]).status !== 0)
const skip = skipWithoutPostgres === false ? absent !== undefined && missing(absent[0]) : skipWithoutPostgres

/** By hand: five copies, 500 orders through each. */
const COPIES = Number(process.env['COPIES'] ?? 2)
const ORDERS = Number(process.env['ORDERS'] ?? 100)
const AT_ONCE = 10
const EXAMPLE = join(import.meta.dirname, '../../examples/worktrees')

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

async function order(port: number, folder: string): Promise<void> {
  const ids = Array.from({length: ORDERS}, (_, at) => `${folder} ${at}`).values()
  const worker = async (): Promise<void> => {
    for (const id of ids) {
      const {status} = await fetch(`http://127.0.0.1:${port}/orders`, {method: 'POST', body: JSON.stringify({id})})
      if (status !== 201) throw new Error(`order ${id}: ${status}`)
    }
  }
  await Promise.all(Array.from({length: AT_ONCE}, worker))
}

t.test(
  'worktrees by two commands each: every order and event is in its own servers and nowhere else',
  {skip},
  async t => {
    const rig = await openRig(t)
    // PostgreSQL is another user where the test is root
    for (const each of [rig.folder, dirname(rig.folder)]) chmodSync(each, 0o755)
    const main = join(rig.folder, 'main')
    cpSync(EXAMPLE, main, {recursive: true, filter: path => !/\/(?:data|new|\.dapr)$/.test(path)})
    git(main, 'init', '-q')
    git(main, 'add', '.')
    git(main, 'commit', '-qm', 'shop')
    const folders = ['main', ...Array.from({length: COPIES - 1}, (_, at) => `copy${at + 1}`)]
    const runs = []
    const env = {GOCACHE: execFileSync('go', ['env', 'GOCACHE'], {encoding: 'utf8'}).trim()}
    for (const folder of folders) {
      const began = performance.now()
      if (folder !== 'main') git(main, 'worktree', 'add', '-q', `../${folder}`)
      runs.push(rig.pillion(['up'], {folder, env}))
      t.match(await rig.run(['wait', '--for', 'ready', '--timeout', '240s'], {folder}), {code: 0}, folder)
      t.comment(`${folder}: ready after ${((performance.now() - began) / 1000).toFixed(1)} s`)
    }
    const webs = await Promise.all(folders.map(async folder => portOf(rig, folder, 'web')))
    t.equal(new Set(webs).size, folders.length)
    await Promise.all(folders.map(async (folder, at) => order(webs[at] ?? 0, folder)))
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
        [query(db, 'SELECT count(*) FROM orders'), query(db, 'SELECT count(*) FROM mails')],
        [`${ORDERS}`, `${ORDERS}`]
      )
      const keys = execFileSync('redis-cli', ['-p', redis.toString(), '--scan', '--pattern', 'orders||*'], {
        encoding: 'utf8'
      })
      t.same(
        keys.trim().split('\n').toSorted(),
        Array.from({length: ORDERS}, (_, at) => `orders||${folder} ${at}`).toSorted()
      )
    }
    for (const folder of folders) t.match(await rig.run(['down'], {folder}), {code: 0})
    for (const run of runs) t.match(await run.exited, {code: 0})
    t.same(await rig.leftovers(), [])
  }
)
