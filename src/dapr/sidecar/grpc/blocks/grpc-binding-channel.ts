import {askedAgain} from '../../ask-app.ts'
import {EventProcessChannel} from '../../blocks/event-channel.ts'
import type {BindingEvent} from '../../../components/binding.ts'
import {requestGrpcApp} from '../../../../proxy/gateway/grpc-app-request.ts'
import type {AttemptControl} from '../../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import {messageOf} from '../../../../model/errors.ts'
import {codeText} from '../../../../model/grpc-code.ts'
import {decode, encode} from '../../../../proxy/net/grpc/message-codec.ts'
import {OK, UNIMPLEMENTED, type GrpcStatus} from '../../../../proxy/net/grpc/status.ts'
import {traceFields} from '../../../../proxy/net/grpc/trace-fields.ts'
import type {BindingAnswer, BindingChannel, BindingTarget, BindingEffects} from '../../blocks/binding-channel.ts'
import type {SaidBindings} from '../../blocks/binding-channel.ts'
import {carriedTraceparent, freshTraceparent} from '../../http/trace.ts'
import {
  BindingEventRequest,
  BindingEventResponse,
  BindingEventResponse_BindingEventConcurrency as CONCURRENCY,
  ListInputBindingsResponse
} from '../../../../model/dapr/messages/appcallback.generated.ts'
import {bufferOf} from '../../operations/operation.ts'
import {wishOf} from '../../operations/state-items.ts'

const CALLBACK = '/dapr.proto.runtime.v1.AppCallback/'
const NOTHING = new Uint8Array(0)

/** Delivers events of bindings to a gRPC app (Dapr: pkg/runtime/processor/binding/send.go). */
export class GrpcBindingChannel extends EventProcessChannel implements BindingChannel {
  async ask(targets: readonly BindingTarget[], said: SaidBindings, signal: AbortSignal): Promise<void> {
    const {app, context, log} = this.process
    const warn = (text: string): void => log('warn', text)
    const question = {app, context, path: `${CALLBACK}ListInputBindings`, fields: '', message: NOTHING, signal, warn}
    const response = await askedAgain(async () => requestGrpcApp(question), signal)
    const failed = (why: string): void => {
      if (!signal.aborted) log('error', `error getting input bindings from app: ${why}`)
    }
    const listed = (all: readonly string[]): void => targets.forEach(({name}) => said.set(name, all.includes(name)))
    if (response.kind === 'unreachable') return failed(response.why)
    const {status, message} = response
    if (status.code === UNIMPLEMENTED) return listed([])
    if (status.code !== OK) return failed(statusText(status))
    try {
      return listed(decode(ListInputBindingsResponse, message).bindings)
    } catch (error) {
      return failed(messageOf(error))
    }
  }

  async deliver({name}: BindingTarget, event: BindingEvent, attempt?: AttemptControl): Promise<BindingAnswer> {
    const {app, context, pid, log} = this.process
    const {data, metadata} = event
    const before = pid()
    const response = await requestGrpcApp({
      app,
      context,
      from: name,
      path: `${CALLBACK}OnBindingEvent`,
      fields: traceFields(carriedTraceparent(metadata['traceparent']) || freshTraceparent()),
      message: encode(BindingEventRequest, {name, data, metadata}),
      attempt,
      warn: text => log('warn', text)
    })
    if (response.kind === 'unreachable')
      return this.unanswered({...response, why: `error invoking app: ${response.why}`}, before)
    const {status, message} = response
    if (status.code !== OK)
      return {kind: 'failed', status: status.code, text: `error invoking app: ${statusText(status)}`}
    try {
      return {kind: 'success', effects: effectsIn(message)}
    } catch (error) {
      return {kind: 'failed', status: 0, text: `error invoking app: ${messageOf(error)}`}
    }
  }
}

const statusText = ({code, message}: GrpcStatus): string => `rpc error: code = ${codeText(code)} desc = ${message}`

function effectsIn(message: Buffer): BindingEffects | undefined {
  const {storeName, states, to, data, concurrency} = decode(BindingEventResponse, message)
  if (states.length === 0 && to.length === 0) return undefined
  return {
    storeName,
    state: states.map(wishOf),
    to,
    data: bufferOf(data),
    isParallel: concurrency === CONCURRENCY.PARALLEL
  }
}
