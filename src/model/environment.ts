import {ownOf} from './own.ts'

/** Environment variables by name, like `process.env`; by default those of the shell that started the run. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Returns the value of a variable that a file names, or an empty text if it is not set. Inherited names such as `constructor` are not variables. */
export const variableOf = (env: Environment, name: string): string => ownOf(env, name) ?? ''

/** Names of variables in an env file that docker compose reads differently. */
interface OddVariables {
  /** Compose replaces `$OTHER` in their values. */
  readonly referring: readonly string[]
  /** Variables whose value ends at a `#` here. For compose, a comment needs a blank before it. */
  readonly cut: readonly string[]
}

const NAME = String.raw`^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=`
const REFERRING = new RegExp(String.raw`${NAME}(?![ \t]*')[^\n#]*?(?<!\\)\$\{?[A-Za-z_]`, 'gm')
const CUT = new RegExp(String.raw`${NAME}(?![ \t]*["'\`])[^\n#]*[^\s#]#`, 'gm')

/** Finds variables that docker compose reads differently in the text of an env file. */
export function oddVariables(text: string): OddVariables {
  const namesOf = (pattern: RegExp): readonly string[] => [
    ...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))
  ]
  return {referring: namesOf(REFERRING), cut: namesOf(CUT)}
}

/** Matches a variable of an env file. In double quotes, `\"` is an escape only if another quote ends the line: otherwise it ends a path of Windows. */
const ENTRY =
  /^[ \t]*(?:export[ \t]+)?([^\s#=][^=\n]*)=[ \t]*(?:"([^"\\]*(?:\\[^][^"\\]*)*)"(?=[ \t]*(?:#|$))|"([^"]*)"|'([^']*)'|`([^`]*)`|(["'`][^\n]*|[^\n#]*)[^\n]*)/gm

/**
 * Reads the variables of an env file as Node does (`util.parseEnv`), but keeps an empty value empty, where Node reads the next line, and
 * does not end a value at `\"`.
 */
export const envVariables = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(text.replaceAll('\r\n', '\n').matchAll(ENTRY), ([, name = '', whole, cut, single, back, bare = '']) => [
      name.trimEnd(),
      (whole === undefined ? cut?.replaceAll('\\n', '\n') : unescaped(whole)) ?? single ?? back ?? bare.trim()
    ])
  )

/** Returns the numbers of lines of an env file that are neither a variable nor a comment. */
export const unreadLines = (text: string): readonly number[] =>
  text
    .replaceAll('\r\n', '\n')
    .replaceAll(ENTRY, entry => entry.replaceAll(/[^\n]/g, ''))
    .split('\n')
    .flatMap((line, at) => (/^\s*(?:#|$)/.test(line) ? [] : [at + 1]))

/** Replaces escapes in double quotes. Without `\"` only `\n` is an escape, as in Node. */
const unescaped = (text: string): string =>
  text.includes('\\"')
    ? text.replaceAll(/\\(["\\n])/g, (_, what: string) => (what === 'n' ? '\n' : what))
    : text.replaceAll('\\n', '\n')

/** The namespace of a sidecar with this environment (Dapr: pkg/security, CurrentNamespace). */
export const namespaceOf = ({NAMESPACE: namespace = 'default'}: Environment): string => namespace

/** The trust domain of an app whose Configuration names none (Dapr: pkg/config, DefaultTrustDomain). */
export const DEFAULT_TRUST_DOMAIN = 'public'
