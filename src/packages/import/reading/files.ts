import {existsSync, readdirSync} from 'node:fs'
import {extname, join} from 'node:path'
import {readTextFile} from '../../../model/read-file.ts'
import {mapOf, type Values} from './yaml-file.ts'

/** Whether one of these is in a folder. */
export const has = (folder: string, ...names: readonly string[]): boolean =>
  names.some(name => existsSync(join(folder, name)))

/** The text of a file; '' if it is not there, or is no text. */
export function textAt(path: string): string {
  try {
    return readTextFile(path)
  } catch {
    return ''
  }
}

export const readText = (folder: string, name: string): string => textAt(join(folder, name))

/** Comments and commas at the end of a list, which many programs allow; a text is passed over. */
const ALLOWED = /("(?:[^"\\\n]|\\.)*")|\/\/.*|\/\*[^]*?\*\/|,(?=\s*[}\]])/g

/** The keys of a file of JSON, which may have comments; {} if it is not there, or is something else. */
export function jsonOf(folder: string, name: string): Values {
  try {
    const text = readText(folder, name).replace(/^\uFEFF/, '')
    return mapOf(JSON.parse(text.replaceAll(ALLOWED, (_, quoted?: string) => quoted ?? '')))
  } catch {
    return {}
  }
}

/** What is in a folder, in the order of names; nothing if it cannot be read. */
export function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    return []
  }
}

/** The paths of all files below a folder, from it; links are not followed. */
export function allIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, {recursive: true, encoding: 'utf8'})
  } catch {
    return []
  }
}

const SKIPPED = /^(?:\.|node_modules$|vendor$|dist$|build$|target$|bin$|obj$|test|e2e$|docs?$|examples?$|__)/

/** The folders in a folder in which a project may be, in the order of names. */
export function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, {withFileTypes: true})
    return entries
      .filter(entry => entry.isDirectory() && !SKIPPED.test(entry.name))
      .map(({name}) => join(folder, name))
      .toSorted()
  } catch {
    return [] // there is none
  }
}

const SOURCES = new Set('.js .mjs .cjs .ts .tsx .jsx .py .go .rb .java .kt .cs .php .rs .ex .properties'.split(' '))
const MAX_DEPTH = 5

/** The source files of a program, without its tests. */
export const sourcesIn = (folder: string, depth = 0): readonly string[] => [
  ...entriesOf(folder)
    .filter(name => SOURCES.has(extname(name)) && !/\.(?:test|spec|d)\.|_test\./.test(name))
    .map(name => join(folder, name)),
  ...(depth < MAX_DEPTH ? foldersIn(folder).flatMap(each => sourcesIn(each, depth + 1)) : [])
]
