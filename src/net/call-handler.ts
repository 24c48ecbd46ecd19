import type {Call, CallObserver} from '../model/call.ts'
import type {FieldRules, ResponseHead} from './http1/response-head.ts'
import type {Failure} from './http1/upstream.ts'
import type {Copy} from './mirror.ts'

/** What the owner of a call decides; the exchange moves the bytes. */
export interface CallHandler {
  readonly call: Call
  readonly rules: FieldRules
  /** Times are noted for a record. */
  readonly isRecorded: boolean
  readonly observer: CallObserver | undefined
  /** The call is copied to shadows, too. */
  readonly copy: Copy | undefined
  /** The header lines that go to the caller with this response. */
  fieldsFor(head: ResponseHead): string
  /** Connecting was refused, nothing of the request was sent: `send` again, or reply. */
  refused(why: string): void
  /** The connection ended before a response began; the request goes a second time. */
  resent(): void
  /** There will be no response: reply. Without `failure` the request was refused before it was sent. */
  failed(why: string, failure?: Failure): void
  /** The callee broke off within its response, and so does the response to the caller. */
  cut(why: string): void
  /** A bug of ours has ended the caller's connection. */
  crashed(error: unknown): void
  /** The call is over, in whatever way. Exactly once. */
  over(): void
}
