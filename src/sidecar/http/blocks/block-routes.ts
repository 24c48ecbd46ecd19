/** A route to a building block. */
export interface BlockCall {
  /** The name of its handler in `handle-block.ts`. */
  readonly call:
    | 'get-secret'
    | 'get-secrets'
    | 'get-state'
    | 'save-state'
    | 'delete-state'
    | 'bulk-get-state'
    | 'transact-state'
    | 'query-state'
    | 'lock'
    | 'unlock'
    | 'get-configuration'
    | 'subscribe-configuration'
    | 'unsubscribe-configuration'
    | 'publish'
    | 'publish-bulk'
    | 'invoke-binding'
  /** Parameters in the path, unescaped. */
  readonly params: readonly string[]
}
