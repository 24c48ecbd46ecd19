import {accessSync, constants, existsSync, readFileSync, realpathSync, readdirSync, statSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {orElse} from '../model/or-else.ts'
import {keptPath} from '../model/template-name.ts'

/** A path whose folder is named as the system knows it, whatever links lead there; as it is where that folder is not there. */
export const linksResolved = (path: string): string =>
  orElse(() => join(realpathSync(dirname(path)), basename(path)), path)

/** Returns the identity of a template for kept data: its path without links, the same for both of its names. */
export const templateIdentity = (file: string): string => keptPath(linksResolved(file))

/** Whether two paths lead to the same template, which may have been renamed meanwhile; '' and undefined are none. */
export const isSameTemplate = (one: string, other: string | undefined): boolean =>
  one !== '' && other !== undefined && templateIdentity(one) === templateIdentity(other)

/** Whether two paths lead to the same entry of the same folder, whatever links lead there; '' and nothing lead nowhere. */
export const isSamePath = (one: string, other: string | undefined): boolean =>
  one !== '' && other !== undefined && (one === other || linksResolved(one) === linksResolved(other))

/** The nearest folder with a `.git`, from a folder upwards; undefined: there is none. In a worktree `.git` is a file. */
export function repositoryAbove(folder: string): string | undefined {
  if (existsSync(join(folder, '.git'))) return folder
  return folder === dirname(folder) ? undefined : repositoryAbove(dirname(folder))
}

/** Whether a path is a file that may be executed. */
export const isProgram = (path: string): boolean =>
  orElse(() => {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  }, false)

/** Returns the names in a folder, none if it cannot be read. */
export const namesInFolder = (folder: string): readonly string[] => orElse(() => readdirSync(folder), [])

/** The text of a file of proc(5) or the like; '' if the system has none, or does not show it. */
export const systemText = (path: string): string => orElse(() => readFileSync(path, 'utf8'), '')

/** How late the time may be that a file gets when it is written (Linux: a tick of the coarse clock). */
export const FILE_CLOCK_LAG_MS = 10

/** Returns the identity of the file or folder at a path; empty if there is none. A replacement has another one, and with `ctimeMs` (stat(2)) each save changes it. */
export const identityAt = (path: string, time: 'birthtimeMs' | 'ctimeMs' = 'birthtimeMs'): string =>
  orElse(() => {
    const stats = statSync(path)
    return `${stats.ino} ${stats[time]}`
  }, '')
