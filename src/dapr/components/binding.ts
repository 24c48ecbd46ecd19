import {DIRECTION, isForDirection} from '../../files/resources/component-types.ts'
import type {Component, OpenOptions} from './component.ts'
import type {BrokerMessage, SubscribeOptions, TopicReader} from './pubsub.ts'

/** A call of an output binding by an app. */
export interface BindingRequest extends BrokerMessage {
  readonly operation: string
}

export type BindingResponse = BrokerMessage

/** The error of a failed call, with the metadata of the response. */
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
  /** Its operations, in the order of Dapr's error message; undefined: `invoke` refuses unknown ones itself. */
  readonly operations: readonly string[] | undefined
  /** Runs an operation. Resolves with undefined if it has no response. `signal`: aborted when the caller disconnects. */
  invoke(request: BindingRequest, signal?: AbortSignal): Promise<BindingResponse | undefined>
}

/** An event that an input binding sends to apps. */
export type BindingEvent = BrokerMessage

export type ReadOptions = Pick<SubscribeOptions, 'ready' | 'takeBack' | 'handle' | 'log'>

export type BindingReader = Pick<TopicReader, 'stop'>

/** A binding that sends events to apps. */
interface InputBinding {
  /** Begins to read for one app. Each app receives all events. */
  read(options: ReadOptions): Promise<BindingReader>
}

/** A component of the bindings block. `output`, `input`: undefined: the binding has no such direction. */
export interface Binding extends Component {
  readonly output: OutputBinding | undefined
  readonly input: InputBinding | undefined
}

/** Returns a binding with those parts that its property `direction` allows. */
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
