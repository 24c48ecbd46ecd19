import type {IncomingMessage} from 'node:http'
import {isOf, TOKEN} from './header-lines.ts'
import {http} from './node-http.ts'

const FIRST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^\0-\x20\x7f]+) (HTTP\/1\.[01])$/
const HIGH = /[\x80-\xff]/g

/** The first line of HTTP/2 without TLS (RFC 9113 §3.4). */
const PREFACE = 'PRI * HTTP/2.0\r\n'

/** The length of the first line with its LF; 0: incomplete. */
const firstLineOf = (bytes: Buffer): number => bytes.indexOf(10) + 1

/** An incomplete first line; false for bytes that cannot start one (TLS, for example). */
export const isHalfLine = (bytes: Buffer): boolean => firstLineOf(bytes) === 0 && isOf(bytes[0] ?? 0, TOKEN)

export const isPreface = (bytes: Buffer): boolean => bytes.toString('latin1', 0, PREFACE.length) === PREFACE

/** A request target as node:http accepts it. */
export const escapedTarget = (target: string): string =>
  target.replace(HIGH, byte => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)

/** The query of a request, if it has bytes above 7F; else ''. */
const rawQueryOf = (bytes: Buffer): string => {
  const [, , target = ''] = FIRST_LINE.exec(bytes.toString('latin1', 0, firstLineOf(bytes)).slice(0, -2)) ?? []
  const query = target.includes('?') ? target.slice(target.indexOf('?')) : ''
  return /[\x80-\xff]/.test(query) ? query : ''
}

/** Queries of requests that node:http is about to parse, by connection. */
const rawQueries = new WeakMap<object, string>()

/** Keeps the original query of a connection's first request while node:http parses an escaped one. */
export const keepQuery = (connection: object, bytes: Buffer): void => {
  const query = rawQueryOf(bytes)
  if (query !== '') rawQueries.set(connection, query)
}

/** Restores the original query of a connection's first request. */
export const restoreQuery = (request: IncomingMessage): void => {
  const query = rawQueries.get(request.socket)
  if (query === undefined) return
  rawQueries.delete(request.socket)
  request.url = (request.url ?? '').split('?', 1).join('') + query
}

/**
 * Rewrites a first line so that node:http accepts it: its parser only knows certain methods, in upper case, and no bytes above
 * 7F in a target. Go accepts any method and any byte. An unknown method becomes POST, which is what Dapr sends to the app
 * (pkg/messaging/v1/invoke_method_request.go). An invalid line is returned unchanged.
 */
export const readable = (bytes: Buffer): Buffer => {
  const end = firstLineOf(bytes)
  const match = FIRST_LINE.exec(bytes.toString('latin1', 0, end).slice(0, -2))
  if (match === null) return bytes
  const [, word = '', target = '', version = ''] = match
  const method = word.toUpperCase()
  if (http.METHODS.includes(word) && !/[\x80-\xff]/.test(target)) return bytes
  const escaped = escapedTarget(target)
  const line = `${http.METHODS.includes(method) ? method : 'POST'} ${escaped} ${version}\r\n`
  return Buffer.concat([Buffer.from(line, 'latin1'), bytes.subarray(end)])
}
