import {existsSync, statSync} from 'node:fs'
import {basename, dirname, join, normalize, relative, resolve} from 'node:path'
import {UserError} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import {isPlainTemplate, TEMPLATE_NAMES} from '../../model/template-name.ts'
import {namesInFolder} from '../../platform/paths.ts'
import {statFault} from './paths.ts'

/** The path of a template on this machine. The file was not read yet: it may be unreadable or wrong. */
export interface FoundTemplate {
  /** Identifies the template for `stop` and `list`: the absolute path, symlinks not resolved; `<cwd>/-` for standard input. */
  readonly file: string
  /** The template in messages: the typed path, with the name of the file after a folder. */
  readonly shownAs: string
  /** The folder where relative paths start. */
  readonly folder: string
}

const TAKEN = 'Name a file that ends in .yaml or .yml, or a folder with a pillion.yaml or dapr.yaml.'
const KEEP_ONE = 'A folder has one template: remove or rename the other file, or name the one you mean with -f.'
const NONE = 'There is no template in this folder.'
const FIRST = '"pillion import" writes a first one from what is here; -f names one elsewhere.'

/**
 * Returns the template that `-f` means: a file that ends in `.yaml` or `.yml`, a folder with a `pillion.yaml` or `dapr.yaml`, or `-` for standard
 * input (`getRunFilePath` in Dapr's CLI). Throws a `UserError` with Dapr's words, on stderr, if there is none, and if there are both.
 */
export function findTemplate(typed: string, cwd: string): FoundTemplate {
  const shownAs = typed === '-' ? typed : templateIn(typed, cwd)
  const file = resolve(cwd, shownAs)
  return {file, shownAs, folder: resolve(file, '..')}
}

function templateIn(typed: string, cwd: string): string {
  const fault = statFault(resolve(cwd, typed), typed)
  if (fault !== '') throw notFound(`error getting file info for ${typed}: ${fault}`, similarTo(typed, cwd) || TAKEN)
  if (!statSync(resolve(cwd, typed)).isDirectory()) {
    if (/\.ya?ml$/.test(typed)) return typed
    throw notFound(`file ${JSON.stringify(typed)} is not a YAML file`)
  }
  const there = TEMPLATE_NAMES.map(name => normalize(join(typed, name))).filter(each => existsSync(resolve(cwd, each)))
  const [first] = there
  const other = there.find(each => first !== undefined && isPlainTemplate(each) !== isPlainTemplate(first))
  if (first !== undefined && other === undefined) return first
  if (first !== undefined) throw new UserError(`${first} and ${other} are in one folder`, {explanation: KEEP_ONE})
  const inside = normalize(join(typed, 'dapr.yaml'))
  const quoted = JSON.stringify(inside)
  throw notFound(
    `error in validating the file path ${quoted}: error in getting the file info for ${inside}: ${statFault(resolve(cwd, inside), inside)}`,
    inside === 'dapr.yaml' ? `${NONE} ${whereElse(cwd)}` : TAKEN
  )
}

/** Returns a template whose name is nearly the typed one, in the same folder. */
function similarTo(typed: string, cwd: string): string {
  const names = namesInFolder(dirname(resolve(cwd, typed))).filter(name => /\.ya?ml$/.test(name))
  const near = nearMiss(basename(typed), names)
  return near === '' ? '' : `Did you mean ${join(dirname(typed), near)}?`
}

/** Returns advice for a folder without a template. */
function whereElse(cwd: string): string {
  const above = nearestTemplate(dirname(cwd))
  if (above === undefined) return FIRST
  const way = relative(cwd, above)
  return `The nearest one above is ${way}: -f ${dirname(way)}`
}

/** Throws a `UserError` if a folder has no template, for commands that Dapr does not have. */
export function refuseNoTemplate(cwd: string): void {
  if (TEMPLATE_NAMES.some(name => existsSync(join(cwd, name)))) return
  throw new UserError('there is no pillion.yaml or dapr.yaml in this folder', {
    explanation: whereElse(cwd),
    code: 'no-template'
  })
}

const notFound = (why: string, explanation = TAKEN): UserError =>
  new UserError(`Failed to get run file path: ${why}`, {explanation, code: 'template-unreadable'})

/** Returns the nearest template at or above a folder, for commands in this folder. */
export function nearestTemplate(folder: string, isThere: (file: string) => boolean = existsSync): string | undefined {
  const found = TEMPLATE_NAMES.map(name => join(folder, name)).find(isThere)
  const parent = dirname(folder)
  return found ?? (parent === folder ? undefined : nearestTemplate(parent, isThere))
}

/** Returns the templates that several `-f` mean, the first of which names the run. Throws a `UserError` for a template that is named twice. */
export function findTemplates(typed: readonly string[], cwd: string): readonly FoundTemplate[] {
  const all = typed.map(each => findTemplate(each, cwd))
  const twice = all.find(({file}, index) => all.findIndex(each => each.file === file) < index)
  if (twice === undefined) return all
  throw new UserError(`--run-file names ${twice.shownAs} twice`, {explanation: 'Name each file once.'})
}
