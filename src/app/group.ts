import {spawn, type ChildProcess} from 'node:child_process'
import {statSync} from 'node:fs'
import type {Writable} from 'node:stream'
import {codeOf, messageOf} from '../errors.ts'
import type {Exit} from '../state.ts'
import {closeTheirs, type LifePipes} from './pipes.ts'
import {startOf} from './processes.ts'

/** One process group: a leader that we spawned, and whatever it forks. */
export interface Group {
  /** Number of the leader and of its group; undefined: it never started. */
  readonly pid: number | undefined
  /** When the leader started, as `Seen.started`. */
  readonly started: number
  /** What the leader reads; null: nothing. Errors on it are heard already: an app need not read. */
  readonly stdin: Writable | null
  /** The leader has ended and was reaped. Its children may live on, and hold its pipes. */
  readonly exited: Promise<Exit>
  /** From here on the number may be given to somebody else, unless a member of the group still lives. */
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
  readonly pipes: LifePipes
  /** It can be written to; else it reads nothing. */
  readonly hasInput: boolean
}

/** Starts the leader of a new group. Node's own `spawn`: a library around it would take 20 ms to load before the first app starts. */
export function spawnGroup({command, folder, env, pipes, hasInput}: SpawnOptions): Group {
  const [file = '', ...args] = command
  try {
    const leader = spawn(file, args, {
      cwd: folder,
      env,
      // a session and group of its own: Ctrl-C in our terminal reaches us alone, and the group can be signalled as a whole
      detached: true,
      // its input is Node's own kind, a socket: a FIFO whose writer has left already would block `open("/dev/stdin")` for ever
      stdio: [hasInput ? 'pipe' : 'ignore', pipes.stdout.theirs, pipes.stderr.theirs]
    })
    return groupOf(leader, exitOf(leader, folder))
  } catch (error) {
    return neverStarted(messageOf(error)) // an argument that no program can be given, such as one with a zero byte
  } finally {
    closeTheirs(pipes)
  }
}

function groupOf(leader: ChildProcess, exited: Promise<Exit>): Group {
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

const neverStarted = (message: string): Group => ({
  pid: undefined,
  started: 0,
  stdin: null,
  exited: Promise.resolve({kind: 'spawn-error', message}),
  hasExited: () => true,
  signal: () => undefined
})

const exitOf = async (leader: ChildProcess, folder: string): Promise<Exit> =>
  new Promise(resolve => {
    leader.once('exit', (code, signal) => {
      resolve(signal === null ? {kind: 'code', code: code ?? 0} : {kind: 'signal', signal})
    })
    // later ones are of signals that could not be sent
    leader.on('error', ({message}) => {
      if (leader.pid !== undefined) return
      resolve({kind: 'spawn-error', message: isFolder(folder) ? message : `no such folder: ${folder}`})
    })
  })

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
