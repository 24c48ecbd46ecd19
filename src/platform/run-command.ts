import {openSync} from 'node:fs'
import {devNull} from 'node:os'
import type {Environment} from '../model/environment.ts'
import {messageOf} from '../model/errors.ts'
import {spawnGroup, type ProcessGroup, type SpawnOptions} from './process-group.ts'

export interface CommandOptions extends Pick<SpawnOptions, 'command' | 'folder'> {
  /** The whole environment. */
  readonly env: Environment
  readonly timeoutMs: number
  /** Paths of the files that get its output. Default: the output is dropped. */
  readonly output?: {readonly stdout: string; readonly stderr: string}
  /** Kills the command when it is aborted. */
  readonly signal?: AbortSignal
}

/**
 * Runs a command to its end without input. Resolves with an empty string after exit code 0, else with the reason (`exited with 2`).
 * The command and its children are a process group of their own, which is killed at the timeout and when the signal is aborted. Never rejects.
 */
export async function runCommand({command, folder, env, timeoutMs, output, signal}: CommandOptions): Promise<string> {
  let group: ProcessGroup
  try {
    const [stdout, stderr] = [output?.stdout ?? devNull, output?.stderr ?? devNull].map(path => ({
      theirs: openSync(path, 'w')
    })) as [{theirs: number}, {theirs: number}]
    const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >
    group = spawnGroup({command, folder, env: set, stdio: {stdout, stderr}, hasInput: false})
  } catch (error) {
    return `could not be started: ${messageOf(error)}` // no descriptor is left
  }
  let why = ''
  const kill = (reason: string): void => {
    why = reason
    group.signal('SIGKILL', 'group')
  }
  const onAbort = (): void => kill('was cancelled')
  const timer = setTimeout(() => kill(`did not exit within ${timeoutMs / 1000} s`), timeoutMs)
  signal?.addEventListener('abort', onAbort)
  if (signal?.aborted === true) onAbort()
  const exit = await group.exited
  clearTimeout(timer)
  signal?.removeEventListener('abort', onAbort)
  if (why !== '') return why
  if (exit.kind === 'spawn-error') return `could not be started: ${exit.message}`
  if (exit.kind === 'signal') return `was ended by ${exit.signal}`
  return exit.code === 0 ? '' : `exited with ${exit.code}`
}
