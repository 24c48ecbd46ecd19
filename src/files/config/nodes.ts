import type {MistakeCode} from '../../model/mistake-code.ts'
import {resolveScalar} from '../yaml/scalar.ts'
import type {Pair, YamlMap, YamlNode} from '../yaml/tree.ts'
import {MAX_MISTAKES, placeOf, templateError, type Mistake, type Source} from './diagnose.ts'

/** A pass over a template: the values of a wrong type found so far. */
export interface Reading {
  readonly source: Source
  readonly faults: Mistake[]
}

/** The expected type: as Dapr's messages name it in Go, and for people. */
export interface WantedType {
  readonly go: string
  readonly expected: string
}

/** Returns the pairs of a map in the order in which yaml.v2 assigns them, duplicate keys included. Records keys that are not text. */
export function mapPairs(reading: Reading, {pairs}: YamlMap): readonly Pair[] {
  if (pairs.every(({complexKey}) => complexKey === undefined)) return pairs
  for (const {complexKey} of pairs)
    if (complexKey !== undefined) mistyped(reading, {go: 'string', expected: 'expected a key'}, complexKey)
  return pairs.filter(({complexKey}) => complexKey === undefined)
}

/** Records a value of a wrong type, with the text of yaml.v2. */
export function mistyped(reading: Reading, {go, expected}: WantedType, node: YamlNode, hint = ''): undefined {
  if (reading.faults.length >= MAX_MISTAKES) return
  const {line} = placeOf(reading.source, node.spot.start)
  const message = `line ${line}: cannot unmarshal ${named(node)} into ${go}`
  reading.faults.push({code: 'wrong-type', message, spot: node.spot, expected, hint})
}

/** Returns a value as yaml.v2 names it: its tag, and the text of a scalar, cut to seven bytes if it is longer than ten. */
function named(node: YamlNode): string {
  if (node.kind !== 'scalar') return node.kind === 'map' ? '!!map' : '!!seq'
  const bytes = Buffer.from(node.text)
  const text = bytes.length > 10 ? `${bytes.subarray(0, 7).toString()}...` : bytes.toString()
  return `${resolveScalar(node).tag} \`${text}\``
}

/** Throws for a value that cannot be used. */
export function refuseNode(
  {source}: Reading,
  {spot}: Pick<YamlNode, 'spot'>,
  problem: string,
  code: MistakeCode = 'invalid-yaml'
): never {
  throw templateError(source, {code, message: `error in parsing the provided app config file: yaml: ${problem}`, spot})
}

/** Returns the pair at a path of keys and indexes inside a value, or the deepest existing pair on the way. */
export function pairWithin(from: Pair, path: readonly string[]): Pair {
  const [step, ...rest] = path
  const {node} = from
  if (step === undefined || node.kind === 'scalar') return from
  if (node.kind === 'map') {
    const next = node.pairs.findLast(({name}) => name === step)
    return next === undefined ? from : pairWithin(next, rest)
  }
  const item = node.items[Number(step)]
  return item === undefined ? from : pairWithin({...from, ...item, key: item.value}, rest)
}
