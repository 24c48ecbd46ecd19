import {traceparentOf} from '../../net/grpc/trace-fields.ts'
import {freshTraceparent, isTraceparent} from '../http/trace.ts'
import type {RequestHead} from './request-head.ts'

/** The trace of a call: the caller's, of which the binary form counts first, or a new one. */
export const traceOf = ({traceBin, traceparent}: RequestHead): string => {
  const told = traceBin === '' ? '' : traceparentOf(traceBin)
  if (told !== '' && isTraceparent(told)) return told
  return traceparent !== '' && isTraceparent(traceparent) ? traceparent : freshTraceparent()
}
