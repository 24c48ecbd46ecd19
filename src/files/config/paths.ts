import {statSync} from 'node:fs'
import {isAbsolute, join} from 'node:path'
import type {Environment} from '../../model/environment.ts'
import {codeOf, messageOf} from '../../model/errors.ts'
import {ownOf} from '../../model/own.ts'

/** Go's words for errors of the system, at the end of Dapr's messages. */
const GO_TEXT: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  EIO: 'input/output error'
}

/** Returns a failed call of the file system in Go's words. */
export const inGoWords = (error: unknown): string => ownOf(GO_TEXT, codeOf(error)) ?? messageOf(error)

/** Returns an empty string if the path exists, else the error of Go's `os.Stat` with the name `shownAs`. */
export function statFault(path: string, shownAs: string = path): string {
  try {
    statSync(path)
    return ''
  } catch (error) {
    return `stat ${shownAs}: ${inGoWords(error)}`
  }
}

/**
 * Returns the absolute form of a path in a template (`resolvePathToAbsAndValidate` in Dapr's CLI): `~/` is the home, an absolute
 * path stays as it is, any other starts at `base`; '' stays ''.
 */
export function absolutePath(path: string, base: string, home: string): string {
  if (path === '') return ''
  const homeless = path.startsWith('~/') ? join(home, path.slice(2)) : path
  return isAbsolute(homeless) ? homeless : join(base, homeless)
}

/** Dapr's folder with the default resources and Configuration: `runtimePath`, else `DAPR_RUNTIME_PATH`, else the home. */
export function daprFolder(runtimePath: string, {env, home}: {env: Environment; home: string}): string {
  return join(runtimePath.trim() || (env['DAPR_RUNTIME_PATH'] ?? '').trim() || home, '.dapr')
}
