import {spawn} from 'node:child_process'
import {getSystemErrorMap} from 'node:util'
import {codeOf} from '../model/errors.ts'

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
export const runCommand = async ({command, folder, env, timeoutMs, signal}: CommandOptions): Promise<string> =>
  new Promise(resolve => {
    const [program = '', ...args] = command
    const child = spawn(program, args, {cwd: folder, env: {...env}, detached: true, stdio: 'ignore'})
    let why = ''
    const kill = (reason: string): void => {
      why = reason
      if (child.exitCode === null && child.signalCode === null) killGroup(child.pid) // else the number may be another's
    }
    const onAbort = (): void => kill('was cancelled')
    const timer = setTimeout(() => kill(`did not exit within ${(timeoutMs / 1000).toString()} s`), timeoutMs)
    const settle = (outcome: string): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      resolve(why === '' ? outcome : why)
    }
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    child.once('error', error => settle(`could not be started: ${systemText(error)}`))
    child.once('exit', (code, by) =>
      settle(code === 0 ? '' : code === null ? `was ended by ${by ?? 'a signal'}` : `exited with ${code.toString()}`)
    )
  })

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (codeOf(error) !== 'ESRCH' && codeOf(error) !== 'EPERM') throw error // gone already
  }
}

function systemText(error: Error): string {
  const number = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0
  return getSystemErrorMap().get(number)?.[1] ?? error.message
}
