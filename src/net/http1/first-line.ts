import type {IncomingMessage} from 'node:http'
import {isOf, TOKEN} from './header-lines.ts'
import {http} from './node-http.ts'

const FIRST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^\0-\x20\x7f]+) (HTTP\/1\.[01])$/
const HIGH = /[\x80-\xff]/g

/** The first line of HTTP/2 without TLS (RFC 9113 §3.4). */
const PREFACE = 'PRI * HTTP/2.0\r\n'

/** Where the first line ends, its LF included; 0: it has not come. */
const firstLineOf = (bytes: Buffer): number => bytes.indexOf(10) + 1

/** The beginning of a first line. What cannot be one (TLS, for example) is not waited for. */
export const isHalfLine = (bytes: Buffer): boolean => firstLineOf(bytes) === 0 && isOf(bytes[0] ?? 0, TOKEN)

export const isPreface = (bytes: Buffer): boolean => bytes.toString('latin1', 0, PREFACE.length) === PREFACE

/** A target in the form in which node:http reads it. */
export const escapedTarget = (target: string): string =>
  target.replace(HIGH, byte => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)

/** The query of the request at the start of some bytes, where it has bytes above 7F; '' for all others. */
const rawQueryOf = (bytes: Buffer): string => {
  const [, , target = ''] = FIRST_LINE.exec(bytes.toString('latin1', 0, firstLineOf(bytes)).slice(0, -2)) ?? []
  const query = target.includes('?') ? target.slice(target.indexOf('?')) : ''
  return /[\x80-\xff]/.test(query) ? query : ''
}

/** Queries of requests that node:http is about to read, by their connections. */
const rawQueries = new WeakMap<object, string>()

/** Keeps the query of a connection's first request for node:http as its caller wrote it. */
export const keepQuery = (connection: object, bytes: Buffer): void => {
  const query = rawQueryOf(bytes)
  if (query !== '') rawQueries.set(connection, query)
}

/** Gives the first request of a connection its query back. */
export const restoreQuery = (request: IncomingMessage): void => {
  const query = rawQueries.get(request.socket)
  if (query === undefined) return
  rawQueries.delete(request.socket)
  request.url = (request.url ?? '').split('?', 1).join('') + query
}

/**
 * Says a first line so that node:http reads it: its parser knows some words as methods, in capitals, and no byte above 7F in
 * a target. Go takes any word and any byte. A word that is none of node's becomes POST, which is what the app gets to see of
 * it (Dapr: pkg/messaging/v1/invoke_method_request.go). A line that is none stays as it is.
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
