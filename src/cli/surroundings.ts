import {homedir} from 'node:os'
import {readTextInput} from '../model/read-file.ts'
import type {Around} from '../config/load.ts'

/** Where a command was typed: what templates are read against. */
export const surroundings = (): Around => ({
  cwd: process.cwd(),
  home: homedir(),
  env: process.env,
  readStdin: readTextInput
})
