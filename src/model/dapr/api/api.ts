import {
  ACTORS,
  BINDINGS,
  CONFIGURATION,
  CONVERSATION,
  CRYPTOGRAPHY,
  LOCK,
  PUBSUB,
  SECRETS,
  STATE,
  INVOCATION,
  RUNTIME,
  JOBS,
  WORKFLOWS
} from './blocks.ts'
import type {BlockApi, ComponentWords, Operation} from './block-api.ts'

/** Dapr's API, by block. Blocks with components are named as the first part of a type. An error is counted for the first block whose codes match. */
export const API = {
  invocation: INVOCATION,
  state: STATE,
  pubsub: PUBSUB,
  secretstores: SECRETS,
  configuration: CONFIGURATION,
  bindings: BINDINGS,
  lock: LOCK,
  crypto: CRYPTOGRAPHY,
  conversation: CONVERSATION,
  actors: ACTORS,
  workflows: WORKFLOWS,
  jobs: JOBS,
  runtime: RUNTIME
} as const satisfies Readonly<Record<string, BlockApi>>

type Api = typeof API

/** The categories of Components whose calls are served here. */
export type Block = {[K in keyof Api]: Api[K] extends {readonly components: ComponentWords} ? K : never}[keyof Api]

/** Dapr's names of all operations. */
type OperationName = {[K in keyof Api]: Extract<keyof Api[K]['operations'], string>}[keyof Api]

/** An operation with its block and its names. */
export interface ApiOperation {
  readonly name: OperationName
  readonly block: keyof Api
  /** The name in the API log. */
  readonly log: string
  readonly isStream: boolean
}

/** All operations, with how they are called. */
export const OPERATIONS: readonly (ApiOperation & Pick<Operation, 'http' | 'grpc'>)[] = (
  Object.entries(API) as [keyof Api, BlockApi][]
).flatMap(([block, {operations}]) =>
  (Object.entries(operations) as [OperationName, Operation][]).map(
    ([name, {http = '', grpc = '', log = name, isStream = false}]) => ({name, block, log, isStream, http, grpc})
  )
)
