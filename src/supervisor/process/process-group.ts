import type {ChildProcess} from 'node:child_process'
import {statSync} from 'node:fs'
import type {Writable} from 'node:stream'
import type {Options} from 'execa'
import {codeOf, messageOf} from '../../model/errors.ts'
import type {Exit} from '../../model/app-state.ts'
import {closeTheirs, type ProcessPipes} from '../../platform/pipes.ts'
import {startOf} from '../../platform/process-table.ts'

/** One process group: a leader that we spawned, and whatever it forks. */
export interface ProcessGroup {
  /** Number of the leader and of its group; undefined: it never started. */
  readonly pid: number | undefined
  /** When the leader started, as `Seen.started`. */
  readonly started: number
  /** What the leader reads; null: nothing. Errors on it are heard already: an app need not read. */
  readonly stdin: Writable | null
  /** The leader has ended and was reaped. Its children may live on, and hold its pipes. */
  readonly exited: Promise<Exit>
  /** From here on the number may be given to somebody else, unless a app of the group still processes. */
  hasExited(): boolean
  /** Signals the whole group while its leader has not been reaped; later it does nothing. */
  signal(name: NodeJS.Signals): void
}

export interface SpawnOptions {
  /** The program and its arguments, found by the PATH of `env`. */
  readonly command: readonly string[]
  readonly folder: string
  /** The whole environment: nothing is added to it. */
  readonly env: Readonly<Record<string, string>>
  /** Their far ends are closed here, whether the spawn succeeds or not. */
  readonly pipes: ProcessPipes
  /** It can be written to; else it reads nothing. */
  readonly hasInput: boolean
}

export type Spawn = (options: SpawnOptions) => ProcessGroup

/** Loads what spawns. Execa's code takes 20 ms to load: a run lets it load while its pipes are made. */
export async function loadSpawn(): Promise<Spawn> {
  const {execa} = await import('execa')
  return options => {
    const {command, pipes} = options
    const [file = '', ...args] = command
    try {
      const subprocess = execa(file, args, execaOptions(options))
      return groupOf(subprocess.nodeChildProcess, subprocess.then(exitFrom(options.folder)))
    } catch (error) {
      return neverStarted(messageOf(error)) // an argument that no program can be given, such as one with a zero byte
    } finally {
      closeTheirs(pipes)
    }
  }
}

/** Execa is told to leave alone what is ours to decide: output, signals, and the end. */
const execaOptions = ({folder, env, pipes, hasInput}: SpawnOptions) =>
  ({
    cwd: folder,
    env,
    extendEnv: false,
    // a session and group of its own: Ctrl-C in our terminal reaches us alone, and the group can be signalled as a whole
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    forceKillAfterDelay: false,
    // Node's own kind, a socket: a FIFO whose writer has left already would block `open("/dev/stdin")` for ever
    stdin: hasInput ? 'pipe' : 'ignore',
    stdout: descriptor(pipes.stdout.theirs),
    stderr: descriptor(pipes.stderr.theirs)
  }) satisfies Options

/** Execa's types know the descriptors 3 to 9; it takes any. */
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

/** Signals a group. That it is gone, or belongs to a user whom we may not signal, is no error. */
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

/** The part of execa's result that tells an end. */
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
