import type {AdmittedTo, Call, CallObserver, HeadText, SentRequest} from '../../model/call.ts'
import {CallJournal} from './call-journal.ts'

/** The callee is the shadow, as `<id>@<version>`, and the path has the query. */
interface CopyRequest extends Pick<Call, 'caller' | 'callee' | 'method' | 'path'>, AdmittedTo {
  /** The head as it is sent, with the empty line. */
  readonly head: string
  readonly body: Buffer
}

/** Reports a copy for a shadow to the call observer, as a separate call. */
export class ObservedCopy {
  readonly #journal: CallJournal
  readonly #observer: CallObserver

  constructor(observer: CallObserver, {caller, callee, method, path, head, body, pid, protocol}: CopyRequest) {
    const call: Call = {caller, callee, method, path, isShadow: true}
    const request: SentRequest = {protocol: 'none', method, path, lines: '', text: head, size: head.length}
    this.#observer = observer
    this.#journal = new CallJournal(call, request, observer, undefined)
    this.#journal.begun()
    this.#journal.admitted(true, {pid, protocol}, undefined)
    this.#journal.attempts = 1
    this.#journal.connectedAt = this.#journal.admittedAt
    this.#journal.requestBytes = body.length
    observer.bytes(call, 'request', body, 0, body.length)
  }

  responded(head: HeadText & {readonly status: number}, body = ''): void {
    this.#journal.firstByteAt = performance.now()
    this.#journal.status = head.status
    this.#observer.responded(this.#journal.call, head, body)
    this.#journal.responseBytes += body.length
  }

  bytes(bytes: Buffer): void {
    this.#observer.bytes(this.#journal.call, 'response', bytes, 0, bytes.length)
    this.#journal.responseBytes += bytes.length
  }

  /** Ends the copy. An empty `failure` means that it reached the shadow. */
  ended(failure: string): void {
    this.#journal.failure = failure
    this.#journal.ended()
  }
}
