import {ownOf} from './own.ts'

/** Environment variables by name, as `process.env` has them: of the shell in which a run was started, unless said otherwise. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The value of a variable that a file names; '' = it is not set. No object's `constructor` is one. */
export const variableOf = (env: Environment, name: string): string => ownOf(env, name) ?? ''

/** The names of the variables of a `.env` file that docker compose reads in another way than a run. */
export interface OddVariables {
  /** Compose replaces `$OTHER` in their values. */
  readonly referring: readonly string[]
  /** A `#` in them begins a comment here; for compose only one behind a blank does. */
  readonly cut: readonly string[]
}

const NAME = String.raw`^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=`
const REFERRING = new RegExp(String.raw`${NAME}(?![ \t]*')[^\n#]*?(?<!\\)\$\{?[A-Za-z_]`, 'gm')
const CUT = new RegExp(String.raw`${NAME}(?![ \t]*["'\`])[^\n#]*[^\s#]#`, 'gm')

/** Finds them in the text of a file. */
export function oddVariables(text: string): OddVariables {
  const namesOf = (pattern: RegExp): readonly string[] => [
    ...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))
  ]
  return {referring: namesOf(REFERRING), cut: namesOf(CUT)}
}
