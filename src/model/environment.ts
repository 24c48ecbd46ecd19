import {ownOf} from './own.ts'

/** Environment variables by name, as `process.env` has them: of the shell in which a run was started, unless said otherwise. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The value of a variable that a file names; '' = it is not set. No object's `constructor` is one. */
export const variableOf = (env: Environment, name: string): string => ownOf(env, name) ?? ''

/** The names of the variables of a `.env` file that docker compose reads in another way than a run. */
interface OddVariables {
  /** Compose replaces `$OTHER` in their values. */
  readonly referring: readonly string[]
  /** Values that a `#` cuts here. For compose a comment needs a blank before it. */
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

/** A variable of an env file. A quote may be escaped in double quotes where the last one ends its line: elsewhere a path of Windows ends so. */
const ENTRY =
  /^[ \t]*(?:export[ \t]+)?([^\s#=][^=\n]*)=[ \t]*(?:"([^"\\]*(?:\\[^][^"\\]*)*)"(?=[ \t]*(?:#|$))|"([^"]*)"|'([^']*)'|`([^`]*)`|(["'`][^\n]*|[^\n#]*)[^\n]*)/gm

/**
 * The variables of the text of an env file, as Node reads it (`util.parseEnv`). Node takes the next line for the value where there are
 * only blanks, and ends a value at `\"`.
 */
export const envVariables = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(text.replaceAll('\r\n', '\n').matchAll(ENTRY), ([, name = '', whole, cut, single, back, bare = '']) => [
      name.trimEnd(),
      (whole === undefined ? cut?.replaceAll('\\n', '\n') : unescaped(whole)) ?? single ?? back ?? bare.trim()
    ])
  )

/** The numbers of the lines of an env file that give no variable and are no comment. */
export const unreadLines = (text: string): readonly number[] =>
  text
    .replaceAll('\r\n', '\n')
    .replaceAll(ENTRY, entry => entry.replaceAll(/[^\n]/g, ''))
    .split('\n')
    .flatMap((line, at) => (/^\s*(?:#|$)/.test(line) ? [] : [at + 1]))

/** Without escaped quotes a backslash stays: as Node has it, only `\n` is another character. */
const unescaped = (text: string): string =>
  text.includes('\\"')
    ? text.replaceAll(/\\(["\\n])/g, (_, what: string) => (what === 'n' ? '\n' : what))
    : text.replaceAll('\\n', '\n')
