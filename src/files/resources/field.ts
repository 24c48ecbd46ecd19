import type {Place} from '../../model/errors.ts'
import type {FileVariables} from '../../model/expansion.ts'
import {nearMiss} from '../../model/near-miss.ts'
import {RESOURCE} from '../yaml/other-dialects.ts'
import {isNull, resolveScalar, resolveTyped} from '../yaml/scalar.ts'
import {nodeJson, scalarText} from '../yaml/scalar-text.ts'
import {expandTree, type Pair, type YamlNode} from '../yaml/tree.ts'
import type {FaultDetails, FaultyFile, TextFault} from './fault.ts'

/** A `${…}` and its place. */
export interface PlacedReference {
  readonly written: string
  readonly isReplaced: boolean
  readonly place: Place
}

interface Position {
  /** Undefined when the key is absent. */
  readonly node: YamlNode | undefined
  /** Offset of the field: of an alias the place of the alias, not of the anchor; of an absent field the place that should contain it. */
  readonly start: number
  readonly keyStart?: number
  readonly path: string
}

/**
 * A value in a resource document. An absent field reads as empty, at the place of its parent. A value of a wrong type reads as absent, and is
 * a fault of the file.
 */
export class Field {
  /** Path in the document: `spec.policies.retries.slow.duration`, `scopes[1]`. */
  readonly path: string
  readonly #file: FaultyFile
  readonly #node: YamlNode | undefined
  readonly #keyStart: number
  readonly #start: number
  /** Pairs of a mapping, after their first use. */
  #known: readonly (readonly [string, Field])[] | undefined

  constructor(file: FaultyFile, {node, start, keyStart = start, path}: Position) {
    this.#file = file
    const isExpanded = node?.kind === 'scalar' && node.isExpanded === true
    this.#node = node === undefined || (isNull(node) && !isExpanded) ? undefined : node
    this.#keyStart = keyStart
    this.#start = start
    this.path = path
  }

  get isAbsent(): boolean {
    return this.#node === undefined
  }

  get isMapping(): boolean {
    return this.#node?.kind === 'map'
  }

  /** Whether the value is a text, and not a number or a word such as `true` that `text` reads as one. */
  get isText(): boolean {
    return typeof this.#value === 'string'
  }

  get place(): Place {
    return this.#file.placeAt(this.#start)
  }

  /** Returns the value of a key, also in other capitals, as Go's JSON does; but not in a Configuration. */
  field(key: string): Field {
    const pairs = this.#pairs()
    const named = this.#named(key)
    const pair = pairs.findLast(([name]) => name === key) ?? pairs.findLast(([name]) => this.#named(name) === named)
    return pair === undefined ? this.#child(key) : pair[1]
  }

  /** Returns the entries of a mapping whose keys are free. The last of equal keys counts. */
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
      ({node, value: {start}}, index) => new Field(this.#file, {node, start, path: `${this.path}[${index}]`})
    )
  }

  texts(): readonly string[] {
    return this.items().map(item => item.text())
  }

  /** Returns a text; empty if absent. Writes numbers as sigs.k8s.io/yaml converts them for Go's string fields. */
  text(): string {
    if (this.#node === undefined) return ''
    if (this.#node.kind !== 'scalar') return this.#mistyped('a text') ?? ''
    return this.#file.dialect === RESOURCE ? scalarText(this.#node, RESOURCE) : this.#node.text
  }

  /** Returns a value of any type as Dapr's `DynamicValue`: a text as it is, others as Go's JSON; empty if absent. */
  dynamic(): string {
    if (this.#node === undefined) return ''
    if (this.isText && this.#node.kind === 'scalar') return this.#node.text
    return nodeJson(this.#node) ?? this.error(`${this.path} is no number of JSON`) ?? ''
  }

  /** Returns a whole number. Undefined if absent or mistyped. */
  integer(): number | undefined {
    if (this.isAbsent) return undefined
    const value = this.#typed
    if (typeof value === 'number' && Number.isInteger(value)) return value
    const quoted = typeof value === 'string' && /^-?\d+$/.test(value)
    return this.#mistyped('a whole number', quoted ? `write it without quotes: ${value}` : '')
  }

  /** Returns `true` or `false`. Undefined if absent or mistyped. */
  boolean(): boolean | undefined {
    if (this.isAbsent) return undefined
    const value = this.#typed
    return typeof value === 'boolean' ? value : this.#mistyped('true or false')
  }

  /** Returns the value as JSON, as sigs.k8s.io/yaml converts it for the API server. Numbers beyond JSON become texts. */
  plain(): unknown {
    if (this.isMapping) return Object.fromEntries([...this.entries()].map(([name, field]) => [name, field.plain()]))
    if (this.#node?.kind === 'list') return this.items().map(item => item.plain())
    if (this.isAbsent) return null
    const value = this.#value
    return typeof value === 'boolean' || (typeof value === 'number' && isExact(value)) ? value : this.text()
  }

  /** Replaces each `${…}` of a document, of which this field is the root. */
  expand(variables: FileVariables | undefined): readonly PlacedReference[] {
    if (this.#node === undefined) return []
    const {references, unset, faults} = expandTree(this.#node, this.#file.source.text, variables)
    for (const {message, hint, spot} of faults)
      this.faultAt(spot.start, message, {hint, isFatal: true, isRefusal: true})
    for (const {message, hint, spot} of unset) this.#file.warn(spot.start, message, {hint})
    const isReplaced = variables !== undefined
    return references.map(({written, spot}) => ({written, isReplaced, place: this.#file.placeAt(spot.start)}))
  }

  /** Notes that the resource cannot be used. */
  error(message: string, details: FaultDetails = {}): undefined {
    this.faultAt(this.#start, message, details)
  }

  /** Notes that a part of the resource has no effect. */
  warn(message: string, details: FaultDetails = {}): undefined {
    this.#file.warn(this.#start, message, details)
  }

  /** Notes a fault at an offset of the document. */
  faultAt(offset: number, message: string, details: FaultDetails = {}): void {
    this.#file.error(offset, message, details)
  }

  /** Notes a fault at an offset of the text of this field. */
  noteWithin(offset: number, {severity, message, hint = ''}: TextFault): void {
    const quote = this.#node?.kind === 'scalar' && this.#node.style === 'quoted' ? 1 : 0
    const at = this.#start + quote + offset
    if (severity === 'error') this.#file.error(at, message, {hint})
    else this.#file.warn(at, message, {hint})
  }

  /** Warns of unknown keys, which have no effect. */
  warnUnknownKeys(known: readonly string[]): void {
    const names = new Set(known.map(key => this.#named(key)))
    for (const [name, field] of this.#pairs()) {
      if (names.has(this.#named(name)) || this.#file.isFull) continue
      const near = nearMiss(name, known)
      const hint = near === '' ? '' : `did you mean ${near}?`
      this.#file.warn(field.#keyStart, `unknown key ${field.path}: it has no effect`, {hint})
    }
  }

  /** Returns the common form of all spellings of a key. */
  #named(key: string): string {
    return this.#file.dialect === RESOURCE ? key.toLowerCase() : key
  }

  /** The value of a scalar. For a null in place of a variable: its text, such as ''. */
  get #value(): unknown {
    if (this.#node?.kind !== 'scalar') return undefined
    return resolveScalar(this.#node).value ?? this.#node.text
  }

  /** The value of a scalar, read as a number or a boolean if possible. */
  get #typed(): unknown {
    return this.#node?.kind === 'scalar' ? (resolveTyped(this.#node).value ?? this.#node.text) : undefined
  }

  #child(key: string, pair?: Pair): Field {
    const path = this.path === '' ? key : `${this.path}.${key}`
    const start = pair?.value.start ?? this.#start
    return new Field(this.#file, {node: pair?.node, start, keyStart: pair?.key.start ?? start, path})
  }

  /** Returns the pairs of a mapping in the order in which they apply. */
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
}

const isExact = (number: number): boolean => Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER
