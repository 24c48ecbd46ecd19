import {accessSync, constants, statSync} from 'node:fs'
import {resolve} from 'node:path'

/** Explains why a shell exits with 127 for this command; '' if the command can be found. */
export function whyNotFound([program = '']: readonly string[], folder: string, searchPath: string): string {
  if (program.includes('/')) {
    const path = resolve(folder, program)
    return isExecutable(path) ? '' : `${path} is not an executable file; relative paths start at appDirPath`
  }
  const folders = searchPath.split(':')
  if (folders.some(each => isExecutable(resolve(folder, each, program)))) return ''
  return `"${program}" is in no folder of PATH (${searchPath})`
}

/** The same with the message of Go's `exec.LookPath`, for a single app. */
export function lookPathFault([program = '']: readonly string[], folder: string, searchPath: string): string {
  if (whyNotFound([program], folder, searchPath) === '') return ''
  const why = program.includes('/')
    ? `stat ${program}: no such file or directory`
    : 'executable file not found in $PATH'
  return `${program}: exec: ${JSON.stringify(program)}: ${why}`
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false // not there, or not to be run
  }
}
