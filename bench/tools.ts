import {execFile} from 'node:child_process'
import {once} from 'node:events'
import {createHash} from 'node:crypto'
import {accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync} from 'node:fs'
import {copyFile, rename} from 'node:fs/promises'
import {createServer, type AddressInfo} from 'node:net'
import {tmpdir, userInfo} from 'node:os'
import {basename, delimiter, dirname, join} from 'node:path'
import {promisify} from 'node:util'
import {openRig, type Rig} from '../test/rig/rig.ts'

const execute = promisify(execFile)
const SERVERS = join(import.meta.dirname, '../test/fixtures/servers')

/** Whether a program is on the PATH. */
export function isInstalled(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false // not in this folder
    }
  })
}

/** Where programs stay that were compiled or fetched for this. */
export function cacheFolder(): string {
  const folder = join(tmpdir(), `pillion-bench-${userInfo().uid}`)
  mkdirSync(folder, {recursive: true, mode: 0o700})
  return folder
}

/** A source, with the files that are compiled with it. */
function sourceOf(path: string): string {
  if (basename(path) !== 'main.go') return readFileSync(path, 'utf8')
  const folder = dirname(path)
  const files = readdirSync(folder).toSorted()
  return files.map(name => readFileSync(join(folder, name), 'utf8')).join('')
}

/** A program of `test/fixtures/servers`, compiled when its source is new; kept in the folder for temporary files. */
async function compiled(
  source: string,
  compiler: (source: string, target: string) => readonly [string, ...string[]]
): Promise<string> {
  const path = join(SERVERS, source)
  const target = join(
    cacheFolder(),
    `${basename(source, '.go')}-${createHash('sha256').update(sourceOf(path)).digest('hex').slice(0, 12)}`
  )
  if (existsSync(target)) return target
  const unfinished = `${target}.${process.pid}`
  const [command, ...args] = compiler(path, unfinished)
  await execute(command, args)
  await rename(unfinished, target)
  return target
}

/** The server that answers with what it gets and checks what a sidecar adds. */
export const echoServer = async (): Promise<string> =>
  compiled('echo.go', (source, target) => ['go', 'build', '-o', target, source])

/** The app that lists one topic and counts the events of it. */
export const subscriber = async (): Promise<string> =>
  compiled('subscriber.go', (source, target) => ['go', 'build', '-o', target, source])

/** The app of gRPC that answers with what it gets, and the program that calls it. */
export const grpcEnds = async (): Promise<string> =>
  compiled('../sdks/go/load/main.go', (source, target) => [
    'go',
    'build',
    '-C',
    dirname(dirname(source)),
    '-o',
    target,
    './load'
  ])

/** The program that writes lines. */
export const lineWriter = async (): Promise<string> =>
  compiled('writer.c', (source, target) => ['cc', '-O2', '-o', target, source])

/** Replaces Node in commands by a copy of it: proportional memory counts in full what no other process shares. */
export async function ownNode(rig: Rig): Promise<(command: readonly string[]) => readonly string[]> {
  const node = join(rig.folder, 'node')
  await copyFile(process.execPath, node)
  return command => command.map(word => (word === process.execPath ? node : word))
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({length: count}, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(async server => once(server, 'listening')))
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(async server => once(server.close(), 'close')))
  return ports
}

/** A rig for the time of a measurement: a failure shows what was printed, and nothing is left running. */
export async function withRig<T>(measure: (rig: Rig) => Promise<T>): Promise<T> {
  const closers: (() => Promise<void>)[] = []
  let hasPassed = false
  const rig = await openRig({teardown: close => void closers.push(close), passing: () => hasPassed})
  try {
    const result = await measure(rig)
    hasPassed = true
    return result
  } finally {
    for (const close of closers) await close()
  }
}
