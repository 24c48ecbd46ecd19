import {parseDocument, type YAMLParseError} from 'yaml'
import {messageOf, type UserError} from '../../model/errors.ts'
import {mergeConflictIn, RESOLVE_CONFLICT} from '../../model/merge-conflict.ts'
import {unreadable, type ImportedFile} from './imported.ts'

export type Values = Readonly<Record<string, unknown>>

/** The values of a YAML file; each scalar is the text that was written. Throws a `UserError` with the place of a mistake. */
export function valuesOf(file: ImportedFile): Values {
  const document = parseDocument(file.text, {schema: 'failsafe', merge: true, prettyErrors: false, logLevel: 'silent'})
  const [fault] = document.errors
  if (fault !== undefined) throw noYaml(file, fault)
  try {
    const values: unknown = document.toJS()
    if (isMap(values)) return values
  } catch (error) {
    throw unreadable(file, messageOf(error), 0) // an alias without an anchor, or too many
  }
  throw unreadable(file, 'it is no map of keys to values', 0)
}

function noYaml(file: ImportedFile, {message, pos}: YAMLParseError): UserError {
  const conflict = mergeConflictIn(file.text)
  return conflict === undefined
    ? unreadable(file, message, pos[0])
    : unreadable(file, 'it has a Git merge conflict', conflict, RESOLVE_CONFLICT)
}

export const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The keys of a map; none for other values. */
export const mapOf = (value: unknown): Values => (isMap(value) ? value : {})

/** The text of a scalar, '' for anything else. */
export const textValue = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The texts of a list, or of one text. */
export const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(each => typeof each === 'string') : typeof value === 'string' ? [value] : []

/** Variables as a map: a list has `NAME=value`, or `NAME` alone, which is passed on and left out here. */
export function variablePairs(value: unknown): Readonly<Record<string, string>> {
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, textValue(each)]))
  const pairs = textsOf(value).filter(each => each.includes('='))
  return Object.fromEntries(pairs.map(each => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]))
}

/** In short how a value was written, for a note. */
export function written(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const [first = ''] = text.split('\n')
  return first.length > 100 || first !== text ? `${first.slice(0, 97)}…` : first
}

/** Keys without those whose value is undefined. */
export const given = (keys: Values): Values =>
  Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined))
