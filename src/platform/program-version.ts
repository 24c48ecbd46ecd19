import {accessSync, constants} from 'node:fs'
import {delimiter, join} from 'node:path'

const TIMEOUT_MS = 5000

/** The first file of this name in the folders of a PATH that may be executed; undefined if there is none. */
export const findProgram = (name: string, searchPath: string): string | undefined =>
  searchPath
    .split(delimiter)
    .filter(Boolean)
    .map(folder => join(folder, name))
    .find(isExecutable)

/** What a program prints for `--version`, without its line end. Rejects if it fails or takes more than 5 s. */
export async function versionOf(path: string): Promise<string> {
  const {execa} = await import('execa')
  const {stdout} = await execa(path, ['--version'], {timeout: TIMEOUT_MS, killSignal: 'SIGKILL', stdin: 'ignore'})
  return stdout.trim()
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // it does not exist, or may not be executed
  }
}
