import {visit, type Alias, type Node} from 'yaml'
import type {Yaml} from './source.ts'

/** The largest allowed text has fewer nodes; only aliases of aliases can produce more. */
const MAX_NODES = 2 ** 20

/** The aliases of the documents of a template, and a limit on how much is read through them. */
export class Aliases {
  readonly #documents: readonly Yaml[]
  #targets: ReadonlyMap<Alias, Node | undefined> | undefined
  #nodesRead = 0

  constructor(documents: readonly Yaml[]) {
    this.#documents = documents
  }

  /** The target of an alias: the last node before it with its anchor. Undefined if there is none. */
  targetOf(alias: Alias): Node | undefined {
    this.#targets ??= targetsIn(this.#documents)
    return this.#targets.get(alias)
  }

  /** Resets the count, for another pass. */
  restart(): void {
    this.#nodesRead = 0
  }

  /** Adds to the number of nodes read; true if the limit is exceeded. Nested aliases can expand beyond any memory. */
  areTooMany(nodes: number): boolean {
    this.#nodesRead += nodes
    return this.#nodesRead > MAX_NODES
  }
}

/** One walk for all aliases: the library's own `resolve` walks the whole document for each. */
function targetsIn(documents: readonly Yaml[]): ReadonlyMap<Alias, Node | undefined> {
  const targets = new Map<Alias, Node | undefined>()
  for (const document of documents) {
    const anchored = new Map<string, Node>()
    visit(document, {
      Alias: (_, alias) => void targets.set(alias, anchored.get(alias.source)),
      Value: (_, node) => {
        if (node.anchor !== undefined) anchored.set(node.anchor, node)
      }
    })
  }
  return targets
}
