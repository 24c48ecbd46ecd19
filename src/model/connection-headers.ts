/** Headers that are not passed on: they concern only one connection, or the framing of one message (RFC 9110 §7.6.1). */
export const CONNECTION_HEADERS: readonly string[] =
  'connection content-length expect http2-settings keep-alive te trailer transfer-encoding upgrade'.split(' ')
