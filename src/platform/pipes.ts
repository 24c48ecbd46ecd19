import {execFile} from 'node:child_process'
import {closeSync, constants, openSync} from 'node:fs'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'

/** Both ends of a pipe, as file descriptors. Our end is non-blocking, the app's end is blocking. */
export interface Pipe {
  readonly ours: number
  readonly theirs: number
}

/** Where a process reads and writes, as file descriptors. */
export interface TheirStdio {
  /** Left out: nowhere. */
  readonly stdin?: number
  readonly stdout: Pick<Pipe, 'theirs'>
  /** May be the same. */
  readonly stderr: Pick<Pipe, 'theirs'>
}

/** The pipes for the output of one process. */
export interface ProcessPipes {
  readonly stdout: Pipe
  readonly stderr: Pipe
}

/**
 * Creates pipes for so many processes with one call of `mkfifo`. They are FIFOs, because Node's own pipes are sockets, on
 * which `echo > /dev/stdout` fails (ENXIO, unix(7)); nginx and many shell scripts do that. Rejects if the system refuses.
 */
export async function makePipes(count: number): Promise<ProcessPipes[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pillion-pipes-'))
  const pathsOf = (name: string): string[] => Array.from({length: count}, (_, index) => join(folder, `${name}${index}`))
  const [stdouts, stderrs] = [pathsOf('out'), pathsOf('err')]
  const open: number[] = []
  try {
    if (count > 0)
      await promisify(execFile)('mkfifo', ['-m', '600', ...stdouts, ...stderrs], {env: {PATH: searchPath()}})
    return stdouts.map((stdout, index) => ({
      stdout: openPipe(stdout, open),
      stderr: openPipe(stderrs[index] ?? '', open)
    }))
  } catch (error) {
    for (const descriptor of open) closeSync(descriptor)
    throw error
  } finally {
    await rm(folder, {recursive: true, force: true})
  }
}

/** A PATH without the folders of the system, by mistake, is told of the apps' programs, not of ours. */
const searchPath = (): string => [process.env['PATH'] ?? '', '/usr/bin', '/bin'].join(':')

/** Closes the app's ends: after the spawn, the app holds them itself. */
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

/** Opens the reading end first, without blocking: opening one end of a FIFO waits for the other (fifo(7)). */
function openPipe(path: string, open: number[]): Pipe {
  const ours = keep(openSync(path, O_RDONLY | O_NONBLOCK), open)
  return {ours, theirs: keep(openSync(path, O_WRONLY), open)}
}

function keep(descriptor: number, open: number[]): number {
  open.push(descriptor)
  return descriptor
}
