import {isAlias, isMap, isScalar, isSeq, type Alias, type Document, type Node, type Scalar, type YAMLMap} from 'yaml'
import type {Spot, YamlFault} from './place.ts'
import type {Dialect} from './dialects.ts'
import {MAX_DEPTH} from './parse.ts'
import {isMergeKey, tagFault} from './scalar.ts'
import type {ListItem, Pair, YamlNode, YamlScalar} from './tree.ts'

/** Maximum number of nodes after aliases are resolved. The largest allowed text has fewer, so only aliases can exceed it. */
const MAX_NODES = 2 ** 20

export const TOO_DEEP = 'it is nested too deeply'

/** Number of characters of a scalar that count as one more node: aliases multiply long texts, too. */
const NODE_CHARACTERS = 16

/** An error of the document; `readYaml` catches it. */
export class TreeError extends Error {
  readonly fault: YamlFault

  constructor(message: string, spot: Spot) {
    super(message)
    this.fault = {code: 'invalid-yaml', message, spot}
  }
}

/** Values of the anchors, each with its number of nodes. undefined: the value is still being read, so an alias in it would contain itself. */
export type Anchors = Map<string, {readonly node: YamlNode; readonly nodes: number} | undefined>

/**
 * Builds our tree from the tree of the package `yaml`: resolves aliases and merge keys, and limits the nodes that aliases multiply, so that
 * readers of the tree need no limit. Throws a `TreeError` for a document that Go refuses.
 */
export class TreeBuilder {
  readonly #length: number
  readonly #lastLine: string
  readonly #dialect: Dialect
  readonly #start: number
  readonly #anchors: Anchors
  #nodes = 0

  /** `start`: offset of the text in the file. */
  constructor(text: string, dialect: Dialect, {start, anchors}: {readonly start: number; readonly anchors: Anchors}) {
    this.#length = text.length
    this.#lastLine = text.slice(text.lastIndexOf('\n') + 1)
    this.#dialect = dialect
    this.#start = start
    this.#anchors = anchors
  }

  /** Returns the root; of an empty document a scalar without text. */
  build(document: Document.Parsed): YamlNode {
    return this.#item(document.contents, document.range[0], 0).node
  }

  #item(node: unknown, otherwise: number, depth: number): ListItem {
    const value = this.#spotOf(node, otherwise)
    return {node: isAlias(node) ? this.#targetOf(node, value) : this.#node(node, value, depth), value}
  }

  #node(node: unknown, spot: Spot, depth: number): YamlNode {
    if (depth > MAX_DEPTH) throw new TreeError(TOO_DEEP, spot)
    const before = this.#nodes
    this.#count(1, spot)
    const {anchor} = (node ?? {}) as Partial<Node & {anchor?: string}>
    if (anchor !== undefined) this.#checkAnchor(anchor, spot)
    const built = this.#built(node, spot, depth)
    if (built.kind === 'scalar') this.#count(built.text.length / NODE_CHARACTERS, spot)
    if (anchor !== undefined) this.#anchors.set(anchor, {node: built, nodes: this.#nodes - before})
    return built
  }

  #built(node: unknown, spot: Spot, depth: number): YamlNode {
    if (isMap(node)) return {kind: 'map', spot, pairs: this.#pairs(node, spot, depth + 1)}
    if (isSeq(node))
      return {kind: 'list', spot, items: node.items.map(item => this.#item(item, spot.start - this.#start, depth + 1))}
    return isScalar(node) ? this.#scalar(node, spot) : {kind: 'scalar', spot, text: '', style: 'plain', tag: ''}
  }

  #pairs(map: YAMLMap, spot: Spot, depth: number): readonly Pair[] {
    const own: Pair[] = []
    const inherited: Pair[] = []
    const seen = this.#dialect.hasUniqueKeys ? new Set<string>() : undefined
    for (const {key, value} of map.items) {
      const at = this.#spotOf(key, spot.start - this.#start)
      if (seen !== undefined && isScalar(key)) checkUnique(key, seen, at)
      const isMerge = isScalar(key) && key.source === '<<' && isMergeKey(this.#scalar(key, at))
      const written = isMerge ? undefined : this.#item(key, at.start - this.#start, depth).node
      const item = this.#item(value, at.start - this.#start, depth)
      if (written === undefined)
        (this.#dialect.merge === 'own' ? inherited : own).push(...mergedPairs(item, isAlias(value)))
      else {
        const {fault, name} = this.#dialect.keyName(written)
        if (fault !== undefined) throw new TreeError(fault, at)
        const pair = {name, key: at, node: item.node, value: item.value, merged: false}
        own.push(written.kind === 'scalar' ? pair : {...pair, complexKey: written})
      }
    }
    return inherited.length === 0 ? own : [...inherited, ...own]
  }

  #scalar(node: Scalar, spot: Spot): YamlScalar {
    const style = node.type === 'PLAIN' ? 'plain' : node.type?.startsWith('BLOCK') === true ? 'block' : 'quoted'
    const tag = node.tag?.replace('tag:yaml.org,2002:', '!!') ?? ''
    const written = node.source ?? ''
    const text = style === 'block' ? this.#block(written, node) : written
    if (tag === '!!binary') return {kind: 'scalar', spot, text: fromBase64(text, spot), style: 'quoted', tag}
    const scalar = {kind: 'scalar', spot, text, style, tag} as const
    const fault = tagFault(scalar, this.#dialect)
    if (fault !== '') throw new TreeError(fault, spot)
    return scalar
  }

  /** Returns the text of a block scalar. Removes the newline that the library adds if the file ends without one. */
  #block(text: string, {range}: Scalar): string {
    const isAtEnd = (range?.[1] ?? 0) >= this.#length && this.#lastLine !== '' && text.endsWith('\n')
    return isAtEnd && (this.#lastLine.trim() !== '' || /\n +\n$/.test(text)) ? text.slice(0, -1) : text
  }

  #checkAnchor(name: string, spot: Spot): void {
    if (!this.#dialect.anchorName.test(name)) throw new TreeError(`an anchor cannot be called '${name}'`, spot)
    this.#anchors.set(name, undefined)
  }

  #targetOf(alias: Alias, spot: Spot): YamlNode {
    const target = this.#anchors.get(alias.source)
    if (target !== undefined) {
      this.#count(target.nodes, spot)
      return target.node
    }
    const isOpen = this.#anchors.has(alias.source)
    throw new TreeError(
      isOpen ? `anchor '${alias.source}' value contains itself` : `unknown anchor '${alias.source}' referenced`,
      spot
    )
  }

  /** Adds to the number of nodes. Throws Go's error beyond the maximum (`decode.go` in yaml.v2, which limits the ratio of aliases). */
  #count(nodes: number, spot: Spot): void {
    this.#nodes += nodes
    if (this.#nodes > MAX_NODES) throw new TreeError('document contains excessive aliasing', spot)
  }

  #spotOf(node: unknown, otherwise: number): Spot {
    const {range} = (node ?? {}) as Partial<Node>
    const [start, end] = range ?? [otherwise, otherwise]
    return {start: start + this.#start, end: end + this.#start}
  }
}

function checkUnique({source = ''}: Scalar, seen: Set<string>, spot: Spot): void {
  if (seen.has(source)) throw new TreeError(`mapping key ${JSON.stringify(source)} already defined`, spot)
  seen.add(source)
}

/** Returns the pairs of merged maps. The first map wins, so its pairs come last. Go refuses an alias to a list of maps. */
function mergedPairs({node, value}: ListItem, isByAlias: boolean): readonly Pair[] {
  const maps = node.kind === 'list' && !isByAlias ? node.items.toReversed() : [{node, value}]
  return maps.flatMap(item => {
    if (item.node.kind === 'map') return item.node.pairs.map(pair => ({...pair, merged: true}))
    throw new TreeError('map merge requires map or sequence of maps as the value', value)
  })
}

/** Decodes base 64; line ends do not count. Throws Go's error for an invalid text. */
function fromBase64(text: string, spot: Spot): string {
  const digits = text.replaceAll(/[\r\n]/g, '')
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(digits))
    return Buffer.from(digits, 'base64').toString()
  throw new TreeError('!!binary value contains invalid base64 data', spot)
}
