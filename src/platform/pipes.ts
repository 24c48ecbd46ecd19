import {execFile} from 'node:child_process'
import {closeSync, constants, openSync} from 'node:fs'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'

/** Both ends of a real pipe, as file descriptors. Ours does not block, the app's does. */
export interface Pipe {
  readonly ours: number
  readonly theirs: number
}

/** The pipes of one process's output. */
export interface ProcessPipes {
  readonly stdout: Pipe
  readonly stderr: Pipe
}

/**
 * Pipes for so many processes by one call of `mkfifo`. They are FIFOs, because Node's own pipes are sockets, on which
 * `echo > /dev/stdout` fails (ENXIO, unix(7)); nginx and many shell scripts write so. Rejects when the system refuses.
 */
export async function makePipes(markers: number): Promise<ProcessPipes[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pillion-pipes-'))
  const pathsOf = (name: string): string[] =>
    Array.from({length: markers}, (_, marker) => join(folder, `${name}${marker.toString()}`))
  const [stdouts, stderrs] = [pathsOf('out'), pathsOf('err')]
  const open: number[] = []
  try {
    if (markers > 0) await promisify(execFile)('mkfifo', ['-m', '600', ...stdouts, ...stderrs])
    return stdouts.map((stdout, marker) => ({
      stdout: openPipe(stdout, open),
      stderr: openPipe(stderrs[marker] ?? '', open)
    }))
  } catch (error) {
    for (const descriptor of open) closeSync(descriptor)
    throw error
  } finally {
    await rm(folder, {recursive: true, force: true})
  }
}

/** Closes the app's ends: after a spawn the app holds them itself. */
export function closeTheirs({stdout, stderr}: ProcessPipes): void {
  closeSync(stdout.theirs)
  closeSync(stderr.theirs)
}

/** Closes pipes that no process will use. */
export function closePipes(pipes: ProcessPipes): void {
  closeTheirs(pipes)
  closeSync(pipes.stdout.ours)
  closeSync(pipes.stderr.ours)
}

const {O_RDONLY, O_WRONLY, O_NONBLOCK} = constants

/** The reading end first and without blocking: each end of a FIFO waits for the other when it is opened (fifo(7)). */
function openPipe(path: string, open: number[]): Pipe {
  const ours = keep(openSync(path, O_RDONLY | O_NONBLOCK), open)
  return {ours, theirs: keep(openSync(path, O_WRONLY), open)}
}

function keep(descriptor: number, open: number[]): number {
  open.push(descriptor)
  return descriptor
}
