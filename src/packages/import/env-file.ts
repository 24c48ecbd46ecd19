import {existsSync} from 'node:fs'
import {basename} from 'node:path'
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

const SAMPLES = ['.example', '.sample', '.template', '.dist', '.default', '-example', '-sample']

/** The name of the file that stands next to an env file as its sample: `.env.example`; '': there is none. */
export const sampleOf = (file: string): string => {
  const found = SAMPLES.find(end => existsSync(file + end))
  return found === undefined ? '' : basename(file) + found
}
