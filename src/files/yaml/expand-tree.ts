import {expand, referenceIn, type ExpansionMistake, type FileVariables} from '../../model/expansion.ts'
import type {Spot} from './place.ts'
import {eachScalar, type YamlNode} from './tree.ts'

/** Findings in a document. */
export interface Expanded {
  /** The place of a `${…}` in a value. */
  readonly references: readonly {readonly written: string; readonly spot: Spot}[]
  /** Variables that are taken as empty. */
  readonly unset: readonly ExpansionMistake[]
  readonly faults: readonly ExpansionMistake[]
}

/**
 * Replaces `${…}` in the values of a document, not in its keys, and returns the places; without variables it only returns the places.
 * The value of a variable is not parsed as YAML, but a value without quotes may become a number or a word such as `true`. `text` is
 * that of the whole file.
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
  eachScalar(root, scalar => {
    if (!scalar.text.includes('${')) return
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
