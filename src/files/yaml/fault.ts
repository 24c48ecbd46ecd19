import type {Document, YAMLParseError} from 'yaml'
import type {Spot} from './place.ts'

/** Why a document cannot be read. */
export interface YamlFault {
  readonly code: 'invalid-yaml' | 'invalid-utf8' | 'control-character'
  /** Go's words where Go has its own. */
  readonly message: string
  readonly spot: Spot
  /** A fault that the library has found; `explainSyntax` says more about it. */
  readonly syntax?: {
    readonly document: Document
    readonly error: YAMLParseError
    readonly text: string
    readonly start: number
  }
}
