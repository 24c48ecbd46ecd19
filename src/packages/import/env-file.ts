import {readFileSync} from 'node:fs'
import {parseEnv} from 'node:util'

/** The variables of an env file as it is now; none if it is not there. */
export function envFileVariables(file: string): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync(file, 'utf8'))
  } catch {
    return {} // it is not there, or is no text
  }
}
