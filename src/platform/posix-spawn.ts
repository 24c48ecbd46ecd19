import {openSync} from 'node:fs'
import {resolve} from 'node:path'
import {loadFfi, type CFunction} from './experimental.ts'
import {isProgram} from './paths.ts'
import {constants} from 'node:os'
import type {Exit} from '../model/app-state.ts'

export interface PosixSpawnOptions {
  /** The program, found by the PATH of `env`, and its arguments. */
  readonly command: readonly string[]
  readonly folder: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  /** Descriptors. Without `stdin` the process reads an empty one. */
  readonly stdin?: number | undefined
  readonly stdout: number
  readonly stderr: number
  /** Whether this process may exit before the child. */
  readonly isUnref: boolean
}

/**
 * Starts a process in its own session by posix_spawn(3), as Node's `spawn` does with `detached`. Node forks, and so copies our page
 * tables: all calls wait 1 ms in a small run, 25 ms in one of 370 MB. Undefined without effect if the system cannot, or the program
 * cannot be started; Node's `spawn` reports the reason.
 */
export function posixSpawn(options: PosixSpawnOptions): Child | undefined {
  library ??= load()
  const path = library === 'none' || hasNul(options) ? undefined : pathOf(options)
  if (library === 'none' || path === undefined) return undefined
  const pid = library.start(path, options)
  return pid === undefined ? undefined : library.children.add(pid, options.isUnref)
}

/** Whether a text contains a NUL byte, at which a C string would end. */
const hasNul = ({command, folder, env}: PosixSpawnOptions): boolean =>
  [folder, ...command, ...Object.entries(env).flat()].some(text => text.includes('\0'))

/** Finds a program as execvp(3) does, from the folder of the process; undefined: it is not found, or the system's own PATH applies. */
function pathOf({command: [program = ''], folder, env}: PosixSpawnOptions): string | undefined {
  if (program.includes('/')) return program
  const folders = program === '' ? [] : (env['PATH']?.split(':') ?? [])
  return folders
    .map(entry => (entry === '' ? program : `${entry}/${program}`))
    .find(path => isProgram(resolve(folder, path)))
}

interface Library {
  readonly children: Children
  /** The pid; undefined: the system refuses. */
  start(path: string, options: PosixSpawnOptions): number | undefined
}

let library: Library | 'none' | undefined

function load(): Library | 'none' {
  if (process.platform !== 'linux') return 'none' // on macOS Node's `spawn` uses posix_spawn itself
  try {
    const ffi = loadFfi()
    if (ffi === undefined) return 'none'
    const c = ffi.dlopen(null, FUNCTIONS).functions as Readonly<Record<keyof typeof FUNCTIONS, CFunction>>
    const {waitpid} = c
    return {children: new Children(waitpid), start: starter(c, buffer => ffi.getRawPointer(buffer))}
  } catch {
    return 'none' // the C library lacks one of these functions
  }
}

const P = 'pointer'
const FUNCTIONS = {
  posix_spawn: {arguments: [P, P, P, P, P, P], return: 'i32'},
  posix_spawn_file_actions_init: {arguments: [P], return: 'i32'},
  posix_spawn_file_actions_destroy: {arguments: [P], return: 'i32'},
  posix_spawn_file_actions_adddup2: {arguments: [P, 'i32', 'i32'], return: 'i32'},
  posix_spawn_file_actions_addchdir_np: {arguments: [P, P], return: 'i32'},
  posix_spawnattr_init: {arguments: [P], return: 'i32'},
  posix_spawnattr_setflags: {arguments: [P, 'i16'], return: 'i32'},
  posix_spawnattr_setsigdefault: {arguments: [P, P], return: 'i32'},
  posix_spawnattr_setsigmask: {arguments: [P, P], return: 'i32'},
  sigfillset: {arguments: [P], return: 'i32'},
  waitpid: {arguments: ['i32', P, 'i32'], return: 'i32'}
} as const

/** Flags of spawn.h: default signals, none blocked, a new session. */
const FLAGS = 0x04 | 0x08 | 0x80
/** Bytes for a structure of the C library: more than those of glibc and musl need. */
const STRUCTURE_BYTES = 512

function starter(c: Readonly<Record<keyof typeof FUNCTIONS, CFunction>>, addressOf: AddressOf): Library['start'] {
  const nothing = openSync('/dev/null', 'r')
  const attributes = Buffer.alloc(STRUCTURE_BYTES)
  const signals = Buffer.alloc(STRUCTURE_BYTES)
  c.posix_spawnattr_init(attributes)
  c.posix_spawnattr_setsigmask(attributes, signals)
  c.sigfillset(signals)
  c.posix_spawnattr_setsigdefault(attributes, signals)
  c.posix_spawnattr_setflags(attributes, FLAGS)
  const number = Buffer.alloc(4)
  return (path, {command, folder, env, stdin = nothing, stdout, stderr}) => {
    const actions = Buffer.alloc(STRUCTURE_BYTES)
    const directory = text(folder)
    c.posix_spawn_file_actions_init(actions)
    for (const [at, descriptor] of [stdin, stdout, stderr].entries())
      c.posix_spawn_file_actions_adddup2(actions, descriptor, at)
    c.posix_spawn_file_actions_addchdir_np(actions, directory)
    const args = listOf(command, addressOf)
    const environment = listOf(
      Object.entries(env).map(([name, value]) => `${name}=${value}`),
      addressOf
    )
    const error = c.posix_spawn(number, text(path), actions, attributes, args, environment)
    c.posix_spawn_file_actions_destroy(actions)
    return error === 0 ? number.readInt32LE() : undefined
  }
}

type AddressOf = (buffer: Buffer) => bigint

const text = (value: string): Buffer => Buffer.from(`${value}\0`)

/** Makes a `char *[]` with its strings in one buffer, so that none is freed before the call. */
function listOf(values: readonly string[], addressOf: AddressOf): Buffer {
  const table = 8 * (values.length + 1)
  const strings = values.map(value => `${value}\0`).join('')
  const list = Buffer.alloc(table + Buffer.byteLength(strings))
  list.write(strings, table)
  const address = addressOf(list)
  let end = table
  for (const at of values.keys()) {
    list.writeBigUInt64LE(address + BigInt(end), 8 * at)
    end = list.indexOf(0, end) + 1
  }
  return list
}

/** Constant of sys/wait.h: waitpid(2) returns at once. */
const WNOHANG = 1

/** The names of signals by number; of two names for one number the usual one: SIGABRT, not SIGIOT. */
const SIGNALS = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name as NodeJS.Signals])
)

/** A process that we have started, until it is reaped. */
interface Child {
  readonly pid: number
  /** Settles when the process has exited and was reaped. */
  readonly exited: Promise<Exit>
  /** Whether the process was reaped; then its pid may belong to another process. */
  readonly hasExited: () => boolean
}

/** Child processes unknown to Node. Waits for each by its pid at every SIGCHLD. Node does the same for its own children, so neither reaps a child of the other. */
class Children {
  readonly #waitpid: CFunction
  readonly #waiting = new Map<number, (exit: Exit) => void>()
  /** Pids of children that keep Pillion running. */
  readonly #kept = new Set<number>()
  readonly #status = Buffer.alloc(4)
  #keepAlive: NodeJS.Timeout | undefined

  /** Listens from now on: a child can exit before its start has returned. */
  constructor(waitpid: CFunction) {
    this.#waitpid = waitpid
    process.on('SIGCHLD', () => this.#reap())
  }

  /** Keeps us running until the child is reaped, unless it `isUnref`. */
  add(pid: number, isUnref: boolean): Child {
    const {promise, resolve: settle} = Promise.withResolvers<Exit>()
    this.#waiting.set(pid, settle)
    if (!isUnref) {
      this.#kept.add(pid)
      this.#keepAlive ??= setInterval(() => undefined, 2 ** 30)
    }
    return {pid, exited: promise, hasExited: () => this.#waiting.get(pid) !== settle}
  }

  /** Reaps all exited children, since one signal can mean several. */
  #reap(): void {
    for (const [pid, settle] of this.#waiting) {
      if (this.#waitpid(pid, this.#status, WNOHANG) !== pid) continue
      this.#waiting.delete(pid)
      this.#kept.delete(pid)
      settle(exitOf(this.#status.readInt32LE()))
    }
    if (this.#kept.size > 0) return
    clearInterval(this.#keepAlive)
    this.#keepAlive = undefined
  }
}

/** Decodes the status of waitpid(2), as the macros of wait(2) do. */
function exitOf(status: number): Exit {
  const signal = SIGNALS.get(status & 0x7f)
  return signal === undefined ? {kind: 'code', code: (status >> 8) & 0xff} : {kind: 'signal', signal}
}
