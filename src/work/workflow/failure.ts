import {decode} from '../../proxy/net/grpc/message-codec.ts'
import type {Instance} from './instance.ts'
import {FAILURE_DETAILS, readEvent, splitEvents} from './messages.ts'

interface WorkFailure {
  readonly type: string
  readonly message: string
  readonly stack: string
}

const NONE: WorkFailure = {type: '', message: '', stack: ''}

/** Explains why an instance has failed or is stalled; '': neither. */
export const faultOf = ({stall, failure}: Pick<Instance, 'stall' | 'failure'>): string =>
  stallsOf({stall})
    .map(each => readEvent(each).executionStalled)
    .at(-1)
    ?.description.trim() ?? failureOf(failure).message

/** First byte of joined events (`joinEvents`). A single event begins with another byte, the tag of its id. */
const JOINED = 0x1a

/** Returns an event for each reason why an instance is stalled, the latest last. Files of earlier versions have a single event. */
export const stallsOf = ({stall}: Pick<Instance, 'stall'>): readonly Uint8Array[] =>
  stall === undefined ? [] : stall[0] === JOINED ? splitEvents(stall) : [stall]

/** Reads TaskFailureDetails. All fields are empty without details, or if they cannot be read. */
export function failureOf(details: Uint8Array | undefined): WorkFailure {
  if (details === undefined || details.length === 0) return NONE
  try {
    const {errorType: type, errorMessage: message, stackTrace} = decode(FAILURE_DETAILS, details)
    return {type, message, stack: stackTrace?.value ?? ''}
  } catch {
    return NONE
  }
}
