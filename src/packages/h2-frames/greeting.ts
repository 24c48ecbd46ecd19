import {frameHead, SETTINGS, uint32, windowFrame} from './frames.ts'

/** First bytes of an HTTP/2 client (RFC 9113 §3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** Number of bytes that a peer may send on one stream before they have been forwarded. */
export const STREAM_WINDOW = 1 << 20
/** Number of bytes that a peer may send on all streams of a connection before they have been read. */
export const CONNECTION_WINDOW = 1 << 24
/** Number of bytes that either side may send before SETTINGS or WINDOW_UPDATE change it. */
export const INITIAL_WINDOW = 65_535

/** Maximum number of open streams on a connection, as at Go's servers (golang.org/x/net/http2, MaxConcurrentStreams). */
export const MAX_STREAMS = 250

const setting = (id: number, value: number): string => String.fromCharCode(0, id) + uint32(value)

const greeting = (settings: string): string =>
  frameHead(settings.length, SETTINGS, 0, 0) + settings + windowFrame(0, CONNECTION_WINDOW - INITIAL_WINDOW)

// forbids the peer to use a header table, so that its encoded fields mean the same on every connection and can be forwarded
const COMMON = setting(1, 0) + setting(4, STREAM_WINDOW)

/** First bytes of a server, for which Go's SDK waits. A constant, so that they can be sent before other code is loaded. */
export const SERVER_GREETING = greeting(COMMON + setting(3, MAX_STREAMS))

/** First bytes of a client, which refuses pushes. */
export const CLIENT_GREETING = PREFACE + greeting(COMMON + setting(2, 0))
