import type {BrokenResponse} from './broken-response.ts'
import type {CallJournal} from './call-journal.ts'
import type {HeaderRules, ResponseHead} from './http1/response-head.ts'
import type {Failure} from './http1/upstream.ts'
import type {Copy} from './mirror.ts'

/** The decisions about a call; the exchange moves the bytes. */
export interface CallHandler {
  /** What happens is written down there. */
  readonly journal: CallJournal
  readonly rules: HeaderRules
  /** How the response breaks off on purpose; undefined: it does not. */
  readonly broken: BrokenResponse | undefined
  /** The call is mirrored to shadows. */
  readonly copy: Copy | undefined
  /** The header lines that the caller gets with this response. */
  headersFor(head: ResponseHead): string
  /** The connection was refused before anything was sent: call `send` again, or reply. */
  refused(why: string): void
  /** The connection closed before a response began; the request is sent again. */
  resent(): void
  /** There is no response: reply. If `failure` is omitted, the request was rejected before it was sent. */
  failed(why: string, failure?: Failure): void
  /** The callee closed the connection within its response; the response to the caller is aborted. */
  cut(why: string): void
  /** An internal error has closed the caller's connection. */
  crashed(error: unknown): void
  /** The call has ended, successfully or not. Called exactly once. */
  over(): void
}
