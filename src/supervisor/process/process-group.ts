import type {ChildProcess} from 'node:child_process'
import {statSync} from 'node:fs'
import type {Writable} from 'node:stream'
import type {Options} from 'execa'
import {codeOf, messageOf} from '../../model/errors.ts'
import type {Exit} from '../../model/app-state.ts'
import {closeTheirs, type ProcessPipes} from '../../platform/pipes.ts'
import {startOf} from '../../platform/process-table.ts'

/** A process group: a leader that we spawned, and its children. */
export interface ProcessGroup {
  /** Pid of the leader and number of its group; undefined if the spawn failed. */
  readonly pid: number | undefined
  /** When the leader started, as `Seen.started`. */
  readonly started: number
  /** The leader's stdin, or null. Its errors are handled: an app need not read. */
  readonly stdin: Writable | null
  /** Settles when the leader has exited and was reaped. Its children may still run and hold its pipes. */
  readonly exited: Promise<Exit>
  /** True: the system may reuse the number, unless a process of the group is still running. */
  hasExited(): boolean
  /** Signals the whole group until its leader was reaped; then does nothing. */
  signal(name: NodeJS.Signals): void
}

export interface SpawnOptions {
  /** The program and its arguments, found by the PATH of `env`. */
  readonly command: readonly string[]
  readonly folder: string
  /** The complete environment; nothing is added. */
  readonly env: Readonly<Record<string, string>>
  /** The child's ends are closed here, whether the spawn succeeds or not. */
  readonly pipes: ProcessPipes
  /** The process gets a pipe as stdin; otherwise its stdin is empty. */
  readonly hasInput: boolean
}

export type Spawn = (options: SpawnOptions) => ProcessGroup

/** Loads execa, which takes 20 ms: a run creates its pipes meanwhile. */
export async function loadSpawn(): Promise<Spawn> {
  const {execa} = await import('execa')
  return options => {
    const {command, pipes} = options
    const [file = '', ...args] = command
    try {
      const subprocess = execa(file, args, execaOptions(options))
      return groupOf(subprocess.nodeChildProcess, subprocess.then(exitFrom(options.folder)))
    } catch (error) {
      return neverStarted(messageOf(error)) // an invalid argument, such as one with a NUL byte
    } finally {
      closeTheirs(pipes)
    }
  }
}

/** Execa must not handle output, signals and exit: we do. */
const execaOptions = ({folder, env, pipes, hasInput}: SpawnOptions) =>
  ({
    cwd: folder,
    env,
    extendEnv: false,
    // a new session and group: Ctrl-C in our terminal reaches only us, and the group can be signalled as a whole
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    forceKillAfterDelay: false,
    // Node's own kind, a socket: a FIFO whose writer has closed it would block `open("/dev/stdin")` for ever
    stdin: hasInput ? 'pipe' : 'ignore',
    stdout: descriptor(pipes.stdout.theirs),
    stderr: descriptor(pipes.stderr.theirs)
  }) satisfies Options

/** Execa's types allow descriptors 3 to 9; at run time it accepts any. */
const descriptor = (number: number): 3 => number as 3

function groupOf(leader: ChildProcess, exited: Promise<Exit>): ProcessGroup {
  const {pid, stdin} = leader
  stdin?.on('error', () => undefined)
  const hasExited = (): boolean => pid === undefined || leader.exitCode !== null || leader.signalCode !== null
  return {
    pid,
    started: pid === undefined ? 0 : startOf(pid),
    stdin,
    exited,
    hasExited,
    signal: name => {
      if (pid !== undefined && !hasExited()) signalGroup(pid, name)
    }
  }
}

/** Signals a group. It is no error if the group is gone or we lack permission. */
export function signalGroup(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name)
  } catch (error) {
    if (codeOf(error) !== 'ESRCH' && codeOf(error) !== 'EPERM') throw error
  }
}

const neverStarted = (message: string): ProcessGroup => ({
  pid: undefined,
  started: 0,
  stdin: null,
  exited: Promise.resolve({kind: 'spawn-error', message}),
  hasExited: () => true,
  signal: () => undefined
})

/** The part of execa's result that describes the exit. */
interface Outcome {
  readonly exitCode?: number | undefined
  readonly signal?: NodeJS.Signals | undefined
  readonly originalMessage?: string | undefined
}

const exitFrom =
  (folder: string) =>
  ({exitCode, signal, originalMessage = ''}: Outcome): Exit => {
    if (signal !== undefined) return {kind: 'signal', signal}
    if (exitCode !== undefined) return {kind: 'code', code: exitCode}
    const [firstLine = ''] = originalMessage.split('\n')
    return {kind: 'spawn-error', message: isFolder(folder) ? firstLine : `no such folder: ${folder}`}
  }

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
