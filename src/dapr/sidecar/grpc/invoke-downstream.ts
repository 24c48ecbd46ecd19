import {isUtf8} from 'node:buffer'
import {encodeField, INTERNAL_ERROR} from '#h2-frames'
import type {CallHandler} from '../../../proxy/net/exchange-parts.ts'
import {pairsOf} from '../../../proxy/net/http1/header-lines.ts'
import {withErrorInfo} from '../../../proxy/net/grpc/error-info.ts'
import {writeInvokeResponse} from '../../../proxy/net/grpc/invoke-messages.ts'
import {PERMANENT_HEADER} from '../../../proxy/net/grpc/head-fields.ts'
import {tooLargeText} from '../../../proxy/net/grpc/message-gauge.ts'
import * as status from '../../../proxy/net/grpc/status.ts'
import type {GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import {ResponseCollector} from '../../../proxy/net/response-collector.ts'
import {reasonOf} from '../../../proxy/net/status.ts'
import {answer, type WholeAnswer} from './unary-call.ts'
import type {ReceivedCall} from './request-head.ts'

const NOTHING = new Uint8Array(0)
/** Bytes of a failing response's body that the error details quote. */
const ERROR_BYTES = 63
/** Beginning of the sidecar's own error (`invokeError`), unlike JSON of a fault or of middleware. */
const OWN_ERROR = '{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: '

/** gRPC codes by HTTP status (Dapr: pkg/messaging/v1/util.go, CodeFromHTTPStatus). */
const CODES: Readonly<Record<number, number>> = {
  408: status.CANCELLED,
  500: status.UNKNOWN,
  400: status.INTERNAL,
  504: status.DEADLINE_EXCEEDED,
  404: status.NOT_FOUND,
  409: 6,
  403: status.PERMISSION_DENIED,
  401: status.UNAUTHENTICATED,
  429: status.RESOURCE_EXHAUSTED,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE
}

/** The caller's side of an InvokeService call to an HTTP app. Collects the app's response, and sends it as an InvokeResponse. */
export class InvokeDownstream extends ResponseCollector {
  readonly #handler: CallHandler
  readonly #received: ReceivedCall
  readonly #trace: string
  #isReplied = false

  /** `trace`: encoded fields with the trace, for the answer. */
  constructor(method: string, body: Buffer, handler: CallHandler, received: ReceivedCall, trace: string) {
    super(method, body, handler, received.sidecar.maxBodyBytes)
    this.#handler = handler
    this.#received = received
    this.#trace = trace
  }

  cut(why: string): void {
    this.#fail(status.INTERNAL, `error invoking app channel: ${why}`)
  }

  /** Answers a call that the app did not answer. Converts the sidecar's own errors to a status; other replies count as the app's response. */
  reply({body, status: code, type, lines}: Reply): void {
    if (!body.startsWith(OWN_ERROR)) {
      this.status = code
      this.lines = type === '' ? lines : `Content-Type: ${type}\r\n${lines}`
      return this.collected(Buffer.from(body))
    }
    const {message} = JSON.parse(body) as {message: string}
    const why = message.slice(message.indexOf(', err: ') + ', err: '.length)
    if (why === 'context deadline exceeded') this.#fail(status.DEADLINE_EXCEEDED, why)
    else if (why === 'circuit breaker is open' || why === 'too many requests') this.#fail(status.UNKNOWN, why)
    else this.#fail(status.INTERNAL, message)
  }

  destroy(): void {
    this.#received.caller.reset(INTERNAL_ERROR)
  }

  protected collected(body: Buffer): void {
    const code = this.status
    if (code < 200 || code > 299) return this.#reply({status: failureOf(code, body), message: NOTHING})
    const contentType = /^content-type:(.*)\r$/im.exec(this.lines)?.[1]?.trim() ?? ''
    const message = writeInvokeResponse({typeUrl: '', value: body, contentType})
    this.#reply({status: {code: status.OK, message: ''}, message})
  }

  protected tooLarge(size: number): void {
    this.#fail(status.RESOURCE_EXHAUSTED, tooLargeText(size, this.maxBodyBytes))
  }

  #fail(code: number, message: string): void {
    this.lines = ''
    this.status = 0
    this.#reply({status: {code, message}, message: NOTHING})
  }

  /** Sends the answer once. `reply.message`: the InvokeResponse if the status is OK. */
  #reply(reply: Omit<WholeAnswer, 'fields'>): void {
    if (this.#isReplied) return
    this.#isReplied = true
    this.#handler.journal.grpcStatus = reply.status.code
    const fields = this.status === 0 ? '' : fieldsOf(this.lines, this.status)
    const {caller, head} = this.#received
    answer(caller, head, {...reply, fields: fields + this.#trace})
  }
}

const fieldsOf = (lines: string, code: number): string => {
  const pairs = pairsOf(lines)
  let fields = ''
  for (let at = 0; at < pairs.length; at += 2) {
    const name = (pairs[at] ?? '').toLowerCase()
    // left out, since it is the length of the app's body, not of the gRPC message
    if (name === 'content-length') continue
    fields += encodeField(PERMANENT_HEADER.test(name) ? `dapr-${name}` : name, pairs[at + 1] ?? '')
  }
  return fields + encodeField('dapr-http-status', code.toString())
}

const failureOf = (code: number, body: Buffer): GrpcStatus => {
  const reason = reasonOf(code)
  const text = reason.startsWith('status code ') ? '' : reason
  const grpcCode = CODES[code] ?? status.UNKNOWN
  if (!isUtf8(body)) return {code: grpcCode, message: text}
  const error = body.subarray(0, ERROR_BYTES).toString()
  return withErrorInfo(grpcCode, text, {
    reason: text,
    metadata: {'http.code': code.toString(), 'http.error_message': error}
  })
}
