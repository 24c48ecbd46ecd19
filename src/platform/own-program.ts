import {isSea} from 'node:sea'
import {messageOf, UserError} from '../model/errors.ts'

/** Globals that `bin/load.cjs` and `bin/start.cjs` set for the program that they run. */
interface Loaded {
  readonly pillionAsset?: (name: string) => Buffer
  readonly pillionStarted?: () => void
}

/** Returns the bytes of a file inside the program, or undefined if the source itself runs. */
export const assetOf = (name: string): Buffer | undefined => (globalThis as Loaded).pillionAsset?.(name)

/** Keeps the code that V8 compiled for the start of a run, unless the start had such code. V8's flags must be its defaults. */
export const keepCodeOfStart = (): void => (globalThis as Loaded).pillionStarted?.()

/** A second process of this program. */
export interface OwnProcess {
  /** 0: it could not be started. */
  readonly pid: number
  /** Resolves with its exit code (1: a signal), or the reason why it could not start. */
  readonly exited: Promise<number | string>
  /** Interrupts the program, unless it has exited. */
  readonly interrupt: () => void
}

/**
 * Starts this program again with other arguments, the same environment, and a session of its own, so that neither our end nor that of our
 * terminal ends it. Keeps us running until we exit. `stdin` and `stderr` are descriptors; its stdout is dropped.
 */
export function startOwnProgram(
  args: readonly string[],
  {stdin, stderr}: {readonly stdin: number | 'ignore'; readonly stderr: number}
): OwnProcess {
  const {spawn} = process.getBuiltinModule('node:child_process')
  const script = isSea() ? [] : [...process.execArgv, process.argv[1] ?? '']
  const child = spawn(process.execPath, [...script, ...args], {detached: true, stdio: [stdin, 'ignore', stderr]})
  return {
    pid: child.pid ?? 0,
    interrupt: () => void child.kill('SIGINT'),
    exited: new Promise(resolve => {
      child.once('error', error => resolve(messageOf(error)))
      child.once('exit', code => resolve(code ?? 1))
    })
  }
}

/** Maximum number of bytes that a process of `outputOfOwn` may print. More is an error. */
const MAX_OUTPUT = 4 * 1024 * 1024

/** Runs this program with other arguments to its end, without a terminal. Throws a UserError if it cannot be started, or prints more than 4 MiB. */
export async function outputOfOwn(
  args: readonly string[]
): Promise<{readonly code: number; readonly stdout: string; readonly stderr: string}> {
  const {execFile} = process.getBuiltinModule('node:child_process')
  const script = isSea() ? [] : [...process.execArgv, process.argv[1] ?? '']
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [...script, ...args], {maxBuffer: MAX_OUTPUT}, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(new UserError(messageOf(error), {cause: error}))
      else resolve({code: Number(error?.code ?? 0), stdout, stderr})
    })
    child.stdin?.end()
  })
}
