import type {ImportedFile} from '../imported.ts'
import type {Values} from '../reading/yaml-file.ts'

/** An object of a manifest, and its file. */
export interface ManifestObject {
  readonly values: Values
  readonly file: ImportedFile
}
