import type {Place} from '../../model/errors.ts'
import {placeIn} from '../yaml/place.ts'
import type {FileVariables} from '../../model/expansion.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {FaultDetails, ResourceFault, TextFault} from './fault.ts'
import type {Dialect} from '../yaml/dialects.ts'
import {RESOURCE} from '../yaml/other-dialects.ts'
import {explainFault, type ExplainedFault} from '../yaml/explain.ts'
import {expandTree, type Pair, type YamlNode} from '../yaml/tree.ts'
import {readYaml, withGoLines} from '../yaml/read.ts'
import {isNull, resolveScalar, resolveTyped} from '../yaml/scalar.ts'
import {nodeJson, scalarText} from '../yaml/scalar-text.ts'

/** The text of a resource file and the name to show for it. */
export interface ResourceSource {
  readonly file: string
  readonly text: string
}

/** Common part of all fields of one file. */
interface Reading {
  readonly source: ResourceSource
  readonly faults: ResourceFault[]
  readonly dialect: Dialect
}

/** A `${…}` and its place. */
export interface PlacedReference {
  readonly written: string
  readonly isReplaced: boolean
  readonly place: Place
}

/** The YAML documents of a file, and its faults, to which readers of the fields add. */
export interface ResourceFile {
  /** The root of each document that is YAML, and not empty. */
  readonly documents: readonly Field[]
  readonly faults: ResourceFault[]
  /** The `${…}` of its values. */
  readonly references: readonly PlacedReference[]
}

/** Reads a file as daprd does: each document alone, so that a broken one hides no other. `variables` are the values for `${…}`. */
export function parseResourceFile(from: ResourceSource, variables?: FileVariables, dialect = RESOURCE): ResourceFile {
  const source = {...from, text: withGoLines(from.text.replace(/^\uFEFF/, ''))}
  const reading: Reading = {source, faults: [], dialect}
  const roots: Field[] = []
  const references: PlacedReference[] = []
  const hasVariables = source.text.includes('${')
  let broken = 0
  for (const {root, fault} of readYaml(source.text, dialect)) {
    if (fault !== undefined) {
      // counted apart from the warnings, so that each broken document has a fault
      if (broken++ < MAX_FAULTS) addFault(reading, explainFault(fault, source.text))
    } else if (!isNull(root)) {
      const field = new Field(reading, {node: root, start: root.spot.start, path: ''})
      if (hasVariables) references.push(...field.expand(variables))
      roots.push(field)
    }
  }
  return {documents: roots, faults: reading.faults, references}
}

/** Faults of a file after which the search for more ends. */
export const MAX_FAULTS = 100

const isFull = ({faults}: Reading): boolean => faults.length >= MAX_FAULTS

function addFault({source, faults}: Reading, {message, spot, expected = '', hint}: ExplainedFault): void {
  const place = placeIn(source, spot.start)
  const isKnown = faults.some(fault => fault.place.line === place.line && fault.place.column === place.column)
  if (!isKnown) faults.push({severity: 'error', message: `not valid YAML: ${message}`, place, expected, hint})
}

interface Position {
  /** Undefined when the key is absent. */
  readonly node: YamlNode | undefined
  /** Offset of the field: of an alias the place of the alias, not of the anchor; of an absent field the place that should contain it. */
  readonly start: number
  readonly keyStart?: number
  readonly path: string
}

const isExact = (number: number): boolean => Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER

/** A value in a resource document. An absent one reads as empty, at the place of its parent. */
export class Field {
  /** Path in the document: `spec.policies.retries.slow.duration`, `scopes[1]`. */
  readonly path: string
  readonly #reading: Reading
  readonly #node: YamlNode | undefined
  readonly #keyStart: number
  readonly #start: number
  /** Its pairs, after their first use. */
  #known: readonly (readonly [string, Field])[] | undefined

  constructor(reading: Reading, {node, start, keyStart = start, path}: Position) {
    this.#reading = reading
    const isExpanded = node?.kind === 'scalar' && node.isExpanded === true
    this.#node = node === undefined || (isNull(node) && !isExpanded) ? undefined : node
    this.#keyStart = keyStart
    this.#start = start
    this.path = path
  }

  get isAbsent(): boolean {
    return this.#node === undefined
  }

  get place(): Place {
    return this.#placeAt(this.#start)
  }

  /** Returns the value of a key, also in other capitals, as Go's JSON does; but not in a Configuration. */
  field(key: string): Field {
    const pairs = this.#pairs()
    const named = this.#named(key)
    const pair = pairs.findLast(([name]) => name === key) ?? pairs.findLast(([name]) => this.#named(name) === named)
    return pair === undefined ? this.#child(key) : pair[1]
  }

  /** The entries of a mapping whose keys are free; the last of equal ones. */
  entries(): ReadonlyMap<string, Field> {
    return new Map(this.#pairs())
  }

  items(): readonly Field[] {
    if (this.#node === undefined) return []
    if (this.#node.kind !== 'list') {
      this.#mistyped('a list')
      return []
    }
    return this.#node.items.map(
      ({node, value: {start}}, index) => new Field(this.#reading, {node, start, path: `${this.path}[${index}]`})
    )
  }

  texts(): readonly string[] {
    return this.items().map(item => item.text())
  }

  /** A text, '' when absent. Numbers are written as Go writes them, as sigs.k8s.io/yaml converts them for Go's string fields. */
  text(): string {
    if (this.#node === undefined) return ''
    if (this.#node.kind !== 'scalar') return this.#mistyped('a text') ?? ''
    return this.#reading.dialect === RESOURCE ? scalarText(this.#node, RESOURCE) : this.#node.text
  }

  /** Returns the common form of all spellings of a key. */
  #named(key: string): string {
    return this.#reading.dialect === RESOURCE ? key.toLowerCase() : key
  }

  /** Returns a value of any type as Dapr's `DynamicValue`: a text as it is, others as Go's JSON; '' if absent. */
  dynamic(): string {
    if (this.#node === undefined) return ''
    if (this.isText && this.#node.kind === 'scalar') return this.#node.text
    return nodeJson(this.#node) ?? this.error(`${this.path} is no number of JSON`) ?? ''
  }

  /** A whole number, or undefined when absent or of another type (which is noted). */
  integer(): number | undefined {
    if (this.isAbsent) return undefined
    const value = this.#typed
    if (typeof value === 'number' && Number.isInteger(value)) return value
    const quoted = typeof value === 'string' && /^-?\d+$/.test(value)
    return this.#mistyped('a whole number', quoted ? `write it without quotes: ${value}` : '')
  }

  /** `true` or `false`, or undefined when absent or of another type (which is noted). */
  boolean(): boolean | undefined {
    if (this.isAbsent) return undefined
    const value = this.#typed
    return typeof value === 'boolean' ? value : this.#mistyped('true or false')
  }

  /** Whether the value is a text, and not a number or a word such as `true` that `text` reads as one. */
  get isText(): boolean {
    return typeof this.#value === 'string'
  }

  get isMapping(): boolean {
    return this.#node?.kind === 'map'
  }

  /** The value of a scalar; null for an empty scalar in place of a variable. */
  get #value(): unknown {
    if (this.#node?.kind !== 'scalar') return undefined
    return resolveScalar(this.#node).value ?? this.#node.text
  }

  /** The value, if a number or a boolean is expected. */
  get #typed(): unknown {
    return this.#node?.kind === 'scalar' ? (resolveTyped(this.#node).value ?? this.#node.text) : undefined
  }

  /** Returns the value as JSON, as sigs.k8s.io/yaml converts it for the API server. Numbers beyond JSON become texts. */
  plain(): unknown {
    if (this.isMapping) return Object.fromEntries([...this.entries()].map(([name, field]) => [name, field.plain()]))
    if (this.#node?.kind === 'list') return this.items().map(item => item.plain())
    if (this.isAbsent) return null
    const value = this.#value
    return typeof value === 'boolean' || (typeof value === 'number' && isExact(value)) ? value : this.text()
  }

  /** Replaces `${…}` in its document, whose root it is. */
  expand(variables: FileVariables | undefined): readonly PlacedReference[] {
    if (this.#node === undefined) return []
    const {references, unset, faults} = expandTree(this.#node, this.#reading.source.text, variables)
    for (const {message, hint, spot} of faults)
      this.faultAt(spot.start, message, {hint, isFatal: true, isRefusal: true})
    for (const {message, hint, spot} of unset) this.#warnAt(spot.start, message, {hint})
    const isReplaced = variables !== undefined
    return references.map(({written, spot}) => ({written, isReplaced, place: this.#placeAt(spot.start)}))
  }

  /** Notes that the resource cannot be used. */
  error(message: string, details: FaultDetails = {}): undefined {
    this.faultAt(this.#start, message, details)
  }

  noteWithin(offset: number, {severity, message, hint = ''}: TextFault): void {
    const quote = this.#node?.kind === 'scalar' && this.#node.style === 'quoted' ? 1 : 0
    const at = this.#start + quote + offset
    if (severity === 'error') this.faultAt(at, message, {hint})
    else this.#warnAt(at, message, {hint})
  }

  /** Notes that a part of the resource has no effect. */
  warn(message: string, details: FaultDetails = {}): undefined {
    this.#warnAt(this.#start, message, details)
  }

  /** Warns of unknown keys, which have no effect. */
  warnUnknownKeys(known: readonly string[]): void {
    const names = new Set(known.map(key => this.#named(key)))
    for (const [name, field] of this.#pairs()) {
      if (names.has(this.#named(name)) || isFull(this.#reading)) continue
      const near = nearMiss(name, known)
      const hint = near === '' ? '' : `did you mean ${near}?`
      field.#warnAt(field.#keyStart, `unknown key ${field.path}: it has no effect`, {hint})
    }
  }

  faultAt(offset: number, message: string, {expected = '', hint = '', ...weight}: FaultDetails = {}): void {
    const place = this.#placeAt(offset)
    this.#reading.faults.push({severity: 'error', message, place, expected, hint, ...weight})
  }

  #warnAt(offset: number, message: string, {expected = '', hint = ''}: FaultDetails): void {
    if (isFull(this.#reading)) return
    this.#reading.faults.push({severity: 'warning', message, place: this.#placeAt(offset), expected, hint})
  }

  #child(key: string, pair?: Pair): Field {
    const path = this.path === '' ? key : `${this.path}.${key}`
    const start = pair?.value.start ?? this.#start
    return new Field(this.#reading, {node: pair?.node, start, keyStart: pair?.key.start ?? start, path})
  }

  /** The pairs in the order in which they apply. */
  #pairs(): readonly (readonly [string, Field])[] {
    if (this.#node === undefined) return []
    if (this.#node.kind === 'map')
      return (this.#known ??= this.#node.pairs.map(pair => [pair.name, this.#child(pair.name, pair)] as const))
    this.#mistyped('a mapping of keys to values')
    return []
  }

  #mistyped(expected: string, hint = ''): undefined {
    this.error(`${this.path === '' ? 'the document' : this.path} has a value of a wrong type`, {
      expected: `expected ${expected}`,
      hint
    })
  }

  #placeAt(offset: number): Place {
    return placeIn(this.#reading.source, offset)
  }
}

/** Metadata and scopes of every resource. */
export interface ResourceHead {
  readonly name: string
  readonly namespace: string
  /** Ids of the apps that it is for; empty: all. */
  readonly scopes: readonly string[]
}

export const headOf = (document: Field): ResourceHead => ({
  name: document.field('metadata').field('name').text(),
  namespace: document.field('metadata').field('namespace').text(),
  scopes: document.field('scopes').texts()
})
