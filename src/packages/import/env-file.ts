import {parseEnv} from 'node:util'
import {readTextFile} from '../../model/read-file.ts'

/** The variables of an env file as it is now; none if it is not there. */
export function envFileVariables(file: string): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readTextFile(file))
  } catch {
    return {} // it is not there, or is no text
  }
}
