import {http} from './http1/node-http.ts'
import {ownOf} from '../../model/own.ts'

/** Go's reason phrases that differ from node's. A status without one becomes `status code <number>`. */
const GO_REASONS: Readonly<Record<number, string | undefined>> = {
  ...http.STATUS_CODES,
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  416: 'Requested Range Not Satisfiable',
  418: "I'm a teapot",
  509: undefined
}

/** Returns the words of Go for a status, if any. */
export const statusText = (status: number): string | undefined => ownOf(GO_REASONS, status)

/**
 * The reason phrase of a status, as Go's server writes it (`StatusText` and `writeStatusLine` of net/http) and Dapr's callers
 * see it. An app's own reason phrase is not passed on.
 */
export const reasonOf = (status: number): string => statusText(status) ?? `status code ${status}`

const STATUS_LINES = Array.from({length: 600}, (_, status) => `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`)

/** The status line for a valid status, with its CRLF. */
export const statusLine = (status: number): string => STATUS_LINES[status] ?? ''

/** Whether a status can be passed on: HTTP has 100 to 599 (RFC 9110 §15), and HTTP/2 no others. */
export const isValidStatus = (status: number): boolean => status >= 100 && status <= 599

/** The mistake in the status of a response's first line; '' if it is valid or missing. */
export const statusFault = (text: string): string => {
  const status = /^HTTP\/\d\.\d +(-?\d+)(?:[ \r\n]|$)/.exec(text)?.[1]
  return status === undefined || isValidStatus(Number(status)) ? '' : `invalid HTTP status ${status.slice(0, 20)}`
}
