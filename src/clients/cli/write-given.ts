import {writeFileSync} from 'node:fs'
import {dirname} from 'node:path'
import {messageOf, UserError} from '../../model/errors.ts'
import {makeFolder} from '../../platform/make-folder.ts'

/** Writes a file that a flag names, with the folders above it. Throws a UserError. */
export function writeGiven(path: string, text: string, shownAs = path): void {
  try {
    makeFolder(dirname(path))
    writeFileSync(path, text)
  } catch (error) {
    throw new UserError(`cannot write ${shownAs}: ${messageOf(error)}`, {cause: error})
  }
}
