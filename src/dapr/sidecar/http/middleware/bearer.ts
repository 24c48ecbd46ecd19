import type {JWTVerifyGetKey} from 'jose'
import {Once} from '../../../../model/once.ts'
import {plainError} from '../errors.ts'
import {MiddlewareFault, type Middleware, type PipelineRequest} from './middleware.ts'

const UNAUTHORIZED = plainError(401, 'Unauthorized')
/** The difference of clocks that Dapr allows. */
const CLOCK_SKEW_SECONDS = 300
/** How long the issuer may take to answer, as for its keys (jose): requests wait meanwhile. */
const ANSWER_MS = 5000

/**
 * Passes only requests with a token of `issuer` for `audience`, signed with a key of `jwksURL` or else of the issuer's OpenID
 * configuration (Dapr: middleware/http/bearer). Keys are fetched at the first token.
 */
export function bearer(metadata: ReadonlyMap<string, string>): Middleware {
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
