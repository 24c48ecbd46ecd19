import {basename, dirname, resolve} from 'node:path'
import {envVariables, oddVariables} from '../../../model/environment.ts'
import type {Imported, ImportedApp} from '../imported.ts'
import {entriesOf, textAt} from './files.ts'
import {asMap, listedValues, mapOf, pathOfEntry, textsOf} from './yaml-file.ts'
import {ownOf} from '../../../model/own.ts'

export type ProgramVariables = Readonly<Record<string, string | undefined>>

/** The variables of an env file as it is now; none if it is not there. */
export const envFileVariables = (file: string): Readonly<Record<string, string | undefined>> =>
  envVariables(textAt(file))

/** Adds values of these files to variables without a value. */
export function withNamed(key: string, value: unknown, files: readonly string[]): unknown {
  const known = files.flatMap(path => Object.keys(envFileVariables(path)))
  const found = Object.entries(asMap(key, value)).filter(([name, each]) => each === null && known.includes(name))
  const values = Object.fromEntries(found.map(([name]) => [name, `\${${name}}`]))
  return found.length === 0 ? value : {...asMap(key, value), ...values}
}

/** Samples in a folder, each with the file that a person makes of it: `.env` of `.env.example` and of `env.example`. */
export const samplesIn = (folder: string): readonly (readonly [sample: string, file: string])[] =>
  entriesOf(folder).flatMap(sample => {
    const [, file = ''] = /^(.+)[.-](?:example|sample|template|dist|default)$/.exec(sample) ?? []
    return file === '' ? [] : [[sample, file.replace(/^env$/, '.env')] as const]
  })

/** The name of the sample next to an env file: `.env.example`; '': there is none. */
export const sampleOf = (file: string): string =>
  samplesIn(dirname(file)).find(([, made]) => made === basename(file))?.[0] ?? ''

/** A note on a file that is not there, by its path in a source and on this machine. */
export function missingFileNote(path: string, at: string, key = 'env_file'): string {
  const sample = sampleOf(at)
  return `${key}: ${path} is not there${sample === '' ? '' : `: copy ${sample}, and fill in its values`}`
}

/** Notes on variables of a file that compose reads in another way. `used`: a text with the variables that count. */
export function oddNotes(key: string, path: string, shownAs: string, used?: string): readonly string[] {
  const {referring, cut} = oddVariables(textAt(path))
  const note = (names: readonly string[], what: string): readonly string[] => {
    const all = names.filter(name => used === undefined || used.includes(`\${${name}`)).join(', ')
    return all === '' ? [] : [`${key}: ${shownAs}: ${all}: ${what}`]
  }
  return [
    ...note(referring, '$NAME in it is not replaced here: write the value'),
    ...note(cut, '# in it begins a comment here: put the value in quotes')
  ]
}

/** A port as a number, of a variable its default; 0: it has none. */
export const portNumber = (port: string): number => Number(/^(?:\$\{\w+:?-)?(\d+)\}?$/.exec(port)?.[1] ?? 0)

/** `${NAME}`, `${NAME:?message}`; one with a default, and the `$${` that is a text, need no value. */
const REFERENCE = /\$?\$\{([A-Za-z_]\w*)(:?[-?+])?/g

/** Set by a shell itself, or by the run. */
const KNOWN =
  /^(?:HOME|PATH|USER|LOGNAME|PWD|OLDPWD|SHELL|TMPDIR|HOSTNAME|UID|EUID|PPID|RANDOM|SECONDS|IFS|OPTARG|OPTIND|LINENO|LANG|TERM|BASH\w*|_|APP_\w+|DAPR_\w+)$/

/** The variables without a value that an app names: those that the run replaces, and those of its shell. Without one of `${NAME:?message}` it does not run. */
export function variablesWithoutValue(
  {keys, folder}: ImportedApp,
  {interpolate = false, common}: Pick<Imported, 'interpolate' | 'common'>,
  env: Readonly<Record<string, string | undefined>>
): readonly {readonly name: string; readonly isRequired: boolean}[] {
  const missing = new Map<string, boolean>()
  const known = {...(typeof interpolate === 'string' && envFileVariables(interpolate)), ...env}
  const texts = interpolate === false ? '' : JSON.stringify([keys, common])
  for (const [all, name = '', operator = ''] of texts.matchAll(REFERENCE)) {
    const value = ownOf(known, name)
    const isRequired = operator.endsWith('?')
    const isMissing = value === undefined || (operator === ':?' && value === '')
    if (all.startsWith('$$') || !isMissing || !['', '?', ':?'].includes(operator)) continue
    missing.set(name, isRequired || missing.get(name) === true)
  }
  for (const name of shellVariables(textsOf(keys['command']), interpolate !== false)) {
    const files = [keys['envFile'], common?.['envFile']].flatMap(listedValues).map(pathOfEntry)
    const ofFiles = files.map(file => envFileVariables(resolve(folder, file)))
    const given = 'port' in keys || 'autoPort' in keys ? {PORT: ''} : {}
    const all = [env, mapOf(common?.['env']), ...ofFiles, mapOf(keys['env']), given]
    if (!KNOWN.test(name) && !all.some(each => Object.hasOwn(each, name))) missing.set(name, missing.get(name) ?? false)
  }
  return Array.from(missing, ([name, isRequired]) => ({name, isRequired}))
}

/** `$NAME` and `${NAME}` that a shell replaces in its line and the line itself does not set; it reads no quoted text. With `isReplaced`, the run replaces `${NAME}`. */
function shellVariables([shell = '', flag = '', line = '']: readonly string[], isReplaced: boolean): readonly string[] {
  if (!/^(?:sh|bash)$/.test(shell) || !flag.endsWith('c')) return []
  const text = line.replaceAll(/("(?:[^"\\]|\\.)*")|'[^']*'/g, '$1')
  const named = isReplaced ? /(?<![\\$])\$(?:\$\{(\w+)\}|(\w+))/g : /(?<![\\$])\$(?:\{(\w+)\}|(\w+))/g
  const names = Array.from(text.matchAll(named), ([, braced, plain]) => braced ?? plain ?? '')
  const isSet = (name: string): boolean =>
    new RegExp(`\\b${name}=|\\b(?:for|read(?: -\\w+)*|local|export) ${name}\\b`).test(line)
  return names.filter(name => /^[A-Za-z_]/.test(name) && !isSet(name))
}
