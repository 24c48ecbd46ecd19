import {isAlias, isMap, isScalar, isSeq, type YAMLMap, type YAMLSeq} from 'yaml'
import type {Aliases} from './aliases.ts'
import {lineOf, MAX_MISTAKES, templateError, type Mistake, type Source, type Spot} from './diagnose.ts'
import {isMergeKey, resolveScalar, textOf} from './scalar.ts'

/** One reading of a template: its aliases, and the values of a wrong type that were met so far. */
export interface Reading {
  readonly aliases: Aliases
  readonly source: Source
  readonly faults: Mistake[]
}

/** A key and its value; `node` is never an alias, and null where nothing stands. */
export interface Pair {
  readonly name: string
  readonly key: Spot
  readonly value: Spot
  readonly node: unknown
  /** Written by a merge key. */
  readonly merged: boolean
}

/** What a value should have been: the Go type as Dapr's messages name it, and the same for people. */
export interface Wanted {
  readonly go: string
  readonly expected: string
}

/** A tree that is deeper than this holds itself. */
const DEEPEST = 50

/** Where a node stands; what has no place of its own stands where `otherwise` says. */
export function spotOf(node: unknown, otherwise: Spot): Spot {
  const range = isAlias(node) || isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined
  return range ? {start: range[0], end: range[1]} : otherwise
}

/** Whether nothing is said: no value, `~`, `null`. */
export const isNull = (node: unknown): boolean =>
  node === null || (isScalar(node) && resolveScalar(node).value === null)

/** The node that an alias stands for; any other node is itself. */
export function follow(reading: Reading, node: unknown): unknown {
  if (!isAlias(node)) return node ?? null
  const target = reading.aliases.targetOf(node)
  return target === undefined
    ? refuse(reading, node, `unknown anchor '${node.source}' referenced`)
    : follow(reading, target)
}

/** The items of a list, aliases followed. */
export function itemsOf(reading: Reading, node: YAMLSeq): readonly unknown[] {
  count(reading, node)
  return node.items.map(item => follow(reading, item))
}

/** Go's words (`decode.go` in yaml.v2); its limit depends on the share of aliases, ours is a number of nodes. */
function count(reading: Reading, node: YAMLMap | YAMLSeq): void {
  if (reading.aliases.areTooMany(node.items.length)) refuse(reading, node, 'document contains excessive aliasing')
}

/**
 * The pairs of a mapping as yaml.v2 takes them: one after the other, equal keys included; what a merge key holds stands
 * at its place, so what is written after it wins, and what is written before it loses.
 */
export function pairsOf(reading: Reading, map: YAMLMap, depth = 0): readonly Pair[] {
  if (depth > DEEPEST) refuse(reading, map, 'a merge key holds itself')
  count(reading, map)
  return map.items.flatMap(({key, value}) => {
    const node = follow(reading, value)
    if (isMergeKey(key)) return mergedPairs(reading, node, depth + 1)
    const written = follow(reading, key)
    if (written !== null && !isScalar(written)) {
      mistyped(reading, {go: 'string', expected: 'expected a key'}, written)
      return []
    }
    const at = spotOf(key, spotOf(map, {start: 0, end: 0}))
    return [{name: textOf(written), key: at, value: spotOf(value, at), node, merged: depth > 0}]
  })
}

/** Of several merged mappings the earlier wins: it is written last. */
function mergedPairs(reading: Reading, node: unknown, depth: number): readonly Pair[] {
  const maps = isSeq(node) ? itemsOf(reading, node).toReversed() : [node]
  return maps.flatMap(map =>
    isMap(map)
      ? pairsOf(reading, map, depth)
      : refuse(reading, node, 'map merge requires map or sequence of maps as the value')
  )
}

/** Notes a value of a wrong type, in the words of yaml.v2. */
export function mistyped(reading: Reading, {go, expected}: Wanted, node: unknown, hint = ''): undefined {
  if (reading.faults.length >= MAX_MISTAKES) return
  const spot = spotOf(node, {start: 0, end: 0})
  const line = lineOf(reading.source.text, spot.start)
  reading.faults.push({message: `line ${line}: cannot unmarshal ${named(node)} into ${go}`, spot, expected, hint})
}

/** A value in yaml.v2's messages: its tag, and of a scalar the text, cut after seven bytes when it is longer than ten. */
function named(node: unknown): string {
  if (isMap(node)) return '!!map'
  if (isSeq(node)) return '!!seq'
  const scalar = isScalar(node) ? node : null
  const bytes = Buffer.from(textOf(scalar))
  const text = bytes.length > 10 ? `${bytes.subarray(0, 7).toString()}...` : bytes.toString()
  return `${resolveScalar(scalar).tag} \`${text}\``
}

/** A tree that yaml.v2 does not read any further. */
export function refuse(reading: Reading, node: unknown, problem: string): never {
  const message = `error in parsing the provided app config file: yaml: ${problem}`
  throw templateError(reading.source, {message, spot: spotOf(node, {start: 0, end: 0})})
}

/** Something inside a value: under a key, at an index; the last that is there when the path leads on. */
export function pairWithin(reading: Reading, from: Pair, path: readonly string[]): Pair {
  const [step, ...rest] = path
  const {node} = from
  if (step === undefined) return from
  if (isMap(node)) {
    const next = pairsOf(reading, node).findLast(({name}) => name === step)
    return next === undefined ? from : pairWithin(reading, next, rest)
  }
  if (!isSeq(node)) return from
  const item = node.items[Number(step)]
  const spot = spotOf(item, from.value)
  return pairWithin(reading, {...from, key: spot, value: spot, node: follow(reading, item)}, rest)
}
