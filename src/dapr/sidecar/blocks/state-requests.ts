/** A request to delete an item, as the caller wrote it: `concurrency` and `consistency` may be invalid. */
export interface StateDelete {
  readonly key: string
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
  readonly concurrency: string
  readonly consistency: string
}

export interface StateSet extends StateDelete {
  readonly value: Buffer
  /** Whether the caller sent the value as JSON. */
  readonly isJson: boolean
}

export interface StateChange {
  /** `upsert` or `delete`; other words are refused later. */
  readonly operation: string
  readonly request: StateSet
}
