import type {Reply} from '../net/reply.ts'

/*
 * What the manager's sidecar says itself, in the shapes of Daeploy's manager (FastAPI) and its proxy (Traefik).
 */

/** Any value as FastAPI writes it. */
export const json = (value: unknown, status = 200): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
  lines: ''
})

/** An error; `detail` is a text, or a list of one text where Daeploy has a list. */
export const failure = (status: number, detail: unknown): Reply => json({detail}, status)

export const NOT_FOUND = failure(404, 'Not Found')
export const FOREIGN_HOST = failure(403, 'Host not allowed')
export const FOREIGN_ORIGIN = failure(403, 'Origin not allowed')
export const INVALID_TOKEN = failure(401, 'Token not valid!')

/** What Traefik says for a service that does not answer. */
export const BAD_GATEWAY: Reply = {status: 502, type: 'text/plain; charset=utf-8', body: 'Bad Gateway', lines: ''}

/** One entry of FastAPI's list for a request that it cannot use: what lacks in `input`, and where. */
export const missing = (input: unknown, ...loc: readonly string[]): object => ({
  type: 'missing',
  loc,
  msg: 'Field required',
  input
})

/** The same of a text that tells no time. */
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
