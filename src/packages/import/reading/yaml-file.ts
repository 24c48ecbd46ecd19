import {COMPOSE_FILE} from '../../../files/yaml/other-dialects.ts'
import {explainFault} from '../../../files/yaml/explain.ts'
import {readYaml} from '../../../files/yaml/read.ts'
import {isNull} from '../../../files/yaml/scalar.ts'
import {scalarText} from '../../../files/yaml/scalar-text.ts'
import type {Pair, YamlNode} from '../../../files/yaml/tree.ts'
import {isObject} from '../../../model/is-object.ts'
import {unreadable, type ImportedFile} from '../imported.ts'
import {colonParts} from './shell-words.ts'

export type Values = Readonly<Record<string, unknown>>

/** A YAML file as compose reads it, documents one over the other, scalars as Go's texts or null. Throws a `UserError` with the place. */
export function valuesOf(file: ImportedFile): Values {
  const values = documentsOf(file)
  if (values.length === 0) throw unreadable(file, 'it is no map of keys to values', 0)
  return values.reduce((below, over) => mergedValues(below, over))
}

/** The values of each document of a YAML file, as `valuesOf`; empty documents are left out. */
export function documentsOf(file: ImportedFile): readonly Values[] {
  return readYaml(file.text, COMPOSE_FILE).flatMap(({root, fault}) => {
    if (fault !== undefined) {
      const {message, spot, hint} = explainFault(fault, file.text)
      throw unreadable(file, message, spot.start, hint)
    }
    const read = plainOf(root, file.text)
    if (read === null) return []
    if (!isMap(read)) throw unreadable(file, 'it is no map of keys to values', root.spot.start)
    return [read]
  })
}

function plainOf(node: YamlNode, text: string): unknown {
  if (node.kind === 'scalar') return isNull(node) ? null : scalarText(node, COMPOSE_FILE)
  if (node.kind === 'list') return node.items.map(item => plainOf(item.node, text))
  const pairs = node.pairs.filter(pair => tagOf(pair, text) !== 'reset')
  return Object.fromEntries(pairs.map(pair => [pair.name, plainOf(pair.node, text)]))
}

/** Compose's tag in front of a value: `!reset` removes earlier values, `!override` replaces them; '': none. */
const tagOf = ({key}: Pair, text: string): string =>
  /^\s*:\s*!(reset|override)\b/.exec(text.slice(key.end, key.end + 100))?.[1] ?? ''

/** The values of files before one, without those that it resets or overrides (compose-go, package loader). */
export function withoutReset(before: Values, file: ImportedFile): Values {
  if (!/!(?:reset|override)\b/.test(file.text)) return before
  const left = (values: Values, node: YamlNode): Values => {
    const pairs = new Map(node.kind === 'map' ? node.pairs.map(pair => [pair.name, pair]) : [])
    return Object.fromEntries(
      Object.entries(values).flatMap(([key, value]) => {
        const pair = pairs.get(key)
        if (pair === undefined) return [[key, value]]
        if (tagOf(pair, file.text) !== '') return []
        return [[key, isMap(value) ? left(value, pair.node) : value]]
      })
    )
  }
  return readYaml(file.text, COMPOSE_FILE).reduce((values, {root}) => (root ? left(values, root) : values), before)
}

/** Keys whose value a later file replaces, even by nothing; items of other lists add up (compose-go, package override). */
const REPLACED = new Set(['command', 'entrypoint', 'test'])
/** Maps of texts that may be written as lists: a name alone, or with nothing, is a value, too. */
const PAIRS = new Set('environment labels args annotations sysctls'.split(' '))
/** Maps that may be written as lists, or as one text. */
const NAMED = new Set('depends_on extra_hosts build networks'.split(' '))
/** Lists that may be written as one text. */
const LISTS = new Set(['env_file', 'dns', 'tmpfs'])

/** Values over others, as compose merges its files. */
export function mergedValues(base: Values, over: Values): Values {
  const result: Record<string, unknown> = {...base}
  for (const [key, value] of Object.entries(over)) result[key] = mergedValue(key, result[key], value)
  return result
}

function mergedValue(key: string, before: unknown, value: unknown): unknown {
  if (REPLACED.has(key) && !isMap(before) && !isMap(value)) return value
  if (before === undefined || before === null || value === null) return value ?? before
  if (PAIRS.has(key)) return {...asMap(key, before), ...asMap(key, value)}
  if (NAMED.has(key) && isMap(before) !== isMap(value)) return mergedValues(asMap(key, before), asMap(key, value))
  if (isMap(before) && isMap(value)) return mergedValues(before, value)
  if (LISTS.has(key)) return withItems(key, listedValues(before), listedValues(value))
  if (!Array.isArray(before) || !Array.isArray(value)) return value
  return withItems(key, before, value)
}

function withItems(key: string, before: readonly unknown[], value: readonly unknown[]): readonly unknown[] {
  const idOf = key === 'volumes' ? mountTarget : (each: unknown): string => JSON.stringify(each)
  const over = new Set(value.map(idOf))
  return [...before.filter(each => !over.has(idOf(each))), ...value]
}

/** Reads a map that may be a list: `NAME=value`, `HOST:address`, or a name alone; the text of `build` is its folder. */
export const asMap = (key: string, value: unknown): Values =>
  isMap(value)
    ? value
    : key === 'build'
      ? {context: value}
      : Object.fromEntries(
          textsOf(value).map(each => {
            const [, name = each, text] =
              (key === 'extra_hosts' ? /^([^:=]+)[:=](.*)$/s : /^([^=]+)=(.*)$/s).exec(each) ?? []
            return [name, text ?? (key === 'depends_on' ? {condition: 'service_started'} : null)]
          })
        )

/** The path at which a volume is mounted: one path has one mount. */
const mountTarget = (mount: unknown): string =>
  isMap(mount) ? textValue(mount['target']) : (colonParts(textValue(mount)).slice(0, 2).at(-1) ?? '')

export const isMap: (value: unknown) => value is Values = isObject

/** The keys of a map; none for other values. */
export const mapOf = (value: unknown): Values => (isMap(value) ? value : {})

/** The items of a list; of any other value but none, that value. */
export const listedValues = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]

/** The text of a scalar, '' for anything else. */
export const textValue = (value: unknown): string => (typeof value === 'string' ? value : '')

/** An env file is named by its path, or by a map with it. */
export const pathOfEntry = (entry: unknown): string => textValue(entry) || textValue(mapOf(entry)['path'])

/** The texts of a list, or of one text. */
export const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(each => typeof each === 'string') : typeof value === 'string' ? [value] : []

/** Variables by name, without those that have no value and are passed on from the environment. */
export const variablePairs = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(asMap('environment', value)).flatMap(([name, each]) =>
      each === null ? [] : [[name, textValue(each)]]
    )
  )

/** Names of the variables that are passed on from the environment: those without a value. */
export const passedOn = (variables: unknown): readonly string[] =>
  Object.entries(asMap('environment', variables)).flatMap(([name, each]) => (each === null ? [name] : []))

/** A short form of a value as it was written, for a note. */
export function written(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const [first = ''] = text.split('\n')
  return first.length > 100 || first !== text ? `${first.slice(0, 97)}…` : first
}

/** Notes on keys that are not carried over: those that are not known by their path, which begins with `before`. */
export const notCarried = (values: unknown, known: RegExp, before = ''): readonly string[] =>
  Object.entries(mapOf(values)).flatMap(([key, value]) =>
    known.test(before + key) ? [] : [`${before}${key}: ${written(value)} is not carried over`]
  )

/** Keys without those whose value is undefined, or an empty list or map. */
export const given = (keys: Values): Values =>
  Object.fromEntries(
    Object.entries(keys).filter(([, value]) => value !== undefined && !/^(?:\[\]|\{\})$/.test(JSON.stringify(value)))
  )
