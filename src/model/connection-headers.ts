/** Headers that belong to one connection or to the framing of one message: who sends a request again sets them again (RFC 9110 §7.6.1). */
export const CONNECTION_HEADERS: readonly string[] =
  'connection content-length expect http2-settings keep-alive te trailer transfer-encoding upgrade'.split(' ')
