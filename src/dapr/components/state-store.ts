import type {Component} from './component.ts'
import {textNamed} from './component-values.ts'
import type {Properties} from './properties.ts'

export interface StateItem {
  readonly data: Buffer
  /** ETag of the item; '': the store has none for it. */
  readonly etag: string
  /** `ttlExpireTime`, where the store knows it. */
  readonly metadata: Readonly<Record<string, string>>
}

/** Dapr's names of options, in the order of their numbers (common.proto: StateOptions). */
export const CONCURRENCY = ['', 'first-write', 'last-write'] as const
export const CONSISTENCY = ['', 'eventual', 'strong'] as const

/** Options of a request; '': the store chooses. */
export interface StateOptions {
  readonly concurrency: (typeof CONCURRENCY)[number]
  readonly consistency: (typeof CONSISTENCY)[number]
}

export interface DeleteRequest {
  /** The stored key, with its prefix. */
  readonly key: string
  /** Expected ETag; '': any. */
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
  readonly options: StateOptions
}

export interface SetRequest extends DeleteRequest {
  readonly value: Buffer
  /** Whether the caller declares the value as JSON: a store may then store it as JSON. Other values are stored byte by byte. */
  readonly isJson: boolean
}

/** A step of a transaction. */
export type StateOperation =
  | {readonly kind: 'upsert'; readonly request: SetRequest}
  | {readonly kind: 'delete'; readonly request: DeleteRequest}

export interface GetOptions {
  readonly consistency: string
  readonly metadata: Readonly<Record<string, string>>
}

export interface StateStore extends Component {
  /** Explains why queries fail, for a type that has queries in Dapr; undefined: Dapr has none either. */
  readonly queryFault?: string | undefined
  /** Returns the item of a key unless it has expired. */
  get(key: string, options: GetOptions): Promise<StateItem | undefined>
  /** Rejects with an EtagError if the item was changed meanwhile. */
  set(request: SetRequest): Promise<void>
  delete(request: DeleteRequest): Promise<void>
  /** Returns up to `limit` keys with a prefix, in no order. Omitted if the store cannot list keys. */
  readonly keys?: ((prefix: string, limit: number) => Promise<readonly string[]>) | undefined
  /** Executes all operations or none, as far as the store can. */
  transact(operations: readonly StateOperation[]): Promise<void>
}

/** Sets and deletes by its transactions. */
export abstract class TransactedState {
  abstract transact(operations: readonly StateOperation[]): Promise<void>

  readonly set = async (request: SetRequest): Promise<void> => this.transact([{kind: 'upsert', request}])
  readonly delete = async (request: DeleteRequest): Promise<void> => this.transact([{kind: 'delete', request}])
}

/** Throws an EtagError if an operation must not change the item with the etag `found` (undefined: no item). */
export function checkEtag({kind, request: {key, etag, options}}: StateOperation, found: string | undefined): void {
  if (etag !== '' && found !== etag) throw new EtagError('mismatch', `${key} has another etag, or is not there`)
  if (kind === 'upsert' && etag === '' && options.concurrency === 'first-write' && found !== undefined)
    throw new EtagError('mismatch', `${key} is there already`)
}

/** The error of a request whose ETag is invalid, or not that of the item any more (components-contrib: state/errors.go). */
export class EtagError extends Error {
  readonly kind: 'mismatch' | 'invalid'

  constructor(kind: EtagError['kind'], why: string) {
    const prefix = kind === 'mismatch' ? 'possible etag mismatch. error from state store' : 'invalid etag value'
    super(why === '' ? prefix : `${prefix}: ${why}`)
    this.name = 'EtagError'
    this.kind = kind
  }
}

/** The error of a transaction of which the store has refused some operations, and executed the others. `refused`: their indexes. */
export class PartlyRefused extends Error {
  readonly refused: ReadonlySet<number>

  constructor(message: string, refused: ReadonlySet<number>) {
    super(message)
    this.refused = refused
  }
}

/** Returns the interval between two removals of expired items, an hour by default; 0 or less: never. */
export function cleanupMsOf(properties: Properties): number {
  const name = properties.has('cleanupInterval') ? 'cleanupInterval' : 'cleanupIntervalInSeconds'
  return properties.durationMs(name, 3_600_000, 1000)
}

/** Returns `ttlInSeconds` of a saved item; undefined: not given. Throws unless it is a whole number. */
export const ttlOf = ({kind, request: {metadata}}: StateOperation): number | undefined => {
  const text = textNamed(metadata, 'ttlInSeconds')
  if (kind === 'delete' || text === '') return undefined
  if (!/^[-+]?\d+$/.test(text)) throw new Error(`ttlInSeconds value must be a valid integer: actual is '${text}'`)
  return Number(text)
}
