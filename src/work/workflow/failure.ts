import {decode} from '../../proxy/net/grpc/message-codec.ts'
import {FAILURE_DETAILS} from './messages.ts'

/** Why something failed, in the words of the worker. */
export interface WorkFailure {
  readonly type: string
  readonly message: string
  readonly stack: string
}

const NONE: WorkFailure = {type: '', message: '', stack: ''}

/** Reads TaskFailureDetails; all empty if there are none, or if they cannot be read. */
export function failureOf(details: Uint8Array | undefined): WorkFailure {
  if (details === undefined || details.length === 0) return NONE
  try {
    const {errorType: type, errorMessage: message, stackTrace} = decode(FAILURE_DETAILS, details)
    return {type, message, stack: stackTrace?.value ?? ''}
  } catch {
    return NONE
  }
}
