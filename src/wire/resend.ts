import type {Pool} from './pool.ts'
import type {Upstream} from './upstream.ts'

/** A call whose connection ended before the first byte of an answer. */
export interface Unanswered {
  readonly method: string
  /** The request has a body. */
  readonly hasBody: boolean
  readonly pool: Pool | undefined
  readonly upstream: Upstream | undefined
}

/**
 * Whether it may be sent once more: RFC 9110 §9.2.2, and stricter. Only on a connection that had been used before, for
 * requests that change nothing and have no body, and not when the process behind it was exchanged meanwhile.
 */
export const mayResend = ({method, hasBody, pool, upstream}: Unanswered): boolean =>
  upstream !== undefined &&
  upstream.served > 0 &&
  !hasBody &&
  pool?.isRetired === false &&
  (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
