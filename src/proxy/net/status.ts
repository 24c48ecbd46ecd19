import {http} from './http1/node-http.ts'
import {ownOf} from '../../model/own.ts'

/** Reason phrases of Go: those of Node with the differences. undefined: Go has none. */
const GO_REASONS: Readonly<Record<number, string | undefined>> = {
  ...http.STATUS_CODES,
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  416: 'Requested Range Not Satisfiable',
  418: "I'm a teapot",
  509: undefined
}

/** Returns Go's reason phrase for a status; undefined: Go has none. */
export const statusText = (status: number): string | undefined => ownOf(GO_REASONS, status)

/** Returns the reason phrase of Go's server (`StatusText`, `writeStatusLine` of net/http). Dapr's callers see it in place of an app's own. */
export const reasonOf = (status: number): string => statusText(status) ?? `status code ${status}`

const STATUS_LINES = Array.from({length: 600}, (_, status) => `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`)

/** Returns the status line for a valid status, with its CRLF. */
export const statusLine = (status: number): string => STATUS_LINES[status] ?? ''

/** Whether a status is valid in HTTP: 100 to 599 (RFC 9110 §15). */
export const isValidStatus = (status: number): boolean => status >= 100 && status <= 599

/** Returns the error about an invalid status in the first line of a response; '': the status is valid or missing. */
export const statusFault = (text: string): string => {
  const status = /^HTTP\/\d\.\d +(-?\d+)(?:[ \r\n]|$)/.exec(text)?.[1]
  return status === undefined || isValidStatus(Number(status)) ? '' : `invalid HTTP status ${status.slice(0, 20)}`
}
