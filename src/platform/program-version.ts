import {execFile} from 'node:child_process'
import {delimiter, join} from 'node:path'
import {promisify} from 'node:util'
import {isProgram} from './paths.ts'

const TIMEOUT_MS = 5000

/** Finds the first executable with this name in the folders of a PATH. */
export const findProgram = (name: string, searchPath: string): string | undefined =>
  searchPath
    .split(delimiter)
    .filter(Boolean)
    .map(folder => join(folder, name))
    .find(isProgram)

/** Returns a program's output for `--version`, without its line end. Rejects if it fails or takes over 5 s. */
export async function versionOf(path: string): Promise<string> {
  // not by execa: some runs ask at their start
  const asking = promisify(execFile)(path, ['--version'], {timeout: TIMEOUT_MS, killSignal: 'SIGKILL'})
  asking.child.stdin?.end()
  return (await asking).stdout.trim()
}
