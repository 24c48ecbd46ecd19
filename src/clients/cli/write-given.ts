import {lstatSync, writeFileSync} from 'node:fs'
import {dirname} from 'node:path'
import {messageOf, UserError} from '../../model/errors.ts'
import {makeFolder, writeWhole} from '../../platform/make-folder.ts'

/** Writes a file that a flag names, with the folders above it. Throws a UserError. */
export function writeGiven(path: string, text: string, shownAs = path): void {
  try {
    makeFolder(dirname(path))
    const there = lstatSync(path, {throwIfNoEntry: false})
    // a whole new file replaces an existing one; other paths, such as devices and links, are written directly
    if (there?.isFile() === true) writeWhole(path, text, there.mode & 0o777)
    else writeFileSync(path, text)
  } catch (error) {
    throw new UserError(`cannot write ${shownAs}: ${messageOf(error)}`, {cause: error})
  }
}
