/** Headers of one connection or of the framing of one message. A sender of the same request sets its own (RFC 9110 §7.6.1). */
export const CONNECTION_HEADERS: readonly string[] =
  'connection content-length expect http2-settings keep-alive te trailer transfer-encoding upgrade'.split(' ')
