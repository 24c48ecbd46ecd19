import {frameHead, SETTINGS, uint32, windowFrame} from './frames.ts'

/** The first bytes of a client of HTTP/2 (RFC 9113 §3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** Bytes of one stream that a peer may send before they have been passed on. */
export const STREAM_WINDOW = 1 << 20
/** Bytes of all streams of a connection that a peer may send before they have been read. */
export const CONNECTION_WINDOW = 1 << 24
/** Number of bytes that either side may send before SETTINGS or WINDOW_UPDATE change it. */
export const INITIAL_WINDOW = 65_535

/** Maximum number of open streams on a connection, as at Go's servers (golang.org/x/net/http2, MaxConcurrentStreams). */
export const MAX_STREAMS = 250

const setting = (id: number, value: number): string => String.fromCharCode(0, id) + uint32(value)

const greeting = (settings: string): string =>
  frameHead(settings.length, SETTINGS, 0, 0) + settings + windowFrame(0, CONNECTION_WINDOW - INITIAL_WINDOW)

// A header table of 0 bytes: fields of peers then mean the same on every connection, and are passed on as bytes.
const COMMON = setting(1, 0) + setting(4, STREAM_WINDOW)

/** First bytes of a server, for which Go's SDK waits. A constant, so that sending it needs no further code. */
export const SERVER_GREETING = greeting(COMMON + setting(3, MAX_STREAMS))

/** The first bytes of a client: it refuses pushes. */
export const CLIENT_GREETING = PREFACE + greeting(COMMON + setting(2, 0))
