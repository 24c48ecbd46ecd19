import {getSystemErrorMap} from 'node:util'
import {codeOf, messageOf} from '../model/errors.ts'

export interface CommandOptions {
  /** The program and its arguments; the program is found by the PATH of `env`. */
  readonly command: readonly string[]
  readonly folder: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Aborted: kill it. */
  readonly signal: AbortSignal
}

/**
 * Runs a command to its end without input and output: '' if it exits with 0, otherwise what happened (`exited with 2`). It and
 * its children are a process group of their own, which is killed at the timeout and when the signal is aborted. Never rejects.
 */
export async function runCommand({command, folder, env, timeoutMs, signal}: CommandOptions): Promise<string> {
  const [program = '', ...args] = command
  const {execa} = await import('execa')
  const options = {cwd: folder, env, extendEnv: false, detached: true, cleanup: false} as const
  const child = execa(program, args, {...options, stdio: 'ignore', reject: false})
  let why = ''
  const kill = (reason: string): void => {
    why = reason
    if (child.nodeChildProcess.exitCode === null && child.nodeChildProcess.signalCode === null) killGroup(child.pid) // else the number may be another's
  }
  const onAbort = (): void => kill('was cancelled')
  const timer = setTimeout(() => kill(`did not exit within ${timeoutMs / 1000} s`), timeoutMs)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  const {exitCode, signal: by, cause} = await child
  clearTimeout(timer)
  signal.removeEventListener('abort', onAbort)
  if (why !== '') return why
  if (exitCode === undefined && by === undefined) return `could not be started: ${systemText(cause)}`
  return exitCode === 0 ? '' : exitCode === undefined ? `was ended by ${by ?? 'a signal'}` : `exited with ${exitCode}`
}

/** Signals a process group, if it has not ended. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (codeOf(error) !== 'ESRCH' && codeOf(error) !== 'EPERM') throw error // gone already
  }
}

function systemText(error: unknown): string {
  const number = error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0
  return getSystemErrorMap().get(number)?.[1] ?? messageOf(error)
}
