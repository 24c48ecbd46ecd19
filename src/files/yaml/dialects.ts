import {isNull} from './scalar.ts'
import type {YamlNode} from './tree.ts'

/** A part of a text, and where it begins. */
export interface TextPart {
  readonly text: string
  readonly start: number
}

/** How a library of Go reads YAML, where these libraries differ. All three have libyaml's scanner. */
export interface Dialect {
  /** `first`: what follows the first document is not read. A function cuts the text, and each part has one document. */
  readonly documents: 'first' | ((text: string) => readonly TextPart[]) | 'all'
  /** `in place`: a merge key counts where it is written, and later keys win. `own`: the keys of the map itself win. */
  readonly merge: 'in place' | 'own'
  /** The name that a key becomes, or why Go takes no such key. */
  readonly keyName: (key: YamlNode) => {readonly name: string; readonly fault?: string}
  /** A key that comes twice in a map is an error. */
  readonly hasUniqueKeys: boolean
  /** Valid name of an anchor. */
  readonly anchorName: RegExp
  /** `y`, `yes`, `on` and their opposites are booleans. */
  readonly hasYesAndNo: boolean
  /** Size of the float, in bits, whose digits a float has as a text. */
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
