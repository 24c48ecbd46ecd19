/** A route to a building block. */
export interface BlockCall {
  /** The name of its handler in `handle-block.ts`. */
  readonly call: 'get-secret' | 'get-secrets'
  /** Of the path, unescaped. */
  readonly params: readonly string[]
}
