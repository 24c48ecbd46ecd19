import {UserError} from '../../model/errors.ts'
import {UsageError} from './command-handler.ts'
import type {GivenFlags} from './given-flags.ts'

/** A command-line flag, in the terms of pflag. Parsing and help are generated from these tables. */
export interface Flag {
  readonly name: string
  readonly short?: string
  /** `strings` are separated by commas or repeated; `stringArray` only repeated, as in pflag. */
  readonly type: 'string' | 'int' | 'bool' | 'strings' | 'stringArray'
  readonly text: string
  /** The default as help shows it: `"http"`, `-1`. */
  readonly shown?: string
  /** Words that are accepted in place of numbers. */
  readonly words?: ReadonlyMap<string, number>
  /** May be given several times; help shows its type as Dapr's does. */
  readonly repeats?: true
  /** Values for the completion of shells. */
  readonly values?: readonly string[]
  /** Throws for an invalid value. */
  readonly check?: (value: string) => void
  /** Refused without `--kubernetes`. */
  readonly needsKubernetes?: boolean
  /** Accepted, but not listed in help. */
  readonly isHidden?: boolean
  /** Printed on stderr when the flag is used. */
  readonly deprecated?: string
}

/** Makes flags of a type. `more`: the short form, or further fields. */
const flagOf =
  (type: Flag['type']) =>
  (name: string, text: string, more: string | Partial<Flag> = {}): Flag => ({
    name,
    type,
    text,
    ...(typeof more === 'string' ? {short: more} : more)
  })

export const textFlag = flagOf('string')
export const intFlag = flagOf('int')
export const boolFlag = flagOf('bool')
/** Values separated by commas, or repeated. */
export const listFlag = flagOf('strings')
/** Values of a repeated flag. */
export const repeatedFlag = flagOf('stringArray')

/** Flags that choose a run: by its template, or by its name. */
export const whichRun = (text: string, short: string | Partial<Flag> = {}): readonly Flag[] => [
  textFlag('run-file', text, short),
  textFlag('name', 'The name of the run, as ps -o json shows it')
]

/** Makes a flag that help does not list and that has no effect: scripts for Dapr's CLI may pass it. */
export const hiddenFlag = (name: string, type: Flag['type'], short?: string): Flag => ({
  ...flagOf(type)(name, '', short),
  isHidden: true
})

/** Flags of every command. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  boolFlag('log-as-json', 'Log output in JSON format'),
  textFlag('runtime-path', 'The path to the dapr runtime installation directory')
]

interface OutputWords {
  /** Follows "The output format" in the flag's text: ` of the list`. */
  readonly of?: string
  /** Replaces the whole text of the flag. */
  readonly text?: string
  /** Words of the error for another format: ours, Dapr's, or a usage error where exit code 1 has a meaning of its own. */
  readonly refusal?: 'ours' | 'dapr' | 'usage'
}

/** Makes `-o`, with the formats of a command; the first one is the default. */
export function outputFlag(
  formats: readonly [string, ...string[]],
  {of = '', text, refusal = 'ours'}: OutputWords = {}
): Flag {
  const [usual, ...others] = formats
  const words = text ?? `The output format${of}. Valid values are: ${others.join(', ')}, or ${usual} (default)`
  const check = (format: string): void => {
    if (format === '' || formats.includes(format)) return
    const unknown = `unknown output format "${format}"`
    const valid = formats.join(', ')
    if (refusal === 'usage') throw new UsageError(`${unknown}: valid values are ${valid}`)
    if (refusal === 'dapr') throw new UserError('An invalid output format was specified.')
    throw new UserError(unknown, {explanation: `Valid values are: ${valid}.`})
  }
  return textFlag('output', words, {short: 'o', values: formats, check})
}

const VARIABLE = /^([\w.-]+)=(.*)$/s

/** Throws a `UsageError` for a value of `--env` that is not KEY=VALUE. Users often mean the `-e` of their own command. */
function checkVariable(value: string): void {
  if (VARIABLE.test(value)) return
  // a word in capitals is probably a variable without its value, and not the `-e` of another command
  const hint = /^[A-Z\d_]+$/.test(value) ? '' : '; write -- before the command of the app: run … -- node -e …'
  throw new UsageError(`invalid argument ${JSON.stringify(value)} for "-e, --env" flag: expected KEY=VALUE${hint}`)
}

/** Returns the variables of `--env`; the last one of a name wins. */
export const flagVariables = (flags: GivenFlags): Readonly<Record<string, string>> =>
  Object.fromEntries(
    flags.list('env').map(each => {
      const [, name = '', value = ''] = VARIABLE.exec(each) ?? []
      return [name, value]
    })
  )

/** Makes `--env` of a command. */
export const envFlag = (text = 'Set an environment variable of every app, KEY=VALUE; may be repeated'): Flag =>
  repeatedFlag('env', text, {short: 'e', check: checkVariable})
