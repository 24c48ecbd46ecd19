import {FOREIGN_PAGE} from '../../gateway/page-guard.ts'
import type {Reply} from '../../net/reply.ts'

/*
 * The manager's own responses, in the shapes of Daeploy's manager (FastAPI) and its proxy (Traefik).
 */

/** Any value as FastAPI writes it. */
export const json = (value: unknown, status = 200): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
  lines: ''
})

/** An error; `detail` is a text, or a list of one text where Daeploy sends a list. */
export const failure = (status: number, detail: unknown): Reply => json({detail}, status)

export const NOT_FOUND = failure(404, 'Not Found')
export const FOREIGN_HOST = failure(403, 'Host not allowed')
export const FOREIGN_ORIGIN = failure(403, 'Origin not allowed')
export const REFUSED_PAGE = failure(403, FOREIGN_PAGE)
export const INVALID_TOKEN = failure(401, 'Token not valid!')

/** Traefik's response for a service that is not reachable. */
export const BAD_GATEWAY: Reply = {status: 502, type: 'text/plain; charset=utf-8', body: 'Bad Gateway', lines: ''}

/** One entry of FastAPI's error list for an invalid request: the missing key of `input`, and its location. */
export const missing = (input: unknown, ...loc: readonly string[]): object => ({
  type: 'missing',
  loc,
  msg: 'Field required',
  input
})

/** The same for an invalid time. */
export const unreadable = (input: unknown, ...loc: readonly string[]): object => ({
  type: 'datetime_parsing',
  loc,
  msg: 'Input should be a valid datetime',
  input
})

export const notAllowed = (allow: string): Reply => ({
  ...failure(405, 'Method Not Allowed'),
  lines: `Allow: ${allow}\r\n`
})
