import {decode, encode} from '../../../proxy/net/grpc/message-codec.ts'
import {bindingOf, type Binding} from '../binding.ts'
import {Properties} from '../properties.ts'
import {InvokeBindingRequest, InvokeBindingResponse} from '../../../model/dapr/messages/binding.generated.ts'
import {callerOf, type OpenedByDaprd} from './daprd-access.ts'
import {heldReader} from './held-reader.ts'
import {holdMsOf} from './hold.ts'

/** A binding of daprd. Its capabilities say in which directions it works; daprd knows its operations. */
export function daprdBinding(options: OpenedByDaprd): Binding {
  const {capabilities, resource} = options
  return bindingOf(
    {properties: new Properties(resource.properties)},
    {
      ...(capabilities.includes('OUTPUT_BINDING') && {output: outputOf(options)}),
      ...(capabilities.includes('INPUT_BINDING') && {input: inputOf(options)})
    }
  )
}

const outputOf = (options: OpenedByDaprd): NonNullable<Binding['output']> => ({
  operations: undefined,
  invoke: async request => {
    const {name} = options.resource
    const answer = await callerOf(options)('InvokeBinding', encode(InvokeBindingRequest, {name, ...request}))
    const {data, metadata} = decode(InvokeBindingResponse, answer)
    if (data.length === 0 && Object.keys(metadata).length === 0) return undefined
    return {data: Buffer.from(data), metadata}
  }
})

const inputOf = ({access, resource}: OpenedByDaprd): NonNullable<Binding['input']> => ({
  read: async ({ready, handle}) =>
    heldReader({holdMs: holdMsOf(resource), ready, handle}, deliver => access.readBinding(resource.name, deliver))
})
