import type {BINDINGS} from '../../../model/dapr/api/blocks.ts'
import {InvokeBindingRequest, InvokeBindingResponse} from '../../../model/dapr/messages/binding.generated.ts'
import {BindingError} from '../blocks/bindings.ts'
import {compactJson, memberText} from '../blocks/json-text.ts'
import {apiError, EMPTY} from '../http/errors.ts'
import {baggageFault} from '../http/baggage.ts'
import {headerLines, valueText} from '../http/blocks/app-headers.ts'
import {headerOf, malformed, readJson, textIn, textsIn, type BlockHandler, type BlockRequest} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'
import {bufferOf, grpc, type OperationsOf} from './operation.ts'
import {emptyRecord} from '../../../model/own.ts'

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const ASCII = /^[ -~]*$/

/**
 * Returns only metadata that are small enough for headers. Clients fail at a head of 8 KiB (gRPC in Java), 16 KiB (Node) or 64 KiB, and
 * may then end all calls of the connection.
 */
const ofHead = (metadata: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metadata).filter(([key, value]) => NAME.test(key) && Buffer.byteLength(value) <= 4096)
  )

/** Returns a binding's metadata as header lines, which Dapr, in Go, writes as `Metadata.<key>`. */
const linesOf = (metadata: Readonly<Record<string, string>>): string =>
  headerLines(ofHead(metadata), undefined, name => `Metadata.${name}`)

/** Returns trace and baggage of the call as metadata, for bindings that pass them on. */
function traceOf({lines, trace}: BlockRequest): Record<string, string> {
  const found = emptyRecord<string>()
  for (const [, name = '', value = ''] of trace.matchAll(/^(traceparent|tracestate):[ \t]*([^\r\n]*)/gim))
    found[name.toLowerCase()] = value
  const baggage = headerOf({lines}, 'baggage')
  if (baggage === '') return found
  const fault = baggageFault(baggage)
  if (fault !== '') throw malformed(`invalid baggage header: ${fault}`, '')
  return {...found, baggage}
}

const invoke: BlockHandler = async ({bindings}, request) => {
  const {text, value} = readJson(request)
  if (!isObject(value)) throw malformed('expected an object')
  const call = {
    operation: textIn(value, 'operation'),
    data: Buffer.from(compactJson(memberText(text, 'data') ?? 'null')),
    metadata: {...textsIn(value, 'metadata'), ...traceOf(request)}
  }
  try {
    const response = await bindings.invoke(request.params[0] ?? '', call, request.onGone)
    if (response === undefined) return EMPTY
    const {data, metadata} = response
    return {status: 200, type: 'application/json', body: '', bytes: data, lines: linesOf(metadata)}
  } catch (error) {
    if (!(error instanceof BindingError)) throw error
    return {...apiError(error.status, error.errorCode, error.message, error.details), lines: linesOf(error.metadata)}
  }
}

/** Bindings (Dapr: pkg/api/http/http.go, onOutputBindingMessage; pkg/api/grpc/grpc.go, InvokeBinding). */
export const BINDING_OPERATIONS: OperationsOf<typeof BINDINGS> = {
  InvokeBinding: {
    http: invoke,
    grpc: grpc(
      InvokeBindingRequest,
      InvokeBindingResponse,
      async ({bindings}, {name, data, metadata, operation}, {trace, head: {baggage}, setHeader, onGone}) => {
        const {traceparent, tracestate} = trace
        // baggage in the head has precedence over metadata in the message, and metadata over the trace, as in Dapr
        const sent = {
          traceparent,
          ...(tracestate !== '' && {tracestate}),
          ...metadata,
          ...(baggage !== '' && {baggage})
        }
        const tell = (found: Readonly<Record<string, string>> = {}): void => {
          for (const [key, value] of Object.entries(ofHead(found))) {
            const text = valueText(value.trim())
            if (ASCII.test(text)) setHeader(`metadata.${key.toLowerCase()}`, text)
          }
        }
        try {
          const response = await bindings.invoke(name, {operation, data: bufferOf(data), metadata: sent}, onGone)
          tell(response?.metadata)
          return response
        } catch (error) {
          if (error instanceof BindingError) tell(error.metadata)
          throw error
        }
      }
    )
  }
}
