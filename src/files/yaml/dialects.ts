import {isNull} from './scalar.ts'
import type {YamlNode} from './tree.ts'

export interface TextPart {
  readonly text: string
  readonly start: number
}

/** The YAML rules of one of Go's libraries: yaml.v2, yaml.v3 or yaml/v4, which share libyaml's scanner. */
export interface Dialect {
  /** `first`: only the first document is read. A function splits the text into parts with one document each. */
  readonly documents: 'first' | ((text: string) => readonly TextPart[]) | 'all'
  /** `in place`: a merge key has its position among the keys, and later keys win. `own`: the map's own keys win. */
  readonly merge: 'in place' | 'own'
  /** Returns the name for a key, or why Go refuses it. */
  readonly keyName: (key: YamlNode) => {readonly name: string; readonly fault?: string}
  /** Whether a repeated key is an error. */
  readonly hasUniqueKeys: boolean
  readonly anchorName: RegExp
  /** Whether `y`, `yes`, `on` and their opposites are booleans. */
  readonly hasYesAndNo: boolean
  /** Precision of a number as text, in bits: 32 prints fewer digits than 64. */
  readonly floatBits: 32 | 64
}

/** Templates: yaml.v2 into the structs of Dapr's CLI (pkg/runfileconfig). */
export const TEMPLATE: Dialect = {
  documents: 'first',
  merge: 'in place',
  keyName: key => ({name: key.kind !== 'scalar' || isNull(key) ? '' : key.text}),
  hasUniqueKeys: false,
  anchorName: /^[\w-]+$/,
  hasYesAndNo: true,
  floatBits: 32
}
