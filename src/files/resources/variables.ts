import {isScalar, parseDocument, visit, type Document, type Scalar} from 'yaml'
import {expand, REFERENCE, type ExpansionMistake, type FileVariables} from '../../model/expansion.ts'

/** Where a value of a file has `${…}`. */
export interface Reference {
  readonly written: string
  readonly offset: number
}

/** What was found in a document. */
interface Expanded {
  readonly references: readonly Reference[]
  readonly unset: readonly ExpansionMistake[]
  readonly faults: readonly ExpansionMistake[]
}

/** Replaces `${…}` in the values of a document by the rules of templates, and tells where there is any; without variables it only tells. */
export function expandDocument(document: Document, text: string, variables: FileVariables | undefined): Expanded {
  const references: Reference[] = []
  const unset: ExpansionMistake[] = []
  const faults: ExpansionMistake[] = []
  visit(document, {
    Scalar: (key, node) => {
      const value = node.source ?? ''
      if (key === 'key' || !value.includes('${')) return
      const [start, end] = node.range ?? [0, 0]
      const [written] = REFERENCE.exec(value) ?? []
      if (written !== undefined) references.push({written, offset: start})
      if (variables === undefined) return
      const expanded = expand({value, text, start, end}, variables)
      unset.push(...expanded.unset)
      if (expanded.fault === undefined) setText(node, expanded.value)
      else faults.push(expanded.fault)
    }
  })
  return {references, unset, faults}
}

/** A value without quotes may become a number or a word such as `true`; nothing in it becomes a list or a mapping. */
function setText(node: Scalar, text: string): void {
  node.source = text
  const {contents, errors} =
    node.type === 'PLAIN' ? parseDocument(text, {version: '1.1'}) : {contents: undefined, errors: []}
  const isPlain = errors.length === 0 && isScalar(contents) && contents.type === 'PLAIN' && contents.source === text
  node.value = isPlain ? contents.value : text
}
