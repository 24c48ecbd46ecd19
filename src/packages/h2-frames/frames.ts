/*
 * Frames of HTTP/2 (RFC 9113 §4, §6) as latin1 text, one character per byte: slices of received text can be sent again, and all frames that one
 * read causes are joined to one write.
 */

export const DATA = 0
export const HEADERS = 1
export const RST_STREAM = 3
export const SETTINGS = 4
export const PUSH_PROMISE = 5
export const PING = 6
export const GOAWAY = 7
export const WINDOW_UPDATE = 8
export const CONTINUATION = 9

export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4
export const PADDED = 8
export const HAS_PRIORITY = 32

export const NO_ERROR = 0
export const PROTOCOL_ERROR = 1
export const INTERNAL_ERROR = 2
export const FLOW_CONTROL_ERROR = 3
export const STREAM_CLOSED = 5
export const FRAME_SIZE_ERROR = 6
/** The stream was not processed, so that it may be repeated (RFC 9113 §8.7). */
export const REFUSED_STREAM = 7
export const CANCEL = 8
export const COMPRESSION_ERROR = 9
export const ENHANCE_YOUR_CALM = 11

const CODES = [
  ...'NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED'.split(' '),
  ...'FRAME_SIZE_ERROR REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM'.split(' '),
  ...'INADEQUATE_SECURITY HTTP_1_1_REQUIRED'.split(' ')
]

/** Returns the name of an error code as Go's library prints it. */
export const codeName = (code: number): string => CODES[code] ?? `unknown error code 0x${code.toString(16)}`

/** An error of the peer that ends the whole connection (RFC 9113 §5.4.1). */
export class ConnectionError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Maximum payload of sent and received frames: the initial SETTINGS_MAX_FRAME_SIZE. */
export const MAX_PAYLOAD = 16_384
/** Size of a frame's head. */
export const HEAD_BYTES = 9
export const MAX_WINDOW = 0x7f_ff_ff_ff

const char = String.fromCharCode

export const frameHead = (length: number, type: number, flags: number, stream: number): string =>
  char(
    length >>> 16,
    (length >>> 8) & 255,
    length & 255,
    type,
    flags,
    stream >>> 24,
    (stream >>> 16) & 255,
    (stream >>> 8) & 255,
    stream & 255
  )

export const uint32 = (value: number): string =>
  char(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)

export const readUint32 = (text: string, at: number): number =>
  text.charCodeAt(at) * 0x1_00_00_00 +
  ((text.charCodeAt(at + 1) << 16) | (text.charCodeAt(at + 2) << 8) | text.charCodeAt(at + 3))

/** Reads 31 bits. The highest bit is reserved and ignored. */
export const readUint31 = (text: string, at: number): number =>
  ((text.charCodeAt(at) & 127) << 24) |
  (text.charCodeAt(at + 1) << 16) |
  (text.charCodeAt(at + 2) << 8) |
  text.charCodeAt(at + 3)

export const resetFrame = (stream: number, code: number): string => frameHead(4, RST_STREAM, 0, stream) + uint32(code)

export const windowFrame = (stream: number, bytes: number): string =>
  frameHead(4, WINDOW_UPDATE, 0, stream) + uint32(bytes)

export const goAwayFrame = (lastStream: number, code: number): string =>
  frameHead(8, GOAWAY, 0, 0) + uint32(lastStream) + uint32(code)

/** Returns a header block as a HEADERS frame, and CONTINUATION frames if it is long. */
export const headersFrames = (stream: number, block: string, isLast: boolean): string => {
  const end = isLast ? END_STREAM : 0
  if (block.length <= MAX_PAYLOAD) return frameHead(block.length, HEADERS, end | END_HEADERS, stream) + block
  let text = frameHead(MAX_PAYLOAD, HEADERS, end, stream) + block.slice(0, MAX_PAYLOAD)
  for (let at = MAX_PAYLOAD; at < block.length; at += MAX_PAYLOAD) {
    const piece = block.slice(at, at + MAX_PAYLOAD)
    const isEnd = at + MAX_PAYLOAD >= block.length
    text += frameHead(piece.length, CONTINUATION, isEnd ? END_HEADERS : 0, stream) + piece
  }
  return text
}
