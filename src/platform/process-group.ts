import {spawn, type ChildProcess} from 'node:child_process'
import {closeSync, statSync} from 'node:fs'
import {Socket} from 'node:net'
import type {Writable} from 'node:stream'
import {getSystemErrorMap} from 'node:util'
import {orElse} from '../model/or-else.ts'
import {codeOf, messageOf} from '../model/errors.ts'
import type {Exit} from '../model/app-state.ts'
import {closeTheirs, inputPair, type TheirStdio} from './pipes.ts'
import {posixSpawn, type PosixSpawnOptions} from './posix-spawn.ts'
import {startOfNew} from './process-table.ts'

/** A process group: a leader that we spawned, and its children. */
export interface ProcessGroup {
  /** Pid of the leader and number of its group; undefined if the spawn failed. */
  readonly pid: number | undefined
  /** Start of the leader in the system's own unit (`Seen.started`). With the pid it identifies the process; 0: the spawn failed. */
  readonly started: number
  /** The leader's stdin, or null. Its errors are handled: an app need not read. */
  readonly stdin: Writable | null
  /** Settles when the leader has exited and was reaped. Its children may still run and hold its pipes. */
  readonly exited: Promise<Exit>
  /** Whether the leader was reaped. The system may then reuse the number, unless a process of the group still runs. */
  hasExited(): boolean
  /** Signals the leader, or the whole group, until the leader was reaped; then does nothing. */
  signal(name: NodeJS.Signals, to: 'leader' | 'group'): void
}

export interface SpawnOptions extends Pick<PosixSpawnOptions, 'command' | 'folder' | 'env'> {
  /** Streams of the process. `spawnGroup` closes the child's ends, whether the spawn succeeds or not. */
  readonly stdio: TheirStdio
  /** Whether the process gets a pipe as stdin; otherwise its stdin is empty, or the terminal. */
  readonly hasInput: boolean
  /** Whether Pillion may exit before the process: neither the process nor its stdin keeps Node running. */
  readonly isUnref?: boolean
}

/** Spawns a process in its own group. A failed spawn is reported as an exit. */
export function spawnGroup(options: SpawnOptions): ProcessGroup {
  const {command, folder, env, stdio, hasInput, isUnref = false} = options
  const [file = '', ...args] = command
  try {
    const {stdin, stdout, stderr} = stdio
    const spawned = posixLeader(options)
    if (spawned !== undefined) return groupOf(spawned)
    const leader = spawn(file, args, {
      cwd: folder,
      env,
      // a new session and group: Ctrl-C in our terminal reaches only us, and the group can be signalled as a whole
      detached: true,
      // Node's own kind of stdin, a socket: a FIFO whose writer has closed it would block `open("/dev/stdin")` forever
      stdio: [hasInput ? 'pipe' : (stdin ?? 'ignore'), stdout.theirs, stderr.theirs]
    })
    if (isUnref) {
      leader.unref()
      ;(leader.stdin as Socket | null)?.unref()
    }
    return groupOf(leaderOf(leader, folder))
  } catch (error) {
    return neverStarted(spawnError(error, folder)) // an invalid argument, such as one with a NUL byte
  } finally {
    closeTheirs(stdio)
  }
}

/** The parts of a leader that the group needs; `pid` undefined: the spawn failed. */
interface Leader extends Pick<ProcessGroup, 'stdin' | 'exited' | 'hasExited'> {
  readonly pid: number | undefined
}

/** Spawns without Node's fork; undefined: this system cannot, or the program cannot be started. */
function posixLeader({command, folder, env, stdio, hasInput, isUnref = false}: SpawnOptions): Leader | undefined {
  const input = hasInput ? inputPair() : undefined
  if (hasInput && input === undefined) return undefined
  const [stdout, stderr] = [stdio.stdout.theirs, stdio.stderr.theirs]
  const spawned = posixSpawn({command, folder, env, stdin: input?.theirs ?? stdio.stdin, stdout, stderr, isUnref})
  if (input === undefined) return spawned && {...spawned, stdin: null}
  closeSync(input.theirs)
  if (spawned === undefined) {
    closeSync(input.ours)
    return undefined
  }
  const stdin = new Socket({fd: input.ours, readable: false})
  if (isUnref) stdin.unref()
  void spawned.exited.then(() => stdin.destroy())
  return {...spawned, stdin}
}

function groupOf(leader: Leader): ProcessGroup {
  const {pid, stdin, hasExited} = leader
  stdin?.on('error', () => undefined)
  return {
    ...leader,
    started: pid === undefined ? 0 : startOfNew(pid),
    signal: (name, to) => {
      if (pid !== undefined && !hasExited()) sendSignal(to === 'leader' ? pid : -pid, name)
    }
  }
}

const leaderOf = (child: ChildProcess, folder: string): Leader => ({
  pid: child.pid,
  stdin: child.stdin,
  exited: exitOf(child, folder),
  hasExited: () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
})

export const signalGroup = (group: number, name: NodeJS.Signals): void => sendSignal(-group, name)

/** Signals a process, or a group by its negative number. Does nothing if it is gone or we lack permission. */
export function sendSignal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name)
  } catch (error) {
    if (codeOf(error) !== 'ESRCH' && codeOf(error) !== 'EPERM') throw error
  }
}

const neverStarted = (exit: Exit): ProcessGroup => ({
  pid: undefined,
  started: 0,
  stdin: null,
  exited: Promise.resolve(exit),
  hasExited: () => true,
  signal: () => undefined
})

const exitOf = async (leader: ChildProcess, folder: string): Promise<Exit> =>
  new Promise(resolve => {
    leader.once('error', error => resolve(spawnError(error, folder)))
    leader.once('exit', (code, signal) =>
      resolve(signal === null ? {kind: 'code', code: code ?? 0} : {kind: 'signal', signal})
    )
  })

/** Returns the failure of a spawn, whose code does not tell whether the program or its folder is missing. */
const spawnError = (error: unknown, folder: string): Exit => ({
  kind: 'spawn-error',
  message: isFolder(folder) ? systemText(error) : `no such folder: ${folder}`
})

function systemText(error: unknown): string {
  const number = error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0
  return getSystemErrorMap().get(number)?.[1] ?? messageOf(error)
}

const isFolder = (path: string): boolean => orElse(() => statSync(path).isDirectory(), false)
