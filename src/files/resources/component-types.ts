import type {Block} from '../../model/dapr/api/api.ts'

/** The categories of components with calls that Pillion serves. */
const BLOCKS: Readonly<Record<Block, true>> = {
  secretstores: true,
  state: true,
  configuration: true,
  lock: true,
  crypto: true,
  conversation: true,
  pubsub: true,
  bindings: true
}

/** The two parts of a type: `state` and `redis` of `state.redis`. */
export const splitType = (type: string): readonly [category: string, kind: string] => {
  const point = type.indexOf('.')
  return point < 0 ? [type, ''] : [type.slice(0, point), type.slice(point + 1)]
}

/** Whether Pillion serves calls of a category. */
export const isBlock = (category: string): category is Block => Object.hasOwn(BLOCKS, category)

/** Facts about a built type for the reader of its files; the table is next to the code: `dapr/components/block-types.ts`. */
export interface TypeFacts {
  /** The names of its properties, for hints in mistakes; they are found in any capitals. */
  readonly properties: readonly string[]
  /** Its capabilities in Dapr's words, unless its properties change them. */
  readonly capabilities: readonly string[]
}

/** Returns the facts of a type, if it is built. */
export type FactsOfType = (type: string) => TypeFacts | undefined
