import {execFile} from 'node:child_process'
import {closeSync, constants, openSync} from 'node:fs'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {orElse} from '../model/or-else.ts'
import {loadFfi, type CFunction} from './experimental.ts'

/** Both ends of a pipe, as file descriptors. The app's end is blocking; a socket of Node makes ours non-blocking. */
export interface Pipe {
  readonly ours: number
  readonly theirs: number
}

/** The file descriptors that a process reads from and writes to. */
export interface TheirStdio {
  /** Omitted: the process reads nothing. */
  readonly stdin?: number
  readonly stdout: Pick<Pipe, 'theirs'>
  /** The pipe for stderr, which may be that of stdout. */
  readonly stderr: Pick<Pipe, 'theirs'>
}

/** The pipes for the output of one process. */
export interface ProcessPipes {
  readonly stdout: Pipe
  readonly stderr: Pipe
}

/**
 * Creates pipes for `count` processes. Node's own are sockets, on which `echo > /dev/stdout` fails (ENXIO, unix(7)), as nginx and many
 * scripts do. Rejects if the system refuses.
 */
export async function makePipes(count: number): Promise<ProcessPipes[]> {
  const open: number[] = []
  try {
    return systemPipes(count, open) ?? (await fifos(count, open))
  } catch (error) {
    for (const descriptor of open) closeSync(descriptor)
    throw error
  }
}

/** Creates pipes by pipe2(2): an external program would take 7 ms. Undefined if this Node or the system cannot. */
function systemPipes(count: number, open: number[]): ProcessPipes[] | undefined {
  const pipe2 = process.platform === 'linux' && count > 0 ? cFunction('pipe2', ['pointer', 'i32']) : undefined
  if (pipe2 === undefined) return undefined
  const both = Buffer.alloc(8)
  const make = (): Pipe => {
    // pipe2(2) fails for no other reason
    if (pipe2(both, O_CLOEXEC) !== 0)
      throw Object.assign(new Error('no more files can be opened (pipe2(2))'), {code: 'EMFILE'})
    return {ours: keep(both.readInt32LE(0), open), theirs: keep(both.readInt32LE(4), open)}
  }
  return Array.from({length: count}, () => ({stdout: make(), stderr: make()}))
}

const cFunction = (name: string, types: readonly string[]): CFunction | undefined =>
  orElse(() => loadFfi()?.dlopen(null, {[name]: {arguments: types, return: 'i32'}}).functions[name], undefined)

/**
 * Creates a stdin: a pair of sockets, as Node's own kind is. A FIFO whose writer has closed it would block `open("/dev/stdin")` for ever.
 * Returns undefined if this Node or the system cannot.
 */
export function inputPair(): Pipe | undefined {
  const socketpair =
    process.platform === 'linux' ? cFunction('socketpair', ['i32', 'i32', 'i32', 'pointer']) : undefined
  const both = Buffer.alloc(8)
  if (socketpair?.(AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, both) !== 0) return undefined
  return {ours: both.readInt32LE(0), theirs: both.readInt32LE(4)}
}

/** Creates pipes with one call of `mkfifo`. */
async function fifos(count: number, open: number[]): Promise<ProcessPipes[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pillion-pipes-'))
  const pathsOf = (name: string): string[] => Array.from({length: count}, (_, index) => join(folder, `${name}${index}`))
  const [stdouts, stderrs] = [pathsOf('out'), pathsOf('err')]
  try {
    if (count > 0)
      await promisify(execFile)('mkfifo', ['-m', '600', ...stdouts, ...stderrs], {env: {PATH: searchPath()}})
    return stdouts.map((stdout, index) => ({
      stdout: openPipe(stdout, open),
      stderr: openPipe(stderrs[index] ?? '', open)
    }))
  } finally {
    await rm(folder, {recursive: true, force: true})
  }
}

/** A PATH that lacks the system's folders by mistake is reported for the apps' programs, not for ours. */
const searchPath = (): string => [process.env['PATH'] ?? '', '/usr/bin', '/bin'].join(':')

/** Closes the app's ends after the spawn: the app has its own copies. */
export function closeTheirs({stdout, stderr}: TheirStdio): void {
  closeSync(stdout.theirs)
  if (stderr !== stdout) closeSync(stderr.theirs)
}

/** Closes pipes that no process will use. */
export function closePipes(pipes: ProcessPipes): void {
  closeTheirs(pipes)
  closeSync(pipes.stdout.ours)
  closeSync(pipes.stderr.ours)
}

const {O_RDONLY, O_WRONLY, O_NONBLOCK} = constants
/** As Linux has it, open(2); SOCK_CLOEXEC of socket(2) is the same. */
const O_CLOEXEC = 0o2000000
/** Of socketpair(2). */
const [AF_UNIX, SOCK_STREAM] = [1, 1]

/** Opens the reading end first, without blocking: opening one end of a FIFO waits for the other (fifo(7)). */
function openPipe(path: string, open: number[]): Pipe {
  const ours = keep(openSync(path, O_RDONLY | O_NONBLOCK), open)
  return {ours, theirs: keep(openSync(path, O_WRONLY), open)}
}

function keep(descriptor: number, open: number[]): number {
  open.push(descriptor)
  return descriptor
}
