import {CONCURRENCY, CONSISTENCY, EtagError, type DeleteRequest, type SetRequest} from '../../components/state-store.ts'

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

/** The error for a request with an option that no store accepts. */
class RequestFault extends Error {}

const isOf = <T extends string>(words: readonly T[], word: string): word is T =>
  (words as readonly string[]).includes(word)

/** Converts a request to the form for stores. Throws for unknown options (components-contrib: state.CheckRequestOptions). */
export function asDelete({etag, metadata, concurrency, consistency}: StateDelete, key: string): DeleteRequest {
  if (!isOf(CONCURRENCY, concurrency)) throw new RequestFault(`unrecognized concurrency model '${concurrency}'`)
  if (!isOf(CONSISTENCY, consistency)) throw new RequestFault(`unrecognized consistency model '${consistency}'`)
  return {key, etag, metadata, options: {concurrency, consistency}}
}

/** Converts a request to save an item to the form for stores. */
export const asSet = (change: StateSet, key: string): SetRequest => ({
  ...asDelete(change, key),
  value: change.value,
  isJson: change.isJson
})

/** Whether the write itself was refused, so that a retry cannot help. */
export const isRefusal = (error: unknown): boolean => error instanceof EtagError || error instanceof RequestFault
