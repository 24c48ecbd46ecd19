import type * as Api from '../../src/model/api.generated.ts'
import {CONNECTION_HEADERS} from '../../src/model/connection-headers.ts'

/** What each request gets as it is sent. */
const SET_AGAIN: ReadonlySet<string> = new Set(['host', ...CONNECTION_HEADERS])

type Edited = Pick<Api.CallDetail, 'method' | 'path' | 'request'>

const shownHeaders = ({request}: Edited): Api.Message['headers'] =>
  request.headers.filter(([name]) => !SET_AGAIN.has(name.toLowerCase()))

const bodyOf = ({request: {body, encoding}}: Edited): string => (encoding === 'utf8' ? body : '')

/** A request as HTTP writes it: the first line, headers, an empty line, the body. */
export const textOf = (call: Edited): string =>
  [
    `${call.method} ${call.path}`,
    ...shownHeaders(call).map(([name, value]) => `${name}: ${value}`),
    '',
    bodyOf(call)
  ].join('\n')

/** A text as a field of a form has it: each line ends with LF. */
const asTyped = (text: string): string => text.replace(/\r\n?/g, '\n')

/** A body that was typed, with CRLF if all lines of that before it end so: those of a multipart form have to. */
const withLineEndsOf = (before: string, body: string): string =>
  /\r\n/.test(before) && !/(?<!\r)\n/.test(before) ? body.replaceAll('\n', '\r\n') : body

/** Headers by their names in lower case; the values of several of one name are one list, as HTTP has it (RFC 9110, 5.3). */
function byName(headers: Api.Message['headers']): ReadonlyMap<string, {readonly name: string; readonly value: string}> {
  const found = new Map<string, {readonly name: string; readonly value: string}>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    const earlier = found.get(key)
    const joint = key === 'cookie' ? '; ' : ', '
    found.set(key, earlier === undefined ? {name, value} : {...earlier, value: earlier.value + joint + value})
  }
  return found
}

/** What differs in an edited text from the request; a string: what is wrong with it. */
export function editOf(text: string, call: Edited): Api.RequestEdit | string {
  const [head = '', ...bodies] = asTyped(text).split('\n\n')
  const [line = '', ...lines] = head.split('\n')
  const body = bodies.join('\n\n')
  const [, method, path] = /^([A-Za-z]+) +(\/\S*) *(?:HTTP\/[\d.]+)?$/.exec(line.trim()) ?? []
  if (method === undefined || path === undefined) return 'The first line has to be a method and a path: POST /orders/7'
  const given: Api.Message['headers'][number][] = []
  for (const [index, each] of lines.entries()) {
    const [, name, value = ''] = /^([^\s:]+): *(.*)$/.exec(each.trim()) ?? []
    if (name === undefined)
      return `Line ${index + 2} is not a header, such as x-user: ann. An empty line ends the headers.`
    given.push([name, value])
  }
  const [now, before] = [byName(given), byName(shownHeaders(call))]
  const headers = [
    ...[...now].filter(([key, {value}]) => before.get(key)?.value !== value).map(([, {name, value}]) => [name, value]),
    ...[...before].filter(([key]) => !now.has(key)).map(([, {name}]) => [name, null])
  ]
  return {
    ...(method !== call.method && {method: method.toUpperCase()}),
    ...(path !== call.path && {path}),
    ...(headers.length > 0 && {headers: Object.fromEntries(headers) as Record<string, string | null>}),
    ...(body !== asTyped(bodyOf(call)) && {body: withLineEndsOf(bodyOf(call), body)})
  }
}
