import type {Pool} from '../pool.ts'
import type {Failure, Upstream} from './upstream.ts'

/** A call whose connection failed. */
export interface Broken {
  readonly failure: Failure
  readonly method: string
  /** The request has a body. */
  readonly hasBody: boolean
  readonly pool: Pool | undefined
  readonly upstream: Upstream | undefined
}

/**
 * The connection on which it may be sent once more: RFC 9110 §9.2.2, and stricter. Only where nothing had been answered, on
 * a connection that had been used before, for requests that change nothing and have no body, and not when the process
 * behind it was exchanged meanwhile. It is a new one: what fails there is not sent again.
 */
export const nextFor = ({failure, method, hasBody, pool, upstream}: Broken): Upstream | undefined =>
  failure === 'silent' &&
  upstream !== undefined &&
  upstream.served > 0 &&
  !hasBody &&
  pool?.isRetired === false &&
  (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
    ? pool.connect()
    : undefined
