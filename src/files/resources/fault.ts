import type {Place, PlacedMistake} from '../../model/errors.ts'
import type {Dialect} from '../yaml/dialects.ts'
import type {ExplainedFault} from '../yaml/explain.ts'
import {placeIn} from '../yaml/place.ts'

export interface ResourceFault extends PlacedMistake {
  /** `error`: the resource is not used. `warning`: it is used, but a part has no effect or a different one. */
  readonly severity: 'error' | 'warning'
  /** Whether the app must not start. */
  readonly isFatal?: boolean
  /** Whether no app may start: a variable is missing, or misspelt. */
  readonly isRefusal?: boolean
}

/** Details of a fault besides its message. */
export type FaultDetails = Partial<Pick<ResourceFault, 'expected' | 'hint' | 'isFatal' | 'isRefusal'>>

/** A fault inside the text of a field. */
export type TextFault = Pick<ResourceFault, 'severity' | 'message'> & Pick<FaultDetails, 'hint'>

/** Writes a fault as one line: place, message, expected value, text to write. */
export function faultText({place: {file, line, column}, message, expected, hint}: PlacedMistake): string {
  const remedy = [expected, hint].filter(text => text !== '').join('; ')
  return `${file}:${line}:${column}: ${message}${remedy === '' ? '' : ` (${remedy})`}`
}

/** Maximum number of faults of a file: the search for more ends there. */
export const MAX_FAULTS = 100

/** The text of a resource file and the name to show for it. */
export interface ResourceSource {
  readonly file: string
  readonly text: string
}

/** A file under reading, and the faults found in it so far. All its fields share it. */
export class FaultyFile {
  readonly source: ResourceSource
  readonly dialect: Dialect
  readonly faults: ResourceFault[] = []

  constructor(source: ResourceSource, dialect: Dialect) {
    this.source = source
    this.dialect = dialect
  }

  get isFull(): boolean {
    return this.faults.length >= MAX_FAULTS
  }

  placeAt(offset: number): Place {
    return placeIn(this.source, offset)
  }

  /** Adds a fault for which the resource cannot be used. */
  error(offset: number, message: string, {expected = '', hint = '', ...weight}: FaultDetails = {}): void {
    this.faults.push({severity: 'error', message, place: this.placeAt(offset), expected, hint, ...weight})
  }

  /** Adds a fault for which a part of the resource has no effect. */
  warn(offset: number, message: string, {expected = '', hint = ''}: FaultDetails = {}): void {
    if (this.isFull) return
    this.faults.push({severity: 'warning', message, place: this.placeAt(offset), expected, hint})
  }

  /** Adds a fault of YAML, once for each place. */
  yamlError({message, spot, expected = '', hint}: ExplainedFault): void {
    const {line, column} = this.placeAt(spot.start)
    if (this.faults.some(({place}) => place.line === line && place.column === column)) return
    this.error(spot.start, `not valid YAML: ${message}`, {expected, hint})
  }
}
