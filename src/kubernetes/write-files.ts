import {chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {codeOf, messageOf, UserError} from '../model/errors.ts'
import {HEADER, type ExportFile} from './export-files.ts'

/** What an export names its files. */
const OUR_NAME = /^\d{2,}-.+\.yaml$/

/**
 * Writes the files of an export into a folder, and removes those of an earlier export that are not among them. Throws a
 * `UserError`, before anything is written, for a file of somebody else's.
 */
export function writeFiles(folder: string, files: readonly ExportFile[]): void {
  try {
    mkdirSync(folder, {recursive: true})
    const there = readdirSync(folder).filter(name => OUR_NAME.test(name))
    const isOurs = (name: string): boolean => readFileSync(join(folder, name), 'utf8').startsWith(HEADER)
    const foreign = files.find(({name}) => there.includes(name) && !isOurs(name))
    if (foreign !== undefined)
      throw new UserError(`${join(folder, foreign.name)} was not written by an export: it is not overwritten`, {
        explanation: 'Remove it, or export to another folder.'
      })
    for (const name of there) if (files.every(file => file.name !== name) && isOurs(name)) rmSync(join(folder, name))
    for (const {name, text, isSecret} of files) writeFile(join(folder, name), text, isSecret)
  } catch (error) {
    if (codeOf(error) === '') throw error
    throw new UserError(`the export cannot be written: ${messageOf(error)}`, {cause: error})
  }
}

/** Writes a file; a secret one can be read by its owner only. */
export function writeFile(path: string, text: string, isSecret: boolean): void {
  writeFileSync(path, text, isSecret ? {mode: 0o600} : {})
  // a file that was there keeps its mode
  if (isSecret) chmodSync(path, 0o600)
}
