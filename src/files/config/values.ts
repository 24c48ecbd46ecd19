import type {KeyKind} from './keys.ts'
import {mistyped, mapPairs, refuseNode, type Reading, type WantedType} from './nodes.ts'
import {referenceIn} from '../../model/expansion.ts'
import {isNull, resolveScalar, resolveTyped} from '../yaml/scalar.ts'
import type {YamlNode, YamlScalar} from '../yaml/tree.ts'

const WANTED: Readonly<Record<KeyKind, WantedType>> = {
  int: {go: 'int', expected: 'expected a whole number'},
  bool: {go: 'bool', expected: 'expected true or false'},
  string: {go: 'string', expected: 'expected a text'},
  destination: {go: 'standalone.LogDestType', expected: 'expected file, console or fileAndConsole'},
  strings: {go: '[]string', expected: 'expected a list of texts'},
  env: {go: 'map[string]string', expected: 'expected a map of names to values'}
}

/** Advice for a variable that is not replaced. */
export const TO_REPLACE = 'to replace it from the environment, write interpolate: true at the top'

/** The only keys of ours with booleans or numbers; elsewhere `no` and `8080` are strings. */
const TYPED_KEYS = new Set(
  (
    'replicas watch autoPort tcp keep cpus record replay otel timeout lazy idleTimeout port fixedPort tty names strip ' +
    'interpolate managerPort required status abort never cut kill rate seed times job callHeader'
  ).split(' ')
)

/** Keys whose maps may contain any keys. `text`: the values are read as texts; `typed`: with the types that YAML gives them. */
const FREE_KEYS = new Map<string, Free>([
  ['annotations', 'text'],
  ['labels', 'text'],
  ['resources', 'text'],
  ['patch', 'typed']
])

type Free = 'text' | 'typed'

const MAX_DEPTH = 20

/** A value to read. `key` is for hints, `before` is the value of an earlier duplicate key. */
export interface Unread {
  readonly key: string
  readonly node: YamlNode
  readonly before: unknown
}

const READERS: Readonly<Record<KeyKind, (reading: Reading, unread: Unread) => unknown>> = {
  int: readNumber,
  bool: (reading, {node}) => readBoolean(reading, node),
  strings: readTexts,
  env: readEnv,
  string: (reading, {node}) => readText(reading, WANTED.string, node),
  destination: (reading, {node}) => readText(reading, WANTED.destination, node)
}

/** Reads the value of a Dapr key by its Go type. Another type gives undefined and a recorded mistake. */
export const readAs = (kind: KeyKind, reading: Reading, unread: Unread): unknown => READERS[kind](reading, unread)

/** Reads a scalar of any type as its source text; null is the empty string. */
function readText(reading: Reading, wanted: WantedType, node: YamlNode): string | undefined {
  if (isNull(node)) return ''
  return node.kind === 'scalar' ? withoutNul(reading, node) : mistyped(reading, wanted, node)
}

/** Refuses NUL (`"\0"` in YAML), which programs, paths and variables cannot contain: the system would report it only at the start. */
function withoutNul(reading: Reading, node: Pick<YamlScalar, 'text' | 'spot'>): string {
  const {text} = node
  return text.includes('\0')
    ? refuseNode(reading, node, 'a text contains the character NUL', 'control-character')
    : text
}

/** Reads a whole number. Accepts a float and drops its fraction, as Go does. */
function readNumber(reading: Reading, {key, node}: Unread): number | undefined {
  const value = node.kind === 'scalar' ? resolveTyped(node).value : undefined
  if (value === null) return undefined
  if (typeof value === 'number' && Math.abs(value) < 2 ** 63) return Math.trunc(value)
  return mistyped(reading, WANTED.int, node, key === 'version' ? 'write version: 1' : numberHint(node))
}

function numberHint(node: YamlNode): string {
  const isQuoted = node.kind === 'scalar' && node.style !== 'plain' && /^-?\d+$/.test(node.text)
  return isQuoted ? `write it without quotes: ${node.text}` : toReplace(node)
}

function readBoolean(reading: Reading, node: YamlNode): boolean | undefined {
  const value = node.kind === 'scalar' ? resolveTyped(node).value : undefined
  if (value === null) return undefined
  return typeof value === 'boolean' ? value : mistyped(reading, WANTED.bool, node, toReplace(node))
}

/** Returns advice about a variable that was not replaced; an empty string for other values. */
const toReplace = (node: YamlNode): string =>
  node.kind === 'scalar' && referenceIn(node.text) !== undefined ? TO_REPLACE : ''

function readTexts(reading: Reading, {key, node}: Unread): readonly string[] | undefined {
  if (node.kind === 'list')
    return node.items.map(item => readText(reading, WANTED.string, item.node)).filter(text => text !== undefined)
  return mistyped(reading, WANTED.strings, node, node.kind === 'scalar' ? listHint(key, node.text) : '')
}

/** Syntax that only a shell understands: operators, quotes, variables, globs, assignments before the program. */
const SHELL_SYNTAX = /[&|;<>()$`\\"'*?[\]{}~#\n]|^\s*\w+=/

/** Returns words as a list of a template. */
export const quoted = (words: readonly string[]): string => words.map(word => JSON.stringify(word)).join(', ')

function listHint(key: string, text: string): string {
  if (text.trim() === '') return ''
  if (key !== 'command') return `write ${key} as a list: [${quoted([text])}]`
  return `write command as a list${needsShell(text) ? ', with a shell' : ''}: ${asList(text)}`
}

const needsShell = (text: string): boolean => SHELL_SYNTAX.test(text.trim())

/** Returns a command text as the list of its words, or as a shell command if only a shell understands it. */
export const asList = (text: string): string =>
  needsShell(text) ? `[sh, -c, ${quoted([text.trim()])}]` : `[${quoted(text.split(/\s+/).filter(Boolean))}]`

/** Reads `env`. Adds the entries to those of an earlier duplicate `env`, as Go does. */
function readEnv(reading: Reading, {node, before}: Unread): Readonly<Record<string, string>> | undefined {
  if (node.kind !== 'map') return mistyped(reading, WANTED.env, node, 'write env as a map: {NAME: value}')
  const own = mapPairs(reading, node).map(({name, key, node: value}) => [
    withoutNul(reading, {text: name, spot: key}),
    readText(reading, WANTED.string, value)
  ])
  return Object.fromEntries([...Object.entries(before ?? {}), ...own]) as Record<string, string>
}

/** Reads the value of one of our keys as plain data, for the schema. Leaves out null values of maps, unless null has a meaning there. */
export function readUntyped(reading: Reading, key: string, node: YamlNode, depth = 0, within?: Free): unknown {
  if (depth > MAX_DEPTH) refuseNode(reading, node, 'it is nested too deeply')
  const free = within ?? FREE_KEYS.get(key)
  if (node.kind === 'list') return node.items.map(item => readUntyped(reading, '', item.node, depth + 1, free))
  if (node.kind === 'map')
    return Object.fromEntries(
      mapPairs(reading, node)
        .filter(pair => free === 'typed' || !isNull(pair.node))
        .map(pair => [pair.name, readUntyped(reading, pair.name, pair.node, depth + 1, free)])
    )
  if (isNull(node)) return null
  if (free === 'typed') return resolveScalar(node).value
  if (free === 'text' || !TYPED_KEYS.has(key)) return withoutNul(reading, node)
  return resolveTyped(node).value
}
