import {unreachable} from '../../../../model/errors.ts'
import type {MiddlewareSpec} from '../../../../files/resources/http-pipeline.ts'
import {middlewareType, type MiddlewareType} from '../../../../files/resources/component-types.ts'
import {MiddlewareFault, type Middleware, type Pipeline, type PipelineRequest} from './middleware.ts'
import type {Reply} from '../../../../proxy/net/reply.ts'
import type {JWTVerifyGetKey} from 'jose'
import {Once} from '../../../../model/once.ts'
import {plainError} from '../errors.ts'

/**
 * Creates a pipeline. Resolves with a text, the reason, if one middleware cannot be made: without it, requests could pass that it should
 * stop. `kept`: the middleware of the last pipeline by settings. Unchanged middleware is used again, so that its counts survive an edit.
 */
export async function createPipeline(
  specs: readonly MiddlewareSpec[],
  kept: Map<string, Middleware>
): Promise<Pipeline | string> {
  const pipeline: Middleware[] = []
  const made = new Map<string, Middleware>()
  for (const {name, type, metadata, place, fault} of specs) {
    const at = `${place.file}:${place.line}: the middleware "${name}"`
    const known = middlewareType(type)
    if (known === undefined) return `${at} is of type ${type}, which is not supported yet`
    if (fault !== '') return `${at} cannot be used: ${fault}`
    const key = JSON.stringify([name, type, metadata])
    try {
      // a middleware that is listed twice is made once, and each request passes it twice (Dapr: pkg/middleware/store)
      const middleware = made.get(key) ?? kept.get(key) ?? (await create(known, new Map(metadata)))
      made.set(key, middleware)
      pipeline.push(middleware)
    } catch (error) {
      if (error instanceof MiddlewareFault) return `${at} cannot be used: ${error.message}`
      throw error
    }
  }
  kept.clear()
  for (const [key, middleware] of made) kept.set(key, middleware)
  return pipeline
}

async function create(type: MiddlewareType, metadata: ReadonlyMap<string, string>): Promise<Middleware> {
  switch (type) {
    case 'bearer':
      return bearer(metadata)
    case 'ratelimit':
      return rateLimit(metadata, () => performance.now())
    case 'routeralias':
      return (await import('./routers.ts')).routerAlias(metadata)
    case 'routerchecker':
      return (await import('./routers.ts')).routerChecker(metadata)
    case 'uppercase':
      return request => {
        request.isUppercase = true
        return undefined
      }
    default:
      return unreachable(type)
  }
}

const DEFAULT_PER_SECOND = 100

/**
 * Makes middleware that limits requests per second, with bursts of the same size. Dapr has a token bucket for each address
 * (middleware/http/ratelimit). Here all callers are on this machine, so one bucket is enough.
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

const UNAUTHORIZED = plainError(401, 'Unauthorized')
/** Difference between the clocks of issuer and sidecar that Dapr allows. */
const CLOCK_SKEW_SECONDS = 300
/** Longest wait for the issuer's configuration, in ms. Requests wait meanwhile. `jose` waits as long for the keys. */
const ANSWER_MS = 5000

/**
 * Makes middleware that passes only requests with a token of `issuer` for `audience` (Dapr: middleware/http/bearer). The token must be
 * signed with a key of `jwksURL`, else of the issuer's OpenID configuration. Keys are fetched at the first token.
 */
function bearer(metadata: ReadonlyMap<string, string>): Middleware {
  const [issuer, audience] = [metadata.get('issuer') ?? '', metadata.get('audience') ?? '']
  if (issuer === '') throw new MiddlewareFault('metadata property issuer is required')
  if (audience === '') throw new MiddlewareFault('metadata property audience is required')
  const keys = new Once<JWTVerifyGetKey>()
  return async request => {
    const token = tokenOf(request)
    if (token === '') return UNAUTHORIZED
    const {jwtVerify} = await import('jose')
    try {
      const known = await keys.do(async () => keysOf(issuer, metadata.get('jwksURL') ?? ''))
      await jwtVerify(token, known, {issuer, audience, clockTolerance: CLOCK_SKEW_SECONDS})
      return undefined
    } catch {
      return UNAUTHORIZED
    }
  }
}

async function keysOf(issuer: string, jwksUrl: string): Promise<JWTVerifyGetKey> {
  const {createRemoteJWKSet} = await import('jose')
  return createRemoteJWKSet(new URL(jwksUrl === '' ? await discovered(issuer) : jwksUrl))
}

async function discovered(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const response = await fetch(url, {signal: AbortSignal.timeout(ANSWER_MS)})
  const {jwks_uri: keys} = (await response.json()) as {readonly jwks_uri: string}
  return keys
}

function tokenOf({rawHeaders}: PipelineRequest): string {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization')
  return at < 0 ? '' : (/^bearer (.+)$/i.exec(rawHeaders[at + 1] ?? '')?.[1] ?? '')
}
