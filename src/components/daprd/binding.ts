import {decode, encode} from '../../net/grpc/message-codec.ts'
import {bindingOf, type Binding, type BindingRequest, type BindingResponse} from '../binding.ts'
import {Properties} from '../properties.ts'
import {causeOf} from './cause.ts'
import {BINDING_RESPONSE, INVOKE_BINDING} from '../../net/grpc/messages/binding.ts'
import type {OpenedByDaprd} from './open.ts'
import {isWithin} from './within.ts'

/** A binding of daprd. Which way it goes its capabilities say; which operations it has it tells itself. */
export function daprdBinding({access, capabilities, resource}: OpenedByDaprd): Binding {
  const {name} = resource
  const invoke = async (request: BindingRequest): Promise<BindingResponse | undefined> => {
    let answer: Uint8Array
    try {
      answer = await access.call('InvokeBinding', encode(INVOKE_BINDING, {name, ...request}))
    } catch (error) {
      throw new Error(causeOf(error), {cause: error})
    }
    const {data, metadata} = decode(BINDING_RESPONSE, answer)
    if (data.length === 0 && Object.keys(metadata).length === 0) return undefined
    return {data: Buffer.from(data), metadata}
  }
  const holdMs = access.holdMs(resource)
  return bindingOf(
    {properties: new Properties(resource.properties)},
    {
      ...(capabilities.includes('OUTPUT_BINDING') && {output: {operations: undefined, invoke}}),
      ...(capabilities.includes('INPUT_BINDING') && {
        input: {
          read: async ({ready, handle}) => {
            const open = new Set<Promise<unknown>>()
            const end = access.readBinding(name, async event => {
              if (!(await isWithin(holdMs, ready()))) return 'returned'
              const handled = handle(event)
              open.add(handled)
              try {
                return await handled
              } finally {
                open.delete(handled)
              }
            })
            const stop = async (): Promise<void> => {
              end()
              await Promise.all(open)
            }
            return Promise.resolve({stop})
          }
        }
      }),
      close: async () => {
        // it lives in daprd
      }
    }
  )
}
