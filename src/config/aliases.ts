import {visit, type Alias, type Node} from 'yaml'
import type {Yaml} from './source.ts'

/** A text of the largest size has fewer nodes: whoever reads more is led round by aliases. */
const MAX_NODES = 2 ** 20

/** The aliases of a document, and how much is read through them. */
export class Aliases {
  readonly #document: Yaml
  #targets: ReadonlyMap<Alias, Node | undefined> | undefined
  #nodesRead = 0

  constructor(document: Yaml) {
    this.#document = document
  }

  /** The node that an alias stands for: the last before it that has its anchor; undefined where there is none. */
  targetOf(alias: Alias): Node | undefined {
    this.#targets ??= targetsIn(this.#document)
    return this.#targets.get(alias)
  }

  /** Begins to count anew: something is read once more. */
  restart(): void {
    this.#nodesRead = 0
  }

  /** Counts nodes that are read; whether they are too many: aliases of aliases can stand for more than any memory holds. */
  areTooMany(nodes: number): boolean {
    this.#nodesRead += nodes
    return this.#nodesRead > MAX_NODES
  }
}

/** In one walk: the library's own `resolve` walks the whole document for each alias. */
function targetsIn(document: Yaml): ReadonlyMap<Alias, Node | undefined> {
  const targets = new Map<Alias, Node | undefined>()
  const anchored = new Map<string, Node>()
  visit(document, {
    Alias: (_, alias) => void targets.set(alias, anchored.get(alias.source)),
    Value: (_, node) => {
      if (node.anchor !== undefined) anchored.set(node.anchor, node)
    }
  })
  return targets
}
