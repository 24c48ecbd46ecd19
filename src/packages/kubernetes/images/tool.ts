import {execFile} from 'node:child_process'
import {codeOf} from '../../../model/errors.ts'

/** The output of a program, and whether it succeeded. */
export interface ToolAnswer {
  readonly isGood: boolean
  /** Both streams, in the order in which they came, as far as that is known. */
  readonly text: string
  /** The program is not in PATH. */
  readonly isMissing: boolean
}

const MAX_BYTES = 32 * 1024 * 1024

/** Runs a program of the user's PATH to its end. `timeoutMs`: it is killed after this time; 0 = never. */
export async function runTool(
  command: readonly string[],
  {
    signal,
    timeoutMs = 0,
    env = {}
  }: {readonly signal?: AbortSignal; readonly timeoutMs?: number; readonly env?: Readonly<Record<string, string>>} = {}
): Promise<ToolAnswer> {
  const [file = '', ...args] = command
  return new Promise(resolve => {
    const options = {
      timeout: timeoutMs,
      maxBuffer: MAX_BYTES,
      env: {...process.env, ...env},
      ...(signal !== undefined && {signal})
    }
    execFile(file, args, options, (error, stdout, stderr) => {
      resolve({isGood: error === null, text: (stderr + stdout).trim(), isMissing: codeOf(error) === 'ENOENT'})
    })
  })
}

/** The end of what a program said: where errors are. */
export const lastLines = (text: string, count: number): string =>
  text
    .split('\n')
    .filter(line => line.trim() !== '')
    .slice(-count)
    .join('\n')
