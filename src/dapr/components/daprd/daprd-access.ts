// daprd/: components that only Dapr has, served by a real Dapr sidecar next to the app.
import {messageOf} from '../../../model/errors.ts'
import type {ComponentResource} from '../../../files/resources/components.ts'
import type {BindingEvent} from '../binding.ts'
import type {BlockComponent} from '../block-types.ts'
import type {Handled, BrokerMessage} from '../pubsub.ts'

/** The error that daprd has answered to a call. */
export class DaprdError extends Error {
  /** The gRPC code. */
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'DaprdError'
    this.code = code
  }
}

/** A topic that daprd reads for the app. */
export interface DaprdTopic {
  readonly pubsubName: string
  readonly topic: string
  /** Maximum number of messages to deliver at once; 0: one after the other. */
  readonly atOnce: number
  /** Never rejects. */
  readonly deliver: (message: BrokerMessage) => Promise<Handled>
}

/** Delivers an event of a binding. Never rejects. */
export type DeliverEvent = (event: BindingEvent) => Promise<Handled>

export interface WatchedConfiguration {
  /** Path of the store in the API. */
  readonly path: string
  /** The keys and the metadata, without `?`. */
  readonly query: string
  /** Called with the items that were changed, as daprd writes them. */
  readonly changed: (items: unknown) => void
  /** Aborted when the store is closed. */
  readonly over: AbortSignal
}

/** A real Dapr sidecar, which its components call. */
export interface DaprdAccess {
  /** Calls a method of `dapr.proto.runtime.v1.Dapr`, waiting while daprd starts. Rejects with a DaprdError, or with the reason of a missing answer. */
  call(method: string, message: Uint8Array): Promise<Uint8Array>
  /** Starts reading a topic; the returned function stops it. */
  read(topic: DaprdTopic): () => void
  /** Starts reading a binding; the returned function stops it. */
  readBinding(name: string, deliver: DeliverEvent): () => void
  /** Subscribes to configuration, also after a restart of daprd; the returned function ends that. Rejects like `call`. */
  watch(configuration: WatchedConfiguration): Promise<() => Promise<void>>
}

export interface OpenedByDaprd {
  readonly resource: ComponentResource
  /** The capabilities in daprd's metadata. */
  readonly capabilities: readonly string[]
  readonly access: DaprdAccess
}

/** The components of an app that daprd serves. */
export interface DaprdComponents {
  takes(resource: ComponentResource): boolean
  /** Gives daprd the current resources of the app, besides its components. Daprd starts again if they changed. */
  follow(resources: readonly ComponentResource[]): void
  /** Resolves when daprd has opened a component. Rejects with a ComponentFault. */
  open(resource: ComponentResource): Promise<BlockComponent>
  /** Called when the app has reported its topics or bindings: daprd may ask for them. */
  setKnown(what: 'topics' | 'bindings'): void
  close(): Promise<void>
}

/** Match the texts that daprd puts before a component's error (Dapr: pkg/messages/predefined.go). Pillion's blocks add them again. */
const LEADS: readonly RegExp[] = [
  /^fail to get .*? from state store \S+: /s,
  /^failed (?:saving|deleting) state (?:in state store \S+|with key .*?): /s,
  /^error while executing state transaction: /,
  /^error when publish(?:ing)? to topic .*? in pubsub \S+: /s,
  /^failed getting secrets? .*?from secret store \S+: /s,
  /^failed to get \[.*?\] from Configuration store \S+: /s,
  /^failed to subscribe \[.*?\] from Configuration store \S+: /s,
  /^failed to try acquiring lock: /,
  /^failed to release lock: /,
  /^error invoking output binding \S+: /
]

/** Returns the error of a component without the text that daprd puts before it. */
export function causeOf(error: unknown): string {
  const text = messageOf(error)
  const lead = LEADS.map(each => each.exec(text)?.[0] ?? '').find(each => each !== '') ?? ''
  return text.slice(lead.length)
}

/** Calls a method for a component, with the component's errors. */
export const callerOf =
  ({access}: OpenedByDaprd) =>
  async (method: string, message: Uint8Array): Promise<Uint8Array> =>
    access.call(method, message).catch((error: unknown) => {
      throw new Error(causeOf(error), {cause: error})
    })
