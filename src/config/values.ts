import {isMap, isScalar, isSeq} from 'yaml'
import type {Kind} from './keys.ts'
import {follow, isNull, itemsOf, mistyped, pairsOf, refuse, type Reading, type Wanted} from './nodes.ts'
import {resolveScalar, textOf} from './scalar.ts'

const WANTED: Readonly<Record<Kind, Wanted>> = {
  int: {go: 'int', expected: 'expected a whole number'},
  bool: {go: 'bool', expected: 'expected true or false'},
  string: {go: 'string', expected: 'expected a text'},
  destination: {go: 'standalone.LogDestType', expected: 'expected file, console or fileAndConsole'},
  strings: {go: '[]string', expected: 'expected a list of texts'},
  env: {go: 'map[string]string', expected: 'expected a map of names to values'}
}

/** Of our keys only these hold flags or numbers; elsewhere `no` is a word and `8080` a text, as it is written. */
const NATURAL = new Set(['replicas', 'watch', 'autoPort', 'tcp', 'keep', 'timeout', 'fixedPort', 'managerPort'])

const DEEPEST = 20

/** A value to read: `key` names it in hints, `before` is what an equal key said earlier. */
export interface Unread {
  readonly key: string
  readonly node: unknown
  readonly before: unknown
}

/** The value of one of Dapr's keys, as Go's type demands; undefined, and noted, when it is of another type. */
export function readAs(kind: Kind, reading: Reading, unread: Unread): unknown {
  const {node} = unread
  switch (kind) {
    case 'int':
      return readNumber(reading, node)
    case 'bool': {
      const value = isScalar(node) ? resolveScalar(node).value : undefined
      return typeof value === 'boolean' ? value : mistyped(reading, WANTED.bool, node)
    }
    case 'strings':
      return readTexts(reading, unread)
    case 'env':
      return readEnv(reading, unread)
    case 'string':
    case 'destination':
      return readText(reading, WANTED[kind], node)
  }
}

/** Any scalar is a text, by its source; null is the empty one. */
function readText(reading: Reading, wanted: Wanted, node: unknown): string | undefined {
  if (isNull(node)) return ''
  return isScalar(node) ? textOf(node) : mistyped(reading, wanted, node)
}

/** Go takes a fraction for an int and drops what stands behind the point. */
function readNumber(reading: Reading, node: unknown): number | undefined {
  const value = isScalar(node) ? resolveScalar(node).value : undefined
  if (typeof value === 'number' && Number.isFinite(value)) return Math.trunc(value)
  const quoted = isScalar(node) && node.type !== 'PLAIN' && /^-?\d+$/.test(textOf(node))
  return mistyped(reading, WANTED.int, node, quoted ? `write it without quotes: ${textOf(node)}` : '')
}

function readTexts(reading: Reading, {key, node}: Unread): readonly string[] | undefined {
  if (isSeq(node))
    return itemsOf(reading, node)
      .map(item => readText(reading, WANTED.string, item))
      .filter(text => text !== undefined)
  const words = isScalar(node) ? (key === 'command' ? textOf(node).split(/\s+/).filter(Boolean) : [textOf(node)]) : []
  const hint = words.length > 0 ? `write ${key} as a list: [${words.map(word => JSON.stringify(word)).join(', ')}]` : ''
  return mistyped(reading, WANTED.strings, node, hint)
}

/** Two maps under equal keys are one map to Go: the later adds to the earlier. */
function readEnv(reading: Reading, {node, before}: Unread): Readonly<Record<string, string>> | undefined {
  if (!isMap(node)) return mistyped(reading, WANTED.env, node, 'write env as a map: {NAME: value}')
  const env: Record<string, unknown> = Object.assign({}, before)
  for (const pair of pairsOf(reading, node)) env[pair.name] = readText(reading, WANTED.string, pair.node)
  return env as Record<string, string>
}

/** The value of one of our keys as plain data, for the schema; nulls in maps count as not said. */
export function readPlain(reading: Reading, key: string, node: unknown, depth = 0): unknown {
  if (depth > DEEPEST) refuse(reading, node, 'a value holds itself')
  if (isSeq(node)) return itemsOf(reading, node).map(item => readPlain(reading, '', item, depth + 1))
  if (isMap(node))
    return Object.fromEntries(
      pairsOf(reading, node)
        .filter(pair => !isNull(pair.node))
        .map(pair => [pair.name, readPlain(reading, pair.name, pair.node, depth + 1)])
    )
  if (isNull(node)) return null
  return isScalar(node) ? (NATURAL.has(key) ? resolveScalar(node).value : textOf(node)) : follow(reading, node)
}
