import {existsSync, linkSync, lstatSync, readdirSync, readlinkSync, renameSync, rmSync, type Dirent} from 'node:fs'
import {basename, dirname, isAbsolute, join, relative, resolve, sep} from 'node:path'
import {codeOf, UserError} from '../../../model/errors.ts'
import {isInside} from '../../../model/glob.ts'
import {orElse} from '../../../model/or-else.ts'
import {runLines} from '../../../platform/run-lines.ts'
import {makeFolder} from '../../../platform/make-folder.ts'

/** Prefix of an unfinished copy. An interrupted copy is removed and started again. */
const TEMPORARY = '.pillion-bring-'

export interface Copied {
  readonly files: number
  /** Number of folders, with the first one. */
  readonly folders: number
  /** Links that lead out of the tree: the copy does not have them. */
  readonly links: readonly string[]
}

export const temporaryFor = (to: string): string => join(dirname(to), `${TEMPORARY}${basename(to)}`)

/** Removes the rest of an interrupted copy. */
export const removeTemporary = (to: string): void => rmSync(temporaryFor(to), {recursive: true, force: true})

/** Throws a UserError if a folder above a path of the worktree is a link: it may lead to the main working tree. */
export function checkParents(root: string, to: string): void {
  const names = relative(root, dirname(to)).split(sep).filter(Boolean)
  let path = root
  for (const name of names) {
    path = join(path, name)
    const stat = lstatSync(path, {throwIfNoEntry: false})
    if (stat === undefined) return
    if (!stat.isDirectory())
      throw new UserError(
        `bring: ${relative(root, to)} is not copied: ${relative(root, path)} is ${stat.isSymbolicLink() ? 'a link' : 'no folder'}`,
        {explanation: 'Make it a folder of this worktree, or take the path out of bring.'}
      )
  }
}

/** Counts the files below a path, and finds links that lead out of it. */
export function filesBelow(from: string): Copied {
  const links: string[] = []
  let files = 0
  const folders = [from]
  const leadsOut = (path: string): boolean => {
    const target = readlinkSync(path)
    return isAbsolute(target) || !isInside(resolve(dirname(path), target), from)
  }
  if (!lstatSync(from).isDirectory()) return {files: 1, folders: 0, links: []}
  for (const folder of folders)
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else files++
      if (entry.isSymbolicLink() && leadsOut(path)) links.push(path)
    }
  return {files, folders: folders.length, links}
}

/** Returns the entries of a folder; none if a program has just removed it, or it is another user's: `cp` then reports the error. */
const entriesOf = (folder: string): readonly Dirent[] => orElse(() => readdirSync(folder, {withFileTypes: true}), [])

/** Flags of `cp` that keep times, modes and links, best first: clones of blocks where the file system can (GNU, macOS), or a copy. */
const WAYS = [...(process.platform === 'darwin' ? [['-a', '-c']] : [['-a', '--reflink=auto']]), ['-a']]

/** Copies a file or folder to its temporary place; reports which part is done, from 0 to 1. Rejects with a UserError. */
export async function copyPath(from: string, to: string, onPart: (part: number) => void): Promise<Copied> {
  const found = filesBelow(from)
  const all = found.files + found.folders // `cp -v` names both
  const temporary = temporaryFor(to)
  let why = ''
  for (const flags of WAYS) {
    removeTemporary(to)
    makeFolder(dirname(to))
    let count = 0
    let fault = ''
    const {why: how, last} = await runLines(['cp', ...flags, '-v', from, temporary], {
      folder: dirname(from),
      onLine: line => {
        if (line.startsWith('cp: ')) fault ||= line // cp continues with the other files
        else onPart(Math.min(1, ++count / all)) // a tree that grows has more files than were counted
      }
    })
    if (how === '') {
      for (const link of found.links) rmSync(join(temporary, relative(from, link)))
      return found
    }
    why = `cp ${how}: ${fault || last}`
  }
  removeTemporary(to)
  throw new UserError(`bring: ${from} cannot be copied: ${why}`)
}

/** Gives a finished copy its name, unless the path exists now. */
export function settle(to: string): void {
  const temporary = temporaryFor(to)
  try {
    if (lstatSync(temporary).isDirectory()) {
      if (!existsSync(to)) renameSync(temporary, to)
    } else linkSync(temporary, to) // unlike a rename, a link never replaces a file
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOTEMPTY') throw error
  }
  removeTemporary(to)
}
