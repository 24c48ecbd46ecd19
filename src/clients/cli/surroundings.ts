import {homedir} from 'node:os'
import {readInputBytes} from '../../model/read-file.ts'
import type {LoadContext} from '../../files/config/load.ts'

/** The folder and environment of the command, which a template is resolved against. */
export const surroundings = (): LoadContext => ({
  cwd: process.cwd(),
  home: homedir(),
  env: process.env,
  readStdin: readInputBytes
})
