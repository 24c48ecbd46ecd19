import {chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {codeOf, messageOf, UserError} from '../../model/errors.ts'
import {HEADER, type ExportFile} from './export-files.ts'
import {makeFolder} from '../../platform/make-folder.ts'

/** What an export names its files. */
const OUR_NAME = /^\d{2,}-.+\.yaml$/

/**
 * Writes the files of an export into a folder, and removes those of an earlier export that are not among them. Throws a
 * `UserError`, before anything is written, for a file of somebody else's.
 */
export const writeFiles = (folder: string, files: readonly ExportFile[]): void =>
  telling(() => {
    makeFolder(folder)
    const there = readdirSync(folder).filter(name => OUR_NAME.test(name))
    for (const {name} of files) refuseForeign(join(folder, name), HEADER)
    for (const name of there)
      if (files.every(file => file.name !== name) && isOurs(join(folder, name), HEADER)) rmSync(join(folder, name))
    for (const {name, text, isSecret} of files) {
      writeFileSync(join(folder, name), text, isSecret ? {mode: 0o600} : {})
      // a file that was there keeps its mode
      if (isSecret) chmodSync(join(folder, name), 0o600)
    }
  })

/** Writes a file whose first line is `header`. Throws a `UserError` where one of somebody else's is. */
export const writeFile = (path: string, text: string, header: string): void =>
  telling(() => {
    refuseForeign(path, header)
    makeFolder(dirname(path))
    writeFileSync(path, text)
  })

const isOurs = (path: string, header: string): boolean => readFileSync(path, 'utf8').startsWith(header)

function refuseForeign(path: string, header: string): void {
  if (!existsSync(path) || isOurs(path, header)) return
  throw new UserError(`${path} was not written by an export: it is not overwritten`, {
    explanation: 'Remove it, or export to another place.'
  })
}

/** Tells in one line what the file system refuses. */
function telling(write: () => void): void {
  try {
    write()
  } catch (error) {
    if (codeOf(error) === '') throw error
    throw new UserError(`the export cannot be written: ${messageOf(error)}`, {cause: error})
  }
}
