// daprd/: components that Dapr has and we have not, as a real Dapr sidecar next to the app offers them.
import type {BlockComponent} from './open.ts'
import type {ComponentResource} from '../../resources/components.ts'
import type {BindingEvent, EventHandled} from '../binding.ts'
import type {Handled, Message} from '../pubsub.ts'

/** A call that daprd has answered with an error. */
export class DaprdError extends Error {
  /** Of gRPC. */
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
  /** Messages that it may hand over at once; 0: one by one. */
  readonly atOnce: number
  /** Never rejects. */
  readonly deliver: (message: Message) => Promise<Handled>
}

/** Delivers an event of a binding. Never rejects. */
export type DeliverEvent = (event: BindingEvent) => Promise<EventHandled>

/** Called with the id of a subscription and the items that were changed, as daprd writes them. */
export type ConfigurationChanged = (items: unknown) => void

/** A real Dapr sidecar, which its components call. */
export interface DaprdAccess {
  /** Calls a method of `dapr.proto.runtime.v1.Dapr`, waiting while daprd starts. Rejects with a DaprdError, or with why there is no answer. */
  call(method: string, message: Uint8Array): Promise<Uint8Array>
  /** A request over HTTP: the body of its answer. Rejects as `call`. */
  get(path: string): Promise<string>
  /** Has a topic read; the returned function ends that. */
  read(topic: DaprdTopic): () => void
  /** Has a binding read; the returned function ends that. */
  readBinding(name: string, deliver: DeliverEvent): () => void
  /** Hands over what changes in a subscription to configuration; the returned function ends that. */
  onConfiguration(id: string, changed: ConfigurationChanged): () => void
  /** The time in ms after which the message broker may treat an unanswered message as lost. */
  holdMs(resource: ComponentResource): number
}

/** The components of an app that are daprd's. */
export interface DaprdComponents {
  /** Whether daprd has this component, and not we. */
  takes(resource: ComponentResource): boolean
  /** Takes up what the files of the app have now, of which it may need more than its own. */
  follow(resources: readonly ComponentResource[]): void
  /** Settles when daprd has opened it. Rejects with a ComponentFault. */
  open(resource: ComponentResource): Promise<BlockComponent>
  /** What the app reads is known: daprd may ask for it. */
  setKnown(what: 'topics' | 'bindings'): void
  /** Ends daprd. */
  close(): Promise<void>
}
