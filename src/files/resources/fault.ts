import type {PlacedMistake} from '../../model/errors.ts'

export interface ResourceFault extends PlacedMistake {
  /** `error`: the resource is not used. `warning`: it is used, but a part has no effect or a different one. */
  readonly severity: 'error' | 'warning'
  /** The app is not started. */
  readonly isFatal?: boolean
  /** No app is started: a variable is missing, or misspelt. */
  readonly isRefusal?: boolean
}

/** A fault inside the text of a field. */
export interface TextFault {
  readonly severity: ResourceFault['severity']
  readonly message: string
  readonly hint?: string
}

/** Details of a fault besides its message. */
export interface FaultDetails {
  readonly expected?: string
  readonly hint?: string
  /** The app is not started. */
  readonly isFatal?: boolean
  /** No app is started. */
  readonly isRefusal?: boolean
}

/** Writes a fault as one line: place, message, expected value, text to write. */
export function faultText({place: {file, line, column}, message, expected, hint}: PlacedMistake): string {
  const remedy = [expected, hint].filter(text => text !== '').join('; ')
  return `${file}:${line}:${column}: ${message}${remedy === '' ? '' : ` (${remedy})`}`
}
