import type {Spot} from './place.ts'
import {expand, referenceIn, type ExpansionMistake, type FileVariables} from '../../model/expansion.ts'

/** A value of a document. Aliases and merge keys are resolved; scalars still have their texts. */
export type YamlNode = YamlMap | YamlList | YamlScalar

/** A map, with the pairs of its merge keys. */
export interface YamlMap {
  readonly kind: 'map'
  readonly spot: Spot
  /** Pairs by precedence: the last of equal names wins. */
  readonly pairs: readonly Pair[]
}

export interface YamlList {
  readonly kind: 'list'
  readonly spot: Spot
  readonly items: readonly ListItem[]
}

/** A text, number, boolean, date or nothing. */
export interface YamlScalar {
  readonly kind: 'scalar'
  readonly spot: Spot
  /** Quotes and escapes are undone, nothing else is interpreted. */
  text: string
  readonly style: 'plain' | 'quoted' | 'block'
  /** For example `!!int`; may be empty. */
  readonly tag: string
  /** Whether a variable was replaced in it. */
  isExpanded?: boolean
}

export interface ListItem {
  readonly node: YamlNode
  /** The place where it is written; for an alias that of the alias. */
  readonly value: Spot
}

/** A key and its value. */
export interface Pair extends ListItem {
  readonly name: string
  readonly key: Spot
  /** The key, if it is a map or a list. */
  readonly complexKey?: YamlNode
  /** Whether the pair comes from a merge key. */
  readonly merged: boolean
}

/** Calls `onNode` once for each value, with the nodes that contain it, the innermost first. */
export function eachNode(root: YamlNode, onNode: (node: YamlNode, around: readonly NodeParent[]) => void): void {
  const seen = new Set<YamlNode>()
  const walk = (node: YamlNode, around: readonly NodeParent[]): void => {
    if (seen.has(node)) return
    seen.add(node)
    onNode(node, around)
    if (node.kind === 'list') for (const item of node.items) walk(item.node, [{list: node}, ...around])
    else if (node.kind === 'map') for (const pair of node.pairs) walk(pair.node, [{pair}, ...around])
  }
  walk(root, [])
}

/** The node that contains a value. */
export interface NodeParent {
  readonly list?: YamlList
  readonly pair?: Pair
}

/** Variables found in the values of a document. */
interface Expanded {
  /** The place of a `${…}` in a value. */
  readonly references: readonly {readonly written: string; readonly spot: Spot}[]
  /** Unset variables, replaced by nothing. */
  readonly unset: readonly ExpansionMistake[]
  readonly faults: readonly ExpansionMistake[]
}

/**
 * Replaces `${…}` in the values of a document, not in its keys, and returns the places. Without variables it only returns the places. A
 * variable's value is not parsed as YAML, but unquoted it may become a number or a word such as `true`. `text`: of the whole file.
 */
export function expandTree(
  root: YamlNode,
  text: string,
  variables: FileVariables | undefined,
  keepsApps = false
): Expanded {
  const references: {readonly written: string; readonly spot: Spot}[] = []
  const unset: ExpansionMistake[] = []
  const faults: ExpansionMistake[] = []
  eachNode(root, scalar => {
    if (scalar.kind !== 'scalar' || !scalar.text.includes('${')) return
    const {spot, text: value} = scalar
    const written = referenceIn(value)
    if (written !== undefined) references.push({written, spot})
    if (variables === undefined) return
    const expanded = expand({value, text, ...spot}, variables, keepsApps)
    unset.push(...expanded.unset)
    if (expanded.fault !== undefined) faults.push(expanded.fault)
    else {
      scalar.text = expanded.value
      scalar.isExpanded = true
    }
  })
  return {references, unset, faults}
}
