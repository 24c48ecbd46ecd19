import type {Failure, Upstream} from './http1/upstream.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether a request without a body may be sent once more, after its connection closed. RFC 9110 §9.2.2, but stricter: only if
 * nothing was received, on a reused connection, for safe requests. The retry uses a new connection, so that it happens only
 * once; the caller sees to it that the process behind the connection is still the same.
 */
export const isSafeAgain = (method: string, failure: Failure, upstream: Upstream | undefined): boolean =>
  failure === 'silent' && upstream !== undefined && upstream.served > 0 && SAFE.has(method)
