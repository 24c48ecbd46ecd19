import {encodeField} from '#h2-frames'
import type {Hit} from '../faults/hit.ts'
import {codeText} from '../../model/grpc-code.ts'
import {UpstreamError} from '../net/dialer.ts'
import {clientsOf} from '../net/grpc/clients-of.ts'
import {headFields} from '../net/grpc/head-fields.ts'
import {framed, PREFIX_BYTES} from '../net/grpc/message-gauge.ts'
import {INTERNAL, OK, faultedStatus, UNAVAILABLE, type GrpcStatus} from '../net/grpc/status.ts'
import {connectUnary, type UnaryOutcome} from '../net/grpc/unary-call.ts'
import type {UpstreamSource, Pool} from '../net/pool.ts'
import type {RemoteSink} from '../net/remote-side.ts'
import type {Admitted} from './admission.ts'
import {AppRequest, sendToApp, MAX_RESPONSE_BYTES, type AppRequestOptions, type AppResponse} from './app-request.ts'

/** `path`: `/package.Service/Method`. */
export interface GrpcAppRequestOptions extends Pick<
  AppRequestOptions,
  'app' | 'context' | 'from' | 'path' | 'signal' | 'attempt' | 'warn'
> {
  /** Metadata as encoded HTTP/2 fields, without the token. */
  readonly fields: string
  readonly message: Uint8Array
}

export type GrpcAppResponse =
  | {readonly kind: 'answer'; readonly status: GrpcStatus; readonly message: Buffer}
  | Extract<AppResponse, {kind: 'unreachable'}>

/** A gRPC call of the sidecar to its own app. Reuses `AppRequest`, with the message as the body. */
class GrpcAppRequest extends AppRequest {
  status: GrpcStatus = {code: INTERNAL, message: ''}
  readonly #options: GrpcAppRequestOptions
  #token = ''

  constructor(options: GrpcAppRequestOptions, ...[asked, call, done]: ConstructorParameters<typeof AppRequest>) {
    super(asked, call, done)
    this.#options = options
    this.journal.calleeMethod = options.path
  }

  override send(admitted: Admitted): void {
    this.#token = admitted.token
    super.send(admitted)
  }

  /** Sends the request without Dapr's middleware, which applies to HTTP only. */
  override filter(admitted: Admitted): void {
    this.send(admitted)
  }

  override endByFault(hit: Hit): void {
    if (hit.kind === 'status') this.status = faultedStatus(hit)
    super.endByFault(hit)
  }

  protected override connectionsTo(pool: Pool): UpstreamSource {
    const {path, fields, message, warn} = this.#options
    const token = this.#token === '' ? '' : encodeField('dapr-api-token', this.#token)
    return pool.through(
      connectUnary(clientsOf(pool, warn), {
        blockOf: () => headFields(pool, path, 'application/grpc') + fields + token,
        messageOf: () => message,
        maxBytes: MAX_RESPONSE_BYTES,
        finish: (back, outcome) => this.#finish(back, outcome)
      })
    )
  }

  protected override note(failure: string | undefined): void {
    const {code, message} = failure === undefined ? this.status : {code: UNAVAILABLE, message: failure}
    Object.assign(this.journal, {status: 200, grpcStatus: code, failure: code === OK ? '' : message || codeText(code)})
  }

  #finish(back: RemoteSink, {status, message, isCut}: UnaryOutcome): void {
    if (isCut) return back.fail(new UpstreamError(status.message))
    this.status = status
    const body = Buffer.from(status.code === OK ? framed(message) : '', 'latin1')
    back.respond(200, ['content-length', body.length.toString()])
    back.data(body)
  }
}

/** Counts nothing for the caller. Without a function, the journal would measure nothing, and the callee's metrics would miss the call. */
const countedByCallee = (): void => undefined

/** Calls an app and resolves with its answer. Never rejects. */
export async function requestGrpcApp(options: GrpcAppRequestOptions): Promise<GrpcAppResponse> {
  const body = Buffer.from(framed(options.message), 'latin1')
  const asked = {...options, method: 'POST', lines: '', body, isGrpc: true, recorded: countedByCallee}
  const request = Promise.withResolvers<GrpcAppRequest>()
  const response = await sendToApp(asked, (call, done) => {
    const made = new GrpcAppRequest(options, asked, call, done)
    request.resolve(made)
    return made
  })
  if (response.kind === 'unreachable') return response
  const {status} = await request.promise
  return {kind: 'answer', status, message: response.body.subarray(PREFIX_BYTES)}
}
