import type {Call, CallObserver, HeadText, SentRequest} from '../model/call.ts'

export interface CopyRequest {
  readonly caller: string
  /** Of the shadow: `<id>@<version>`. */
  readonly callee: string
  readonly method: string
  /** With the query. */
  readonly path: string
  /** As it is sent, with the empty line. */
  readonly head: string
  readonly body: Buffer
  /** Of the shadow's process; 0: not known. */
  readonly pid: number
}

/** Reports a copy for a shadow to the call observer, as a separate call. */
export class ObservedCopy {
  readonly #observer: CallObserver
  readonly #call: Call
  readonly #request: SentRequest
  readonly #startedAt = performance.now()
  readonly #requestBytes: number
  #firstByteAt = 0
  #status = 0
  #responseBytes = 0

  constructor(observer: CallObserver, {caller, callee, method, path, head, body, pid}: CopyRequest) {
    this.#observer = observer
    this.#call = {caller, callee, method, path, isShadow: true}
    this.#request = {method, path, lines: '', text: head, size: head.length}
    this.#requestBytes = body.length
    observer.started(this.#call, this.#request, this.#startedAt)
    observer.admitted(this.#call, pid, 0)
    observer.bytes(this.#call, 'request', body, 0, body.length)
  }

  responded(head: HeadText & {readonly status: number}, body = ''): void {
    this.#firstByteAt = performance.now()
    this.#status = head.status
    this.#observer.responded(this.#call, head, body)
    this.#responseBytes += body.length
  }

  bytes(bytes: Buffer): void {
    this.#observer.bytes(this.#call, 'response', bytes, 0, bytes.length)
    this.#responseBytes += bytes.length
  }

  /** '' = it reached the shadow. */
  ended(failure: string): void {
    this.#observer.ended({
      call: this.#call,
      request: this.#request,
      status: this.#status,
      attempts: 1,
      startedAt: this.#startedAt,
      admittedAt: this.#startedAt,
      connectedAt: this.#startedAt,
      firstByteAt: this.#firstByteAt,
      endedAt: performance.now(),
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      trace: '',
      failure
    })
  }
}

/** Tells an observer of copies; the result is called as each of them begins. */
export const observeCopies =
  (observer: CallObserver) =>
  (request: CopyRequest): ObservedCopy =>
    new ObservedCopy(observer, request)
