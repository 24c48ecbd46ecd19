import {isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type YAMLMap} from 'yaml'
import type {Place} from '../../model/errors.ts'
import {mergeConflictIn, RESOLVE_CONFLICT} from '../../model/merge-conflict.ts'
import type {FileVariables} from '../../model/expansion.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {FaultDetails, ResourceFault} from './fault.ts'
import {expandDocument} from './variables.ts'

/** The text of a resource file and the name to show for it. */
export interface ResourceSource {
  readonly file: string
  readonly text: string
}

/** A fault inside the text of a field. */
export interface TextFault {
  readonly severity: ResourceFault['severity']
  readonly message: string
  readonly hint?: string
}

/** What all fields of one file share. */
interface Reading {
  readonly source: ResourceSource
  readonly lines: LineCounter
  readonly faults: ResourceFault[]
  /** Keys that merge keys have brought in so far. */
  merged: number
  /** Values that `plain` has read so far. */
  read: number
}

/** Merge keys nested deeper than this contain themselves. */
const MAX_MERGE_DEPTH = 50

/** A file whose merge keys bring in more keys than this is made to fill memory. */
const MAX_MERGED = 10_000

/** Values nested deeper than this contain themselves. */
const MAX_DEPTH = 100

/** The API server would not accept a resource with more values. */
const MAX_READ = 200_000

/** A `${…}` and its place. */
export interface PlacedReference {
  readonly written: string
  /** Pillion has replaced it. */
  readonly isReplaced: boolean
  readonly place: Place
}

/** The YAML documents of a file, and the faults found in it; readers of the fields add theirs. */
export interface ResourceFile {
  /** The root of each document, up to the first one that is not YAML. */
  readonly documents: readonly Field[]
  readonly faults: ResourceFault[]
  /** Where its values have `${…}`. */
  readonly references: readonly PlacedReference[]
}

/** Reads a file as sigs.k8s.io/yaml does: words and numbers of YAML 1.1, merge keys, the last of equal keys counts. `variables`: what `${…}` stands for. */
export function parseResourceFile({file, text}: ResourceSource, variables?: FileVariables): ResourceFile {
  const lines = new LineCounter()
  const source = {file, text: text.replace(/^\uFEFF/, '')}
  const options = {version: '1.1', merge: true, uniqueKeys: false, prettyErrors: false, lineCounter: lines} as const
  const reading: Reading = {source, lines, faults: [], merged: 0, read: 0}
  const documents = parseAllDocuments(source.text, options)
  const roots: Field[] = []
  const references: PlacedReference[] = []
  for (const document of documents) {
    const root = new Field(reading, document, {node: document.contents, start: document.range[0], path: ''})
    const [error] = document.errors
    if (error !== undefined) {
      const conflict = mergeConflictIn(source.text)
      if (conflict === undefined) root.faultAt(error.pos[0], `not valid YAML: ${error.message}`)
      else root.faultAt(conflict, 'not valid YAML: this is a Git merge conflict', {hint: RESOLVE_CONFLICT})
      break
    }
    if (source.text.includes('${')) references.push(...root.expand(variables))
    roots.push(root)
  }
  return {documents: roots, faults: reading.faults, references}
}

interface Position {
  /** Null when the key is absent. */
  readonly node: unknown
  /** Start of its key, or of what should contain it if it is absent. */
  readonly start: number
  readonly path: string
}

const isExact = (number: number): boolean => Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER

/** A value in a resource document. An absent one reads as empty and has the place of what should contain it. */
export class Field {
  /** Where it is in the document: `spec.policies.retries.slow.duration`, `scopes[1]`. */
  readonly path: string
  readonly #reading: Reading
  readonly #document: Document
  readonly #node: unknown
  readonly #keyStart: number
  readonly #start: number
  /** Its pairs, once they were asked for. */
  #known: readonly (readonly [string, Field])[] | undefined

  constructor(reading: Reading, document: Document, {node, start, path}: Position) {
    this.#reading = reading
    this.#document = document
    const target = isAlias(node) ? node.resolve(document) : node
    this.#node = isScalar(target) && target.value === null ? null : (target ?? null)
    // an alias is shown where it is used, not where its anchor is
    const {range} = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node : {range: undefined}
    this.#keyStart = start
    this.#start = range?.[0] ?? start
    this.path = path
  }

  get isAbsent(): boolean {
    return this.#node === null
  }

  get place(): Place {
    return this.#placeAt(this.#start)
  }

  /** The value of a key, found as Go's JSON finds struct fields: in any capitals when it is not there as written. */
  field(key: string): Field {
    const pairs = this.#pairs()
    const lower = key.toLowerCase()
    const pair = pairs.findLast(([name]) => name === key) ?? pairs.findLast(([name]) => name.toLowerCase() === lower)
    return pair === undefined ? this.#child(key, null) : pair[1]
  }

  /** The entries of a mapping whose keys are free; the last of equal ones. */
  entries(): ReadonlyMap<string, Field> {
    return new Map(this.#pairs())
  }

  /** The items of a list. */
  items(): readonly Field[] {
    if (this.isAbsent) return []
    if (!isSeq(this.#node)) {
      this.#mistyped('a list')
      return []
    }
    return this.#node.items.map((item, index) => this.#item(index, item))
  }

  /** A text, '' when absent. Numbers are texts by their source, as sigs.k8s.io/yaml converts them for Go's string fields. */
  text(): string {
    if (this.isAbsent) return ''
    if (!isScalar(this.#node)) return this.#mistyped('a text') ?? ''
    const {value, source} = this.#node
    return typeof value === 'string' || typeof value === 'boolean' ? String(value) : (source ?? String(value))
  }

  /** A whole number, or undefined when absent or of another type (which is noted). */
  integer(): number | undefined {
    if (this.isAbsent) return undefined
    const value = isScalar(this.#node) ? this.#node.value : undefined
    if (typeof value === 'number' && Number.isInteger(value)) return value
    if (typeof value === 'bigint') return Number(value)
    const quoted = typeof value === 'string' && /^-?\d+$/.test(value)
    return this.#mistyped('a whole number', quoted ? `write it without quotes: ${value}` : '')
  }

  /** `true` or `false`, or undefined when absent or of another type (which is noted). */
  boolean(): boolean | undefined {
    if (this.isAbsent) return undefined
    const value = isScalar(this.#node) ? this.#node.value : undefined
    return typeof value === 'boolean' ? value : this.#mistyped('true or false')
  }

  /** It is a text, and no number or word such as `true` that `text` reads as one. */
  get isText(): boolean {
    return isScalar(this.#node) && typeof this.#node.value === 'string'
  }

  get isMapping(): boolean {
    return isMap(this.#node)
  }

  /**
   * Everything in it as JSON, as sigs.k8s.io/yaml makes it for the API server. Numbers that JSON cannot hold are texts. What
   * contains itself, or grows by aliases without end, is a fault.
   */
  plain(depth = 0): unknown {
    if (depth > MAX_DEPTH || this.#reading.read++ > MAX_READ) {
      if (this.#reading.read < Infinity) this.error('a value contains itself, or far too many others')
      this.#reading.read = Infinity
      return null
    }
    if (isMap(this.#node))
      return Object.fromEntries([...this.entries()].map(([name, field]) => [name, field.plain(depth + 1)]))
    if (isSeq(this.#node)) return this.items().map(item => item.plain(depth + 1))
    if (this.isAbsent) return null
    const value = isScalar(this.#node) ? this.#node.value : undefined
    return typeof value === 'boolean' || (typeof value === 'number' && isExact(value)) ? value : this.text()
  }

  /** Replaces `${…}` in its document, whose root it is. */
  expand(variables: FileVariables | undefined): readonly PlacedReference[] {
    const {references, unset, faults} = expandDocument(this.#document, this.#reading.source.text, variables)
    for (const {message, hint, spot} of faults)
      this.faultAt(spot.start, message, {hint, isFatal: true, isRefusal: true})
    for (const {message, hint, spot} of unset) this.#warnAt(spot.start, message, {hint})
    const isReplaced = variables !== undefined
    return references.map(({written, offset}) => ({written, isReplaced, place: this.#placeAt(offset)}))
  }

  /** Notes that the resource cannot be used. */
  error(message: string, details: FaultDetails = {}): undefined {
    this.faultAt(this.#start, message, details)
  }

  /** Notes a fault at an offset within a text. */
  noteWithin(offset: number, {severity, message, hint = ''}: TextFault): void {
    const quote = isScalar(this.#node) && this.#node.type?.startsWith('QUOTE_') === true ? 1 : 0
    const at = this.#start + quote + offset
    if (severity === 'error') this.faultAt(at, message, {hint})
    else this.#warnAt(at, message, {hint})
  }

  /** Notes that a part of the resource has no effect. */
  warn(message: string, details: FaultDetails = {}): undefined {
    this.#warnAt(this.#start, message, details)
  }

  /** Warns of each key that is not known: nothing reads it. */
  warnUnknownKeys(known: readonly string[]): void {
    const lower = new Set(known.map(key => key.toLowerCase()))
    for (const [name, field] of this.#pairs()) {
      if (lower.has(name.toLowerCase())) continue
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
    this.#reading.faults.push({severity: 'warning', message, place: this.#placeAt(offset), expected, hint})
  }

  #child(key: string, node: unknown, start = this.#start): Field {
    const path = this.path === '' ? key : `${this.path}.${key}`
    return new Field(this.#reading, this.#document, {node, start, path})
  }

  #item(index: number, node: unknown): Field {
    const path = `${this.path}[${index}]`
    return new Field(this.#reading, this.#document, {node, start: this.#start, path})
  }

  #pairs(): readonly (readonly [string, Field])[] {
    if (this.isAbsent) return []
    if (isMap(this.#node)) return (this.#known ??= this.#pairsOf(this.#node, 0))
    this.#mistyped('a mapping of keys to values')
    return []
  }

  /** In the order in which they count: merged keys come before the mapping's own keys. */
  #pairsOf(map: YAMLMap, depth: number): readonly (readonly [string, Field])[] {
    if (depth > MAX_MERGE_DEPTH || this.#reading.merged > MAX_MERGED) return []
    if (depth > 0) this.#reading.merged += map.items.length
    const written: (readonly [string, Field])[] = []
    let merged: readonly (readonly [string, Field])[] = []
    for (const {key, value} of map.items) {
      if (isScalar(key) && key.source === '<<' && key.type === 'PLAIN')
        merged = merged.concat(this.#merged(value, depth + 1))
      else if (isScalar(key)) {
        const name = key.source ?? String(key.value)
        written.push([name, this.#child(name, value, key.range?.[0])])
      }
    }
    return [...merged, ...written]
  }

  /** The fields of merged mappings; the first mapping wins, so it comes last. */
  #merged(value: unknown, depth: number): readonly (readonly [string, Field])[] {
    const resolved = isAlias(value) ? value.resolve(this.#document) : value
    const maps = isSeq(resolved) ? resolved.items.toReversed() : [resolved]
    return maps.flatMap(item => {
      const map = isAlias(item) ? item.resolve(this.#document) : item
      return isMap(map) ? this.#pairsOf(map, depth) : []
    })
  }

  #mistyped(expected: string, hint = ''): undefined {
    this.error(`${this.path === '' ? 'the document' : this.path} has a value of a wrong type`, {
      expected: `expected ${expected}`,
      hint
    })
  }

  #placeAt(offset: number): Place {
    const {source, lines} = this.#reading
    const {line, col} = lines.linePos(offset)
    const start = offset - col + 1
    const end = source.text.indexOf('\n', start)
    const written = source.text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '')
    return {file: source.file, line, column: col, source: written}
  }
}
