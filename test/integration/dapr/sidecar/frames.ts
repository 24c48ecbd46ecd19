import type net from 'node:net'

/** Frames of HTTP/2 as latin1 text (RFC 9113 §4.1), written without node:http2: what no client of good manners sends. */

export const DATA = 0
export const HEADERS = 1
export const RST_STREAM = 3
export const SETTINGS = 4
const GOAWAY = 7

export const END_STREAM = 1
export const END_HEADERS = 4

/** What a client begins with, and its empty settings. */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'

const uint = (value: number, bytes: number): string => {
  let text = ''
  for (let at = bytes - 1; at >= 0; at--) text += String.fromCharCode(Math.floor(value / 256 ** at) % 256)
  return text
}

export const frame = (type: number, {flags = 0, stream = 0, payload = ''} = {}): string =>
  uint(payload.length, 3) + uint(type, 1) + uint(flags, 1) + uint(stream, 4) + payload

/** Fields in plain HPACK: literals without a table (RFC 7541 §6.2.2). */
const block = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([name, value]) => `\0${uint(name.length, 1)}${name}${uint(value.length, 1)}${value}`)
    .join('')

export const headers = (stream: number, fields: Readonly<Record<string, string>>, flags = END_STREAM): string =>
  frame(HEADERS, {flags: flags | END_HEADERS, stream, payload: block(fields)})

export const data = (stream: number, payload: string, flags = 0): string => frame(DATA, {flags, stream, payload})

export const reset = (stream: number, code: number): string => frame(RST_STREAM, {stream, payload: uint(code, 4)})

export const goAway = (lastStream: number, code: number): string =>
  frame(GOAWAY, {payload: uint(lastStream, 4) + uint(code, 4)})

export const request = (stream: number, fields: Readonly<Record<string, string>>, flags = END_STREAM): string =>
  headers(stream, {':method': 'GET', ':scheme': 'http', ':authority': 'localhost', ...fields}, flags)

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: string
}

/** The whole frames at the start of a text, and what is left. */
export const framesOf = (text: string): {readonly frames: readonly Frame[]; readonly rest: string} => {
  const frames: Frame[] = []
  let at = 0
  for (;;) {
    const bytes = Array.from(text.slice(at, at + 9), each => each.charCodeAt(0))
    const [high = 0, middle = 0, low = 0, type = 0, flags = 0, , , up = 0, stream = 0] = bytes
    const end = at + 9 + high * 65_536 + middle * 256 + low
    if (bytes.length < 9 || text.length < end) return {frames, rest: text.slice(at)}
    frames.push({type, flags, stream: up * 256 + stream, payload: text.slice(at + 9, end)})
    at = end
  }
}

/** An app that speaks HTTP/2 in frames of our own: told of the stream of each request. */
export const onStream = (
  socket: net.Socket,
  then: (stream: number, head: string) => void,
  onData?: (stream: number, payload: string) => void
): void => {
  let text = ''
  let isGreeted = false
  socket.on('data', bytes => {
    text += bytes.toString('latin1')
    if (!isGreeted) {
      if (text.length < 24) return
      text = text.slice(24)
      isGreeted = true
      socket.write(frame(SETTINGS), 'latin1')
    }
    const {frames, rest} = framesOf(text)
    text = rest
    for (const {type, flags, stream, payload} of frames) {
      if (type === SETTINGS && (flags & 1) === 0) socket.write(frame(SETTINGS, {flags: 1}), 'latin1')
      else if (type === HEADERS) then(stream, payload)
      else if (type === DATA) onData?.(stream, payload)
    }
  })
}
