import {accessSync, constants, statSync} from 'node:fs'
import {resolve} from 'node:path'

/** Why a shell says 127 of this command: a hint for the user, '' when the command can be found. */
export function whyNotFound([program = '']: readonly string[], folder: string, searchPath: string): string {
  if (program.includes('/')) {
    const path = resolve(folder, program)
    return isExecutable(path) ? '' : `there is no program ${path}; a relative command starts from appDirPath`
  }
  const folders = searchPath.split(':')
  if (folders.some(each => isExecutable(resolve(folder, each, program)))) return ''
  return `no program "${program}" in any folder of PATH (${searchPath})`
}

/** The same as Go's `exec.LookPath` says it, for a single app. */
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
