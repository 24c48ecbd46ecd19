import {existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {codeOf} from '../model/errors.ts'

/**
 * Creates a folder and its missing parents. Throws the system's error. Node's `recursive` would loop endlessly below a folder such as
 * `/proc`: mkdir(2) reports ENOENT there, which Node takes for a missing parent.
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (isFolder(path)) return
  const parent = dirname(path)
  // a file in the way: the error for the folder below it is clear
  if (parent !== path && !existsSync(parent)) makeFolder(parent, mode)
  try {
    mkdirSync(path, {mode})
  } catch (error) {
    if (!isFolder(path)) throw error // else another process has made it meanwhile
  }
}

const isFolder = (path: string): boolean => statSync(path, {throwIfNoEntry: false})?.isDirectory() === true

/** Writes a file in one step: readers see the old content until then, and a failure leaves nothing behind. Throws the system's error. */
export function writeWhole(path: string, text: string, mode = 0o666): void {
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, text, {mode})
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, {force: true})
    throw error
  }
}

let made: string | undefined

/** Returns a folder for files of this process if their own folder is read-only. Throws the system's error if it cannot be made. */
export const spareFolder = (): string => (made ??= mkdtempSync(join(tmpdir(), 'pillion-')))

/** Whether an error says that a folder is read-only for us. */
export const refusesWrites = (error: unknown): boolean => ['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))
