/** A request as a caller makes it, with the words that it wrote. */
export interface StateDelete {
  readonly key: string
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
  readonly concurrency: string
  readonly consistency: string
}

export interface StateSet extends StateDelete {
  readonly value: Buffer
  /** The value came as JSON. */
  readonly isJson: boolean
}

export interface StateChange {
  /** `upsert` or `delete`. */
  readonly operation: string
  readonly request: StateSet
}
