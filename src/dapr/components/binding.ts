import {DIRECTION, isForDirection} from '../../files/resources/component-types.ts'
import type {Component, OpenOptions} from './component.ts'
import type {BrokerMessage, SubscribeOptions, TopicReader} from './pubsub.ts'

/** Call of a binding by an app. */
export interface BindingRequest extends BrokerMessage {
  readonly operation: string
}

export type BindingResponse = BrokerMessage

/** Failed call of a binding, with the facts that are known of it. */
export class BindingFailure extends Error {
  readonly metadata: Readonly<Record<string, string>>

  constructor(message: string, metadata: Readonly<Record<string, string>>) {
    super(message)
    this.name = 'BindingFailure'
    this.metadata = metadata
  }
}

/** A binding that apps can call. */
export interface OutputBinding {
  /** The operations in the order of Dapr's errors; undefined: it refuses others itself. */
  readonly operations: readonly string[] | undefined
  /** Runs one of the binding's operations. Returns undefined if there is no answer. Rejects if it fails. `gone` aborts once the caller has left. */
  invoke(request: BindingRequest, gone?: AbortSignal): Promise<BindingResponse | undefined>
}

/** Event that an input binding sends to apps. */
export type BindingEvent = BrokerMessage

export type ReadOptions = Pick<SubscribeOptions, 'ready' | 'takeBack' | 'handle' | 'log'>

export type BindingReader = Pick<TopicReader, 'stop'>

/** Binding whose events go to apps. */
interface InputBinding {
  /** Begins to read for one app: each app gets all events. */
  read(options: ReadOptions): Promise<BindingReader>
}

/** Binding. A part is missing if the type has no such direction. */
export interface Binding extends Component {
  readonly output: OutputBinding | undefined
  readonly input: InputBinding | undefined
}

/** Returns a binding with only the parts that its `direction` allows. */
export function bindingOf(
  {properties}: Pick<OpenOptions, 'properties'>,
  parts: {readonly output?: OutputBinding; readonly input?: InputBinding; readonly close?: () => Promise<void>}
): Binding {
  const direction = properties.text(DIRECTION)
  const output = isForDirection(direction, 'output') ? parts.output : undefined
  const input = isForDirection(direction, 'input') ? parts.input : undefined
  const capabilities = [...(input ? ['INPUT_BINDING'] : []), ...(output ? ['OUTPUT_BINDING'] : [])]
  return {capabilities, input, output, close: parts.close}
}
