import {existsSync, lstatSync, readdirSync, statSync, type Dirent, type Stats} from 'node:fs'
import {basename, dirname, extname, join, normalize, relative} from 'node:path'
import {jsonIn} from '../../../model/is-json.ts'
import {orElse} from '../../../model/or-else.ts'
import {readTextFile} from '../../../model/read-file.ts'
import {mapOf, type Values} from './yaml-file.ts'

/** The content of folders, by name: each reader of projects asks for the same ones. */
const known = new Map<string, ReadonlyMap<string, Dirent>>()
let onFolder: (count: number) => void = () => undefined

/** Reads folders again from now on. `looked` gets the number of read folders, at each of them. */
export function readFolders(looked: typeof onFolder = () => undefined): void {
  known.clear()
  onFolder = looked
}

function contentOf(folder: string): ReadonlyMap<string, Dirent> {
  const found = known.get(folder)
  if (found !== undefined) return found
  if (known.get(dirname(folder))?.has(basename(folder)) === false) return new Map()
  // none where it cannot be read, or there is none
  const entries = orElse(() => readdirSync(folder, {withFileTypes: true}), [])
  const content = new Map(entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(entry => [entry.name, entry]))
  known.set(folder, content)
  onFolder(known.size)
  return content
}

/** Whether one of these is in a folder, or where its path from there leads. */
export const has = (folder: string, ...names: readonly string[]): boolean =>
  names.map(normalize).some(name => (name.includes('/') ? existsSync(join(folder, name)) : contentOf(folder).has(name)))

/** Returns the state of a path, behind its links, if the system shows it. */
export const statAt = (path: string): Stats | undefined =>
  orElse(() => statSync(path, {throwIfNoEntry: false}), undefined)

export const isFolder = (path: string): boolean => statAt(path)?.isDirectory() === true

export const isLink = (path: string): boolean => orElse(() => lstatSync(path).isSymbolicLink(), false)

export const isFile = (path: string): boolean => statAt(path)?.isFile() === true

/** Returns the text of a file; '': none. */
export const textAt = (path: string): string => orElse(() => readTextFile(path), '')

export const readText = (folder: string, name: string): string => (has(folder, name) ? textAt(join(folder, name)) : '')

/** Comments and commas at the end of a list, which many programs allow; a text is passed over. */
const ALLOWED = /("(?:[^"\\\n]|\\.)*")|\/\/.*|\/\*[^]*?\*\/|,(?=\s*[}\]])/g

/** The keys of a file of JSON, which may have comments; {} if it is not there, or is something else. */
export function jsonOf(folder: string, name: string): Values {
  const text = readText(folder, name).replace(/^\uFEFF/, '')
  return mapOf(jsonIn(text.replaceAll(ALLOWED, (_, quoted?: string) => quoted ?? '')))
}

/** The names in a folder, in order; none if it cannot be read. */
export const entriesOf = (folder: string): readonly string[] => [...contentOf(folder).keys()]

/** The paths of all files below a folder, from it; links are not followed. */
export const allIn = (folder: string): readonly string[] =>
  orElse(() => readdirSync(folder, {recursive: true, encoding: 'utf8'}), [])

const SKIPPED =
  /^(?:\.|node_modules$|vendor$|dist$|build$|target$|bin$|obj$|test(?:s|data|ing|utils?|helpers?|fixtures?)?(?:$|[-_.])|e2e$|docs?$|examples?$|__)/

/** The folders in a folder in which a project may be, in the order of names. */
export const foldersIn = (folder: string): readonly string[] =>
  [...contentOf(folder)].flatMap(([name, entry]) =>
    entry.isDirectory() && (!SKIPPED.test(name) || (name === 'docs' && basename(folder) === 'apps'))
      ? [join(folder, name)]
      : []
  )

/** Projects with more folders keep their programs further up. */
export const MAX_FOLDERS = 2000

/** The folders below one, in order, `MAX_FOLDERS` + 1 at most; of those in `.gitignore` repositories alone. `enters`: look inside. */
export function foldersBelow(
  root: string,
  depth: number,
  enters: (folder: string) => boolean = () => true
): readonly string[] {
  const rules = [...readText(root, '.gitignore').matchAll(/^(!?)(\/?)([\w.-]+)(?:\/|(?<=^!.*))\r?$/gm)]
  const isIgnored = (folder: string): boolean =>
    rules.findLast(([, , at, name]) => name === (at === '' ? basename(folder) : relative(root, folder)))?.[1] === '' &&
    !has(folder, '.git')
  const found: string[] = []
  let level: readonly string[] = [root]
  for (let left = depth; left > 0 && found.length <= MAX_FOLDERS; left--) {
    const below = level
      .flatMap(foldersIn)
      .filter(each => !isIgnored(each))
      .slice(0, MAX_FOLDERS + 1 - found.length)
    found.push(...below)
    level = below.filter(enters)
  }
  return found.toSorted((a, b) => (a.replaceAll('/', '\0') < b.replaceAll('/', '\0') ? -1 : 1))
}

const SOURCES = new Set('.js .mjs .cjs .ts .tsx .jsx .py .go .rb .java .kt .cs .php .rs .ex .properties'.split(' '))

/** Returns files of settings that a program reads. Settings of its tools name no host. */
export const settingsBelow = (folder: string): readonly string[] =>
  [folder, ...foldersBelow(folder, 3)].flatMap(each =>
    entriesOf(each)
      .filter(name => /^(?!package-lock|pnpm-lock|tsconfig|\.).*\.(?:json|ya?ml|toml|ini|conf)$/.test(name))
      .map(name => join(each, name))
  )

/** The source files of a program, without its tests, 300 at most. */
export const sourcesIn = (folder: string): readonly string[] =>
  [folder, ...foldersBelow(folder, 5)]
    .flatMap(each => entriesOf(each).map(name => join(each, name)))
    .filter(path => SOURCES.has(extname(path)) && !/\.(?:test|spec|d)\.|_test\./.test(basename(path)))
    .slice(0, 300)
