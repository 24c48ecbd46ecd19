import {homedir} from 'node:os'
import {readInputBytes} from '../../model/read-file.ts'
import type {LoadContext} from '../../files/config/load.ts'

/** The folder and environment of the command, against which a template is resolved. Its stdin is read once, for all readers. */
export function surroundings(): LoadContext {
  let input: Buffer | undefined
  return {cwd: process.cwd(), home: homedir(), env: process.env, readStdin: () => (input ??= readInputBytes())}
}
