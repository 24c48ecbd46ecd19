import {
  BindingFailure,
  type BindingRequest,
  type BindingResponse,
  type OutputBinding
} from '../../components/binding.ts'
import {attemptSignal, leaving, type OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {messageOf} from '../../../model/errors.ts'
import {BlockError} from './block-error.ts'
import {AppBlock} from './block-context.ts'

/** The error of a call to an output binding, with the metadata that the binding reported. */
export class BindingError extends BlockError {
  readonly metadata: Readonly<Record<string, string>>

  constructor(name: string, why: string, metadata: Readonly<Record<string, string>> = {}) {
    super([500, 'internal', 'ERR_INVOKE_OUTPUT_BINDING'], `error invoking output binding ${name}: ${why}`)
    this.metadata = metadata
  }
}

/** The output bindings of one app (Dapr: pkg/runtime/processor/binding/send.go). */
export class Bindings extends AppBlock {
  /** Invokes a binding. Resolves with undefined if the operation has no result. Rejects with a BindingError. */
  async invoke(name: string, request: BindingRequest, onGone?: OnGone): Promise<BindingResponse | undefined> {
    const {operation} = request
    if (operation === '') throw new BindingError(name, 'operation field is missing from request')
    const output = await this.#find(name)
    const {operations} = output
    if (operations?.includes(operation) === false)
      throw new BindingError(
        name,
        `binding ${name} does not support operation ${operation}. supported operations:${operations.join(' ')}`
      )
    // cancels the call when its caller disconnects: otherwise a silent server would keep a connection for each call
    const caller = onGone && leaving(onGone)
    const call = {block: 'bindings', name, operation, onGone: caller?.onGone} as const
    return this.context
      .outbound(call, async attempt => output.invoke(request, attemptSignal(caller?.gone, attempt)))
      .catch((error: unknown) => {
        throw new BindingError(name, messageOf(error), error instanceof BindingFailure ? error.metadata : {})
      })
  }

  async #find(name: string): Promise<OutputBinding> {
    const missing = (why: string): BindingError => new BindingError(name, `couldn't find output binding ${name}${why}`)
    const found = this.context.components.find('bindings', name)
    if (found === undefined) throw missing(this.context.whyNone('bindings', name))
    const {output} = (
      await found.catch((error: unknown) => {
        throw missing(` (${name} could not be opened: ${messageOf(error)})`)
      })
    ).component
    if (output === undefined) throw missing(` (${name} only brings events to the app)`)
    return output
  }
}
