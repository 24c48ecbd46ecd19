import {
  type FrameClient,
  type FrameClients,
  type Waiter,
  type FrameStream,
  type StreamHandler,
  CANCEL,
  codeName,
  REFUSED_STREAM
} from '#h2-frames'
import {Collector, NO_ROOM} from '../../../platform/collector.ts'
import {UpstreamError} from '../dialer.ts'
import {maySendAgain} from '../request-body.ts'
import type {AdaptedRequest, Connect, RemoteSink} from '../remote-side.ts'
import {readAnswer, type AnswerFields} from './answer-fields.ts'
import {takeFirst} from './clients-of.ts'
import {framed, MessageGauge, PREFIX_BYTES, tooLargeText} from './message-gauge.ts'
import {
  codeOfHttp,
  codeOfReset,
  INTERNAL,
  RESOURCE_EXHAUSTED,
  UNAVAILABLE,
  percentDecoded,
  type GrpcStatus
} from './status.ts'

export interface UnaryOutcome {
  readonly status: GrpcStatus
  /** Encoded fields of the response's head; '': no head. */
  readonly head: string
  readonly message: Buffer
  /** Whether the connection or stream broke, so that the status is Pillion's and not the callee's. */
  readonly isCut: boolean
}

export interface UnaryCallOptions {
  readonly clients: FrameClients
  readonly block: string
  readonly message: Uint8Array
  /** Maximum size of the response; 0: no limit. */
  readonly maxBytes: number
  readonly done: (outcome: UnaryOutcome) => void
  /** Called if the callee refuses the connection. */
  readonly refused: (why: string) => void
}

const NOTHING = Buffer.alloc(0)

/** A unary gRPC call that the sidecar itself makes to an app. */
export class UnaryCall implements StreamHandler, Waiter {
  readonly #options: UnaryCallOptions
  readonly #gauge: MessageGauge
  readonly #answer = new Collector(0)
  #connection: FrameClient | undefined
  #stream: FrameStream | undefined
  #head = ''
  #hasHead = false
  #isRepeated = false
  #isOver = false

  constructor(options: UnaryCallOptions) {
    this.#options = options
    this.#gauge = new MessageGauge(options.maxBytes)
  }

  start(): this {
    this.#options.clients.take(this)
    return this
  }

  /** Cancels the call, since its result is no longer needed. */
  cancel(): void {
    this.#isOver = true
    this.#answer.release()
    this.#options.clients.leave(this)
    this.#stream?.reset(CANCEL)
  }

  opened(connection: FrameClient): void {
    if (this.#isOver) return
    const {block, message} = this.#options
    this.#connection = connection
    this.#stream = connection.open(this, block, false)
    this.#stream.writeData(framed(message), true)
  }

  failed(why: string, isRefused: boolean): void {
    if (this.#isOver) return
    if (!isRefused) return this.#fail(UNAVAILABLE, why)
    this.#isOver = true
    this.#options.refused(why)
  }

  head(_stream: FrameStream, block: string, isLast: boolean): void {
    if (this.#connection === undefined || this.#isOver) return
    const fields = readAnswer(this.#connection.walker, block, isLast)
    if (!this.#hasHead) {
      if (fields.httpStatus >= 100 && fields.httpStatus < 200) return
      if (!fields.isGrpc)
        return this.#fail(
          codeOfHttp(fields.httpStatus),
          `unexpected HTTP status code received from server: ${fields.httpStatus}`
        )
      this.#hasHead = true
      this.#head = fields.bytes
    }
    if (isLast) this.#end(fields)
  }

  data(stream: FrameStream, bytes: string, isLast: boolean): void {
    stream.credit(bytes.length)
    if (this.#isOver) return
    if (!this.#hasHead) return this.#fail(INTERNAL, 'the app sent data before a head')
    const tooLarge = this.#gauge.measure(bytes)
    if (tooLarge > 0) return this.#fail(RESOURCE_EXHAUSTED, tooLargeText(tooLarge, this.#gauge.max))
    if (this.#answer.add(bytes) !== 'added') return this.#fail(RESOURCE_EXHAUSTED, NO_ROOM)
    if (isLast) this.#fail(INTERNAL, 'server closed the stream without sending trailers')
  }

  sent(): void {
    // the message is sent at once, so that no more data waits for this
  }

  reset(_stream: FrameStream, code: number): void {
    if (this.#repeats(code === REFUSED_STREAM)) return
    this.#fail(codeOfReset(code), `stream terminated by RST_STREAM with error code: ${codeName(code)}`, true)
  }

  lost(_stream: FrameStream, why: string, isUnprocessed = false): void {
    if (this.#repeats(isUnprocessed)) return
    this.#fail(UNAVAILABLE, `error reading from server: ${why}`, true)
  }

  /** Sends the call once more if the app has not processed it, as gRPC clients do. Returns whether it does. */
  #repeats(isUnprocessed: boolean): boolean {
    const mayRepeat = maySendAgain({method: 'POST', hasBody: true, isUnprocessed, wasUsed: false})
    if (!mayRepeat || this.#isRepeated || this.#isOver || this.#hasHead) return false
    this.#isRepeated = true
    this.#options.clients.take(this)
    return true
  }

  #end({status, message, details}: AnswerFields): void {
    const head = this.#head
    if (status !== 0) {
      const code = status < 0 ? INTERNAL : status
      const end = {code, message: percentDecoded(message), details: Buffer.from(details, 'base64').toString('latin1')}
      return this.#over({status: end, head, message: NOTHING, isCut: false})
    }
    const answer = this.#answer.whole()
    if (this.#gauge.count !== 1 || answer[0] !== 0)
      return this.#fail(INTERNAL, 'the answer of the app is not one message')
    this.#over({status: {code: 0, message: ''}, head, message: answer.subarray(PREFIX_BYTES), isCut: false})
  }

  #fail(code: number, message: string, isCut = false): void {
    if (this.#isOver) return
    this.#stream?.reset(CANCEL)
    this.#over({status: {code, message}, head: this.#head, message: NOTHING, isCut})
  }

  #over(outcome: UnaryOutcome): void {
    this.#isOver = true
    this.#answer.release()
    // resets the stream of an app that has responded before it has read the whole request
    if (this.#stream?.isLocalDone === false) this.#stream.reset(CANCEL)
    this.#options.done(outcome)
  }
}

/** Functions that convert a request to a unary gRPC call, and the result of the call to a response. */
export interface UnaryForm {
  /** Returns the encoded head of the call. */
  readonly blockOf: (request: AdaptedRequest) => string
  /** Returns the message of the call, or a status that refuses the request. */
  readonly messageOf: (request: AdaptedRequest, body: Buffer) => Uint8Array | GrpcStatus
  /** Maximum size of the response; 0: no limit. */
  readonly maxBytes: number
  readonly finish: (back: RemoteSink, outcome: UnaryOutcome) => void
  /** Called when a call has ended, to count it. Omitted: not counted. */
  readonly called?: (message: Uint8Array, outcome: UnaryOutcome, elapsedMs: number) => void
}

/** Returns a client for a gRPC app: each request becomes one call on the app's shared connections, once its whole body has arrived. */
export const connectUnary =
  (clients: FrameClients, form: UnaryForm): Connect =>
  ({opened, failed}) => {
    const body = new Collector(0)
    let current: UnaryCall | undefined
    const leave = takeFirst(clients, opened, (why, isRefused) => failed(failureOf(why, isRefused)))
    const call = (request: AdaptedRequest, back: RemoteSink): void => {
      const bytes = body.take()
      const message = form.messageOf(request, bytes)
      if ('code' in message) return form.finish(back, {status: message, head: '', message: NOTHING, isCut: false})
      const startedAt = performance.now()
      current = new UnaryCall({
        clients,
        block: form.blockOf(request),
        message,
        maxBytes: form.maxBytes,
        done: outcome => {
          current = undefined
          form.called?.(message, outcome, performance.now() - startedAt)
          form.finish(back, outcome)
        },
        refused: why => back.fail(failureOf(why, true), {unsent: bytes.toString('latin1'), wasUsed: false})
      }).start()
    }
    return {
      request: (request, back) => {
        if (!request.hasBody) call(request, back)
        return {
          write: (bytes, isLast) => {
            if (bytes !== undefined && body.add(bytes) !== 'added') back.fail(new UpstreamError(NO_ROOM))
            else if (isLast) call(request, back)
            return true
          }
        }
      },
      resume: () => undefined,
      end: () => {
        leave()
        body.release()
        current?.cancel()
      }
    }
  }

const failureOf = (why: string, isRefused: boolean): Error =>
  Object.assign(new UpstreamError(why), isRefused && {code: 'ECONNREFUSED'})
