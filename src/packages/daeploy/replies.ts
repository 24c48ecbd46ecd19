import {FOREIGN_PAGE} from '../../proxy/gateway/page-guard.ts'
import type {Reply} from '../../proxy/net/reply.ts'

/*
 * Responses of the manager itself, in the format of Daeploy's manager (FastAPI) and its proxy (Traefik).
 */

/** Returns a response with a JSON value, as FastAPI sends it. */
export const fastApiJson = (value: unknown, status = 200): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
  lines: ''
})

/** Returns an error. `detail`: a text, or a list of one text where Daeploy sends a list. */
export const failure = (status: number, detail: unknown): Reply => fastApiJson({detail}, status)

export const NO_SUCH_PATH = failure(404, 'Not Found')
export const HOST_REFUSED = failure(403, 'Host not allowed')
export const ORIGIN_REFUSED = failure(403, 'Origin not allowed')
export const PAGE_REFUSED = failure(403, FOREIGN_PAGE)
export const TOKEN_REFUSED = failure(401, 'Token not valid!')

/** Traefik's response if a service is not reachable. */
export const BAD_GATEWAY: Reply = {status: 502, type: 'text/plain; charset=utf-8', body: 'Bad Gateway', lines: ''}

/** Returns an entry of FastAPI's error list about a missing key. `loc`: location of the key. */
export const missing = (input: unknown, ...loc: readonly string[]): object => ({
  type: 'missing',
  loc,
  msg: 'Field required',
  input
})

export const notAllowed = (allow: string): Reply => ({
  ...failure(405, 'Method Not Allowed'),
  lines: `Allow: ${allow}\r\n`
})
