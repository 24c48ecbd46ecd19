import type {Reply} from '../../../../proxy/net/reply.ts'
import {MiddlewareFault, type Middleware} from './middleware.ts'

const DEFAULT_PER_SECOND = 100

/**
 * Limits requests per second, with bursts of the same size (Dapr: middleware/http/ratelimit, a token bucket per address). All callers are
 * this machine, so one bucket is enough.
 */
export function rateLimit(metadata: ReadonlyMap<string, string>, now: () => number): Middleware {
  const perSecond = Number(metadata.get('maxRequestsPerSecond') ?? DEFAULT_PER_SECOND)
  if (!(perSecond > 0)) throw new MiddlewareFault('metadata property maxRequestsPerSecond must be a positive value')
  const burst = Math.max(1, Math.floor(perSecond))
  let tokens = burst
  let at = now()
  return () => {
    const time = now()
    tokens = Math.min(burst, tokens + ((time - at) / 1000) * perSecond)
    at = time
    if (tokens < 1) return tooMany(perSecond)
    tokens--
    return undefined
  }
}

const tooMany = (perSecond: number): Reply => ({
  status: 429,
  type: 'text/plain; charset=utf-8',
  body: 'You have reached maximum request limit.',
  lines: `X-Rate-Limit-Limit: ${perSecond.toFixed(2)}\r\nX-Rate-Limit-Duration: 1\r\n`
})
