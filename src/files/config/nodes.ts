import {isAlias, isMap, isScalar, isSeq, type YAMLMap, type YAMLSeq} from 'yaml'
import type {MistakeCode} from '../../model/mistake-code.ts'
import type {Aliases} from './aliases.ts'
import {MAX_MISTAKES, placeOf, templateError, type Mistake, type Source, type Spot} from './diagnose.ts'
import {isMergeKey, resolveScalar, scalarSource} from './scalar.ts'

/** One pass over a template: its aliases, and the values of a wrong type found so far. */
export interface Reading {
  readonly aliases: Aliases
  readonly source: Source
  readonly faults: Mistake[]
}

/** A key and its value. `node` is never an alias, and null if there is no value. */
export interface Pair {
  readonly name: string
  readonly key: Spot
  readonly value: Spot
  readonly node: unknown
  /** It comes from a merge key. */
  readonly merged: boolean
}

/** The expected type: as Dapr's messages name it in Go, and for people. */
export interface WantedType {
  readonly go: string
  readonly expected: string
}

/** A deeper tree contains itself. */
const MAX_DEPTH = 50

/** The range of a node, or `otherwise` if it has none. */
export function spotOf(node: unknown, otherwise: Spot): Spot {
  const range = isAlias(node) || isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined
  return range ? {start: range[0], end: range[1]} : otherwise
}

/** Whether there is no value: nothing, `~` or `null`. */
export const isNull = (node: unknown): boolean =>
  node === null || (isScalar(node) && resolveScalar(node).value === null)

/** The target of an alias; any other node unchanged. */
export function follow(reading: Reading, node: unknown): unknown {
  if (!isAlias(node)) return node ?? null
  const target = reading.aliases.targetOf(node)
  return target === undefined
    ? refuseNode(reading, node, `unknown anchor '${node.source}' referenced`)
    : follow(reading, target)
}

/** The items of a list, with aliases resolved. */
export function itemsOf(reading: Reading, node: YAMLSeq): readonly unknown[] {
  count(reading, node)
  return node.items.map(item => follow(reading, item))
}

/** The text is Go's (`decode.go` in yaml.v2). Its limit is a ratio of aliases; ours is a number of nodes. */
function count(reading: Reading, node: YAMLMap | YAMLSeq): void {
  if (reading.aliases.areTooMany(node.items.length)) refuseNode(reading, node, 'document contains excessive aliasing')
}

/**
 * The pairs of a mapping in the order in which yaml.v2 assigns them, duplicate keys included. A merge key is replaced by
 * the pairs of its map, so later keys override it and it overrides earlier ones.
 */
export function mapPairs(reading: Reading, map: YAMLMap, depth = 0): readonly Pair[] {
  if (depth > MAX_DEPTH) refuseNode(reading, map, 'a merge key contains itself')
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
    return [{name: scalarSource(written), key: at, value: spotOf(value, at), node, merged: depth > 0}]
  })
}

/** The pairs of merged mappings; the first mapping wins, so it comes last. */
function mergedPairs(reading: Reading, node: unknown, depth: number): readonly Pair[] {
  const maps = isSeq(node) ? itemsOf(reading, node).toReversed() : [node]
  return maps.flatMap(map =>
    isMap(map)
      ? mapPairs(reading, map, depth)
      : refuseNode(reading, node, 'map merge requires map or sequence of maps as the value')
  )
}

/** Records a value of a wrong type, with the text of yaml.v2. */
export function mistyped(reading: Reading, {go, expected}: WantedType, node: unknown, hint = ''): undefined {
  if (reading.faults.length >= MAX_MISTAKES) return
  const spot = spotOf(node, {start: 0, end: 0})
  const {line} = placeOf(reading.source, spot.start)
  const message = `line ${line}: cannot unmarshal ${named(node)} into ${go}`
  reading.faults.push({code: 'wrong-type', message, spot, expected, hint})
}

/** A value as yaml.v2 names it: its tag, and the text of a scalar, cut to seven bytes if it is longer than ten. */
function named(node: unknown): string {
  if (isMap(node)) return '!!map'
  if (isSeq(node)) return '!!seq'
  const scalar = isScalar(node) ? node : null
  const bytes = Buffer.from(scalarSource(scalar))
  const text = bytes.length > 10 ? `${bytes.subarray(0, 7).toString()}...` : bytes.toString()
  return `${resolveScalar(scalar).tag} \`${text}\``
}

/** Throws for a tree that yaml.v2 refuses to decode. */
export function refuseNode(
  reading: Reading,
  node: unknown,
  problem: string,
  code: MistakeCode = 'invalid-yaml'
): never {
  const message = `error in parsing the provided app config file: yaml: ${problem}`
  throw templateError(reading.source, {code, message, spot: spotOf(node, {start: 0, end: 0})})
}

/** The pair at a path of keys and indexes inside a value, or the deepest one that exists on the way. */
export function pairWithin(reading: Reading, from: Pair, path: readonly string[]): Pair {
  const [step, ...rest] = path
  const {node} = from
  if (step === undefined) return from
  if (isMap(node)) {
    const next = mapPairs(reading, node).findLast(({name}) => name === step)
    return next === undefined ? from : pairWithin(reading, next, rest)
  }
  if (!isSeq(node)) return from
  const item = node.items[Number(step)]
  const spot = spotOf(item, from.value)
  return pairWithin(reading, {...from, key: spot, value: spot, node: follow(reading, item)}, rest)
}
