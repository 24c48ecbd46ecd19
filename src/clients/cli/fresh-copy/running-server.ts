import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import {userInfo} from 'node:os'
import {dirname, join, relative} from 'node:path'
import {linkAt} from '../../../platform/listeners.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {namesInFolder, systemText} from '../../../platform/paths.ts'
import {portsHeldBy} from '../../../platform/port-owners.ts'
import {runLines} from '../../../platform/run-lines.ts'
import {removeTemporary, temporaryFor} from './copy-path.ts'
import {makeFolder} from '../../../platform/make-folder.ts'

/** A process that writes files below a folder. */
interface FileWriter {
  readonly pid: number
  readonly program: string
  readonly files: readonly string[]
}

/** Finds processes that write below a path, as far as /proc shows them (proc(5)). A Redis server counts if the path is its working folder. */
export function writersOf(path: string): readonly FileWriter[] {
  const writers: FileWriter[] = []
  for (const name of numbersIn('/proc')) {
    const pid = Number(name)
    const program = systemText(`/proc/${pid}/comm`).trim()
    const files = numbersIn(`/proc/${pid}/fd`).flatMap(fd => {
      const file = linkAt(`/proc/${pid}/fd/${fd}`)
      const isInside = file === path || file.startsWith(`${path}/`)
      return isInside && /^flags:\s*\d*[12]$/m.test(systemText(`/proc/${pid}/fdinfo/${fd}`)) ? [file] : []
    })
    const isRedis = /^(?:redis|valkey)-server/.test(program) && linkAt(`/proc/${pid}/cwd`) === path
    if (files.length > 0 || isRedis) writers.push({pid, program, files})
  }
  return writers
}

/**
 * Copies the data of a server that runs, by its own tool, to the temporary place of a path: a plain copy would be wrong without an error.
 * Rejects with a UserError if no such tool is known, or it fails.
 */
export async function copyRunning(from: string, to: string, writers: readonly FileWriter[]): Promise<void> {
  const temporary = temporaryFor(to)
  const files = [...new Set(writers.flatMap(each => each.files))].map(file => file.replace(/-(?:wal|shm|journal)$/, ''))
  const others = files.filter(file => !isSqlite(file))
  const writer = writers.find(each => each.files.some(file => others.includes(file))) ?? writers[0]
  if (writer === undefined) return
  const {program, pid} = writer
  makeFolder(dirname(to))
  try {
    if (existsSync(join(from, 'postmaster.pid'))) return await copyPostgres(from, temporary, pid)
    if (/^(?:redis|valkey)-server/.test(program)) return await copyRedis(from, temporary, pid)
    if (program === 'mariadbd') return await copyMariadb(from, temporary, pid)
    if (files.length > 0 && others.length === 0) return await copySqlite(from, temporary, [...new Set(files)])
  } catch (error) {
    removeTemporary(to)
    throw refusal(from, writer, messageOf(error))
  }
  throw refusal(from, writer, 'its own tool for this is not known here')
}

const refusal = (from: string, {program, pid}: FileWriter, why: string): UserError =>
  new UserError(
    `bring: ${from} is in use by ${program} (pid ${pid}), and a copy of files that are written would be wrong: ${why}`,
    {
      explanation:
        'Stop it first (pillion down, in the main working tree), then start this copy again; or take it out of bring.'
    }
  )

/** Copies by pg_basebackup(1). Lines of `postmaster.pid`: pid, folder, start, port, folder of the socket, address. */
async function copyPostgres(from: string, temporary: string, pid: number): Promise<void> {
  const [, , , port = '', sockets = '', address = ''] = readFileSync(join(from, 'postmaster.pid'), 'utf8').split('\n')
  const host = address.trim() === '' || address.trim() === '*' ? sockets.trim() || '127.0.0.1' : address.trim()
  const users = [...new Set([process.env['PGUSER'] ?? 'postgres', 'postgres', userInfo().username])]
  let why = ''
  for (const user of users) {
    why = await run(
      'pg_basebackup',
      ['-D', temporary, '-h', host, '-p', port, '-U', user, '-w', '-c', 'fast', '--no-sync'],
      pid
    )
    if (why === '') return
  }
  throw new Error(why)
}

async function copyRedis(from: string, temporary: string, pid: number): Promise<void> {
  const [port] = (await portsHeldBy([pid])) ?? []
  if (port === undefined) throw new Error('the port of the Redis is not known')
  makeFolder(temporary)
  const file = join(temporary, 'dump.rdb')
  const why = await run('redis-cli', ['-p', port.toString(), '--rdb', file], pid)
  if (why !== '') throw new Error(why)
  if (!existsSync(join(from, 'appendonlydir'))) return
  // a Redis with an append-only file reads no dump.rdb: it becomes the base of such a file (Redis 7, Multi Part AOF)
  const folder = join(temporary, 'appendonlydir')
  mkdirSync(folder)
  copyFileSync(file, join(folder, 'appendonly.aof.1.base.rdb'))
  writeFileSync(join(folder, 'appendonly.aof.1.incr.aof'), '')
  const manifest = 'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n'
  writeFileSync(join(folder, 'appendonly.aof.manifest'), manifest)
}

/** Copies the files of MariaDB, then the changes during that (mariadb-backup(1)). */
async function copyMariadb(from: string, temporary: string, pid: number): Promise<void> {
  const [port] = (await portsHeldBy([pid])) ?? []
  if (port === undefined) throw new Error('the port of the MariaDB is not known')
  const place = [`--target-dir=${temporary}`, `--datadir=${from}`]
  const server = ['--host=127.0.0.1', `--port=${port}`, '--user=root']
  for (const args of [
    ['--backup', ...place, ...server],
    ['--prepare', `--target-dir=${temporary}`]
  ]) {
    const why = await run('mariadb-backup', ['--no-defaults', ...args], pid)
    if (why !== '') throw new Error(why)
  }
}

/** Copies databases by `VACUUM INTO`, which waits for a transaction of their writer, and other files by `cp`. */
async function copySqlite(from: string, temporary: string, databases: readonly string[]): Promise<void> {
  const {DatabaseSync} = await import('node:sqlite')
  const isSingle = databases.includes(from)
  if (!isSingle) {
    const {why} = await runLines(['cp', '-a', from, temporary], {folder: dirname(from)})
    if (why !== '') throw new Error(`cp ${why}`)
  }
  for (const file of databases) {
    const target = isSingle ? temporary : join(temporary, relative(from, file))
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${target}${end}`, {force: true})
    const database = new DatabaseSync(file, {readOnly: true, timeout: 5000})
    try {
      database.prepare('VACUUM INTO ?').run(target)
    } finally {
      database.close()
    }
  }
}

/** Whether a file begins as a database of SQLite. A missing file does not: the server has ended. */
const isSqlite = (file: string): boolean =>
  orElse(() => {
    const head = Buffer.alloc(15)
    const descriptor = openSync(file, 'r')
    readSync(descriptor, head, 0, head.length, 0)
    closeSync(descriptor)
    return head.toString() === 'SQLite format 3'
  }, false)

/** Runs the tool next to the server's program, which has its version, else that in PATH. Resolves with why it failed; '': it succeeded. */
async function run(program: string, args: readonly string[], pid: number): Promise<string> {
  const ofServer = join(dirname(linkAt(`/proc/${pid}/exe`)), program)
  const {why, last} = await runLines([existsSync(ofServer) ? ofServer : program, ...args], {folder: '/'})
  return why === '' || last === '' ? why : last
}

/** Returns the numbers in a folder of /proc; an empty list if it cannot be read. */
const numbersIn = (folder: string): readonly string[] => namesInFolder(folder).filter(name => /^\d+$/.test(name))
