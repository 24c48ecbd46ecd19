import {homedir} from 'node:os'
import type {LoadContext} from '../../files/config/load.ts'
import {readInputBytes} from '../../model/read-file.ts'
import {UsageError} from './command-handler.ts'
import type {GivenFlags} from './given-flags.ts'

/** Whether a word of a command line is meant as a template or its folder. */
export const isTemplatePath = (word: string): boolean => /\.ya?ml$|^\.{0,2}$|\//.test(word)

/** Returns the files that `COMMAND PATH` or `COMMAND -f PATH` names; an empty list for `COMMAND` alone. Throws a `UsageError` for more words. */
export function templatesNamed(flags: GivenFlags, words: readonly string[]): readonly string[] {
  const files = flags.list('run-file')
  const named = [...words, ...files]
  if (words.length > 1 || (words.length === 1 && files.length > 0))
    throw new UsageError(`expected one template, got ${named.length}: ${named.join(' ')}`)
  return named
}

/** Returns the folder and environment of the command, against which a template is resolved. Its stdin is read once, for all readers. */
export function surroundings(): LoadContext {
  let input: Buffer | undefined
  return {cwd: process.cwd(), home: homedir(), env: process.env, readStdin: () => (input ??= readInputBytes())}
}
