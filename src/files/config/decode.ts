import {isNull} from '../yaml/scalar.ts'
import type {Pair, YamlNode} from '../yaml/tree.ts'
import {templateError} from './diagnose.ts'
import type {Spot} from '../yaml/place.ts'
import {
  APP_KEYS,
  OUR_APP_KEYS,
  OUR_SHARED_KEYS,
  OUR_TOP_KEYS,
  SHARED_KEYS,
  TOP_KEYS,
  type AppValues,
  type KeyKind,
  type TopValues
} from './keys.ts'
import {mapPairs, mistyped, pairWithin, refuseNode, type Reading} from './nodes.ts'
import {readAs, readUntyped} from './values.ts'
import {ownOf} from '../../model/own.ts'

/** A mapping of the template: the values of its known keys, and the places of all keys. */
export interface Section<Values> {
  /** The values without keys that are null: Dapr treats null as unset. Values of our own keys are not checked yet. */
  readonly values: Values
  /** The pairs by key; of duplicate keys the last. */
  readonly pairs: ReadonlyMap<string, Pair>
  readonly spot: Spot
}

/** A template as written: typed, but not yet checked, merged or resolved. */
export interface Template {
  readonly top: Section<TopValues>
  readonly common: Section<AppValues>
  readonly apps: readonly Section<AppValues>[]
  /** The pair at a path of keys and indexes inside the value of a key, or the deepest existing pair on the way. */
  readonly within: (pair: Pair, path: readonly string[]) => Pair
}

/** Maximum number of apps: more than a machine can run. Some checks take quadratic time. */
const MAX_APPS = 1000

/** A kind of section: its place, and its known keys, with Go's types for those of Dapr. */
interface Outline {
  readonly spot: Spot
  readonly dapr: Readonly<Record<string, KeyKind>>
  readonly ours: readonly string[]
}

const TEMPLATE = {go: 'runfileconfig.RunFileConfig', expected: 'expected the keys version, common and apps'}
const COMMON = {go: 'runfileconfig.Common', expected: 'expected a map of defaults for all apps'}
const APPS = {go: '[]runfileconfig.App', expected: 'expected a list of apps, each after a dash'}
const APP = {go: 'runfileconfig.App', expected: 'expected the keys of an app: appDirPath, appID, command …'}

/**
 * Decodes the tree below `root` as yaml.v2 decodes it into Dapr's structs (`RunFileConfig` in Dapr's CLI): unknown keys are ignored, the
 * last duplicate key wins. Throws one `UserError` for all values of a wrong type, with Go's text.
 */
export function decodeTemplate(reading: Reading, root: YamlNode): Template {
  const spot = {start: 0, end: 0}
  const pairs = pairsIn(reading, root, TEMPLATE)
  const top = section<TopValues>(reading, pairs, {spot, dapr: TOP_KEYS, ours: OUR_TOP_KEYS})
  const common = pairs.filter(({name}) => name === 'common').flatMap(({node}) => pairsIn(reading, node, COMMON))
  const template: Template = {
    top,
    common: section(reading, common, {spot, dapr: SHARED_KEYS, ours: OUR_SHARED_KEYS}),
    apps: readApps(reading, top.pairs.get('apps')),
    within: pairWithin
  }
  throwFaults(reading)
  return template
}

function throwFaults({source, faults}: Reading): void {
  const inOrder = faults.toSorted((a, b) => a.spot.start - b.spot.start)
  const [first, ...others] = inOrder
  if (first === undefined) return
  const lines = inOrder.map(({message}) => `\n  ${message}`).join('')
  const headline = `error in parsing the provided app config file: yaml: unmarshal errors:${lines}`
  throw templateError(source, {...first, headline}, ...others)
}

function readApps(reading: Reading, apps: Pair | undefined): readonly Section<AppValues>[] {
  if (apps === undefined || isNull(apps.node)) return []
  if (apps.node.kind !== 'list') return mistyped(reading, APPS, apps.node) ?? []
  if (apps.node.items.length > MAX_APPS) refuseNode(reading, apps.node, `more than ${MAX_APPS} apps`)
  return apps.node.items.map(({node}) =>
    section(reading, pairsIn(reading, node, APP), {spot: node.spot, dapr: APP_KEYS, ours: OUR_APP_KEYS})
  )
}

function pairsIn(reading: Reading, node: YamlNode, wanted: typeof APP): readonly Pair[] {
  if (node.kind === 'map') return mapPairs(reading, node)
  return (isNull(node) ? undefined : mistyped(reading, wanted, node)) ?? []
}

function section<Values>(reading: Reading, all: readonly Pair[], {spot, dapr, ours}: Outline): Section<Values> {
  const values: Record<string, unknown> = {}
  const pairs = new Map(all.map(pair => [pair.name, pair]))
  for (const {name: key, node} of all) {
    const kind = ownOf(dapr, key)
    const known = kind !== undefined || ours.includes(key)
    const read = (): unknown =>
      kind ? readAs(kind, reading, {key, node, before: values[key]}) : readUntyped(reading, key, node)
    const value = known && !isNull(node) ? read() : undefined
    if (value === undefined || value === null) delete values[key]
    // oxlint-disable-next-line pillion/user-words -- only keys that are known have a value
    else values[key] = value
  }
  return {values: values as Values, pairs, spot}
}
