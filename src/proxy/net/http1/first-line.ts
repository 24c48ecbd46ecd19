import type {IncomingMessage} from 'node:http'
import {isOf, TOKEN} from './header-kinds.ts'
import {http} from './node-http.ts'

const FIRST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^\0-\x20\x7f]+) (HTTP\/1\.[01])\r\n$/
const HIGH = /[\x80-\xff]/g

/** First line that a caller of HTTP/2 without TLS sends (RFC 9113 §3.4). */
const PREFACE = 'PRI * HTTP/2.0\r\n'

/** Returns the length of the first line with its LF; 0: incomplete. */
const firstLineOf = (bytes: Buffer): number => bytes.indexOf(10) + 1

/** Whether bytes are an incomplete first line; false also for bytes that cannot begin one, such as TLS. */
export const isHalfLine = (bytes: Buffer): boolean => firstLineOf(bytes) === 0 && isOf(bytes[0] ?? 0, TOKEN)

export const isPreface = (bytes: Buffer): boolean => bytes.toString('latin1', 0, PREFACE.length) === PREFACE

/** Returns a request target as node:http accepts it. */
export const escapedTarget = (target: string): string =>
  target.replace(HIGH, byte => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)

/** Targets of requests that node:http has not reported yet, by connection. `url`: as node:http will report it. `query`: the original one. */
const targets = new WeakMap<object, {readonly url: string; readonly query: string}[]>()

/** Restores the original query of a request. */
export const restoreQuery = (request: IncomingMessage): void => {
  const {socket, url = ''} = request
  const known = targets.get(socket) ?? []
  const at = known.findIndex(each => each.url === url)
  const [target] = known.splice(0, at + 1).slice(-1)
  if (target !== undefined) request.url = url.split('?', 1).join('') + target.query
}

/**
 * Rewrites a first line that Go accepts so that node:http accepts it, too: Node's parser knows only certain methods in upper case, and no bytes
 * above 7F in a target. An unknown method becomes POST, as Dapr sends it to the app (pkg/messaging/v1/invoke_method_request.go). Invalid lines
 * stay unchanged. Keeps the query for `restoreQuery`.
 */
export const readable = (line: Buffer, connection: object): Buffer => {
  const [, word = '', target = '', version = ''] = FIRST_LINE.exec(line.toString('latin1')) ?? []
  if (word === '') return line
  const url = escapedTarget(target)
  const known = targets.get(connection) ?? []
  targets.set(connection, known)
  known.push({url, query: target.includes('?') ? target.slice(target.indexOf('?')) : ''})
  if (http.METHODS.includes(word) && url === target) return line
  const method = word.toUpperCase()
  return Buffer.from(`${http.METHODS.includes(method) ? method : 'POST'} ${url} ${version}\r\n`, 'latin1')
}
