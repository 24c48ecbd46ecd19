import {execFile} from 'node:child_process'
import {delimiter, join, resolve} from 'node:path'
import {promisify} from 'node:util'
import {nearMiss} from '../model/near-miss.ts'
import {isProgram, namesInFolder} from './paths.ts'

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
  // without execa, whose code these runs would load at their start
  const asking = promisify(execFile)(path, ['--version'], {timeout: TIMEOUT_MS, killSignal: 'SIGKILL'})
  asking.child.stdin?.end()
  return (await asking).stdout.trim()
}

/** Explains why a shell exits with 127 for this command; '' if the command can be found. */
export function whyNotFound([program = '']: readonly string[], folder: string, searchPath: string): string {
  if (program.includes('/')) {
    const path = resolve(folder, program)
    return isProgram(path) ? '' : `${path} is not an executable file; relative paths start at the folder of the app`
  }
  const folders = [...new Set(searchPath.split(':'))]
  if (folders.some(each => isProgram(resolve(folder, each, program)))) return ''
  return `"${program}" is in no folder of PATH${adviceFor(program, folder, folders)}`
}

/** Folders of a project with programs, which are in PATH only below npm or in an activated environment of Python. */
const OF_PROJECT = ['./node_modules/.bin', './.venv/bin', './venv/bin', '../.venv/bin', '../venv/bin']

/** Advises about a missing program: the project may have it, and `python` may exist only as `python3`. */
function adviceFor(program: string, folder: string, folders: readonly string[]): string {
  const own = OF_PROJECT.find(each => isProgram(resolve(folder, each, program)))
  if (own !== undefined) return `; ${own} has it: write command: [${own}/${program}, …]`
  // suggests only long names: a short one is always close to another program
  const near =
    program.length < 4 ? '' : nearMiss(program, new Set(folders.flatMap(each => namesInFolder(resolve(folder, each)))))
  return near === '' ? '' : `; did you mean ${near}?`
}
