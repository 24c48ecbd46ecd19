import {accessSync, constants, existsSync, readFileSync, realpathSync, readdirSync, statSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {orElse} from '../model/or-else.ts'
import {keptPath} from '../model/template-name.ts'

/** Returns a path with the links in its folder resolved; unchanged if the folder is missing. */
export const linksResolved = (path: string): string =>
  orElse(() => join(realpathSync(dirname(path)), basename(path)), path)

/** Returns the identity of a template for kept data: its path without links, the same for both of its names. */
export const templateIdentity = (file: string): string => keptPath(linksResolved(file))

/** Whether two paths lead to the same template, even under another of its names; never for '' and undefined. */
export const isSameTemplate = (one: string, other: string | undefined): boolean =>
  one !== '' && other !== undefined && templateIdentity(one) === templateIdentity(other)

/** Whether two paths lead to the same entry of the same folder through any links; never for '' and undefined. */
export const isSamePath = (one: string, other: string | undefined): boolean =>
  one !== '' && other !== undefined && (one === other || linksResolved(one) === linksResolved(other))

/** Returns the nearest folder with a `.git`, from a folder upwards, if there is one. In a worktree `.git` is a file. */
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

/** Returns the text of a file of proc(5) or the like; '' if it is missing or unreadable. */
export const systemText = (path: string): string => orElse(() => readFileSync(path, 'utf8'), '')

/** Maximum delay of a file's modification time behind the clock, in ms (Linux: a tick of the coarse clock). */
export const FILE_CLOCK_LAG_MS = 10

/** Returns the identity of the file at a path; '': missing. A replaced file has another one; with `ctimeMs` (stat(2)), each save changes it. */
export const identityAt = (path: string, time: 'birthtimeMs' | 'ctimeMs' = 'birthtimeMs'): string =>
  orElse(() => {
    const stats = statSync(path)
    return `${stats.ino} ${stats[time]}`
  }, '')
