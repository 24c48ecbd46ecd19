import type * as Api from '../../src/model/api.generated.ts'
import {CONNECTION_HEADERS} from '../../src/model/connection-headers.ts'

/** The headers that the run sets itself when it sends a request. */
const SET_AGAIN: ReadonlySet<string> = new Set(['host', ...CONNECTION_HEADERS])

type Edited = Pick<Api.CallDetail, 'method' | 'path' | 'request'>

const shownHeaders = ({request}: Edited): Api.Message['headers'] =>
  request.headers.filter(([name]) => !SET_AGAIN.has(name.toLowerCase()))

const bodyOf = ({request: {body, encoding}}: Edited): string => (encoding === 'utf8' ? body : '')

/** Returns a request as HTTP text: the first line, headers, an empty line, the body. */
export const textOf = (call: Edited): string =>
  [
    `${call.method} ${call.path}`,
    ...shownHeaders(call).map(([name, value]) => `${name}: ${value}`),
    '',
    bodyOf(call)
  ].join('\n')

/** Returns a text as a form field normalizes it, with LF at the end of each line. */
const asTyped = (text: string): string => text.replace(/\r\n?/g, '\n')

/** Returns a typed body with CRLF line ends if all lines of the earlier body had them, as multipart forms require. */
const withLineEndsOf = (before: string, body: string): string =>
  /\r\n/.test(before) && !/(?<!\r)\n/.test(before) ? body.replaceAll('\n', '\r\n') : body

/** Returns headers by lower-case name; several values of one name are joined to a list (RFC 9110, 5.3). */
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

/** Returns how an edited text differs from the request; a string says why it is invalid. */
export function editOf(text: string, call: Edited): Api.RequestEdit | string {
  const [head = '', ...bodies] = asTyped(text).split('\n\n')
  const [line = '', ...lines] = head.split('\n')
  const body = bodies.join('\n\n')
  // a path with a mask has blanks
  const [, method, path] = /^(\S+) +(\/.*?)(?: +HTTP\/[\d.]+)?$/.exec(line.trim()) ?? []
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
