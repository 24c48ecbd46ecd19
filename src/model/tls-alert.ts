import {codeOf} from './errors.ts'

/** TLS alerts of the peer by number (RFC 8446 §6), as Go words them (`alertText`). */
const ALERTS: Readonly<Record<number, string | undefined>> = {
  10: 'unexpected message',
  20: 'bad record MAC',
  21: 'decryption failed',
  22: 'record overflow',
  30: 'decompression failure',
  40: 'handshake failure',
  42: 'bad certificate',
  43: 'unsupported certificate',
  44: 'revoked certificate',
  45: 'expired certificate',
  46: 'unknown certificate',
  47: 'illegal parameter',
  48: 'unknown certificate authority',
  49: 'access denied',
  50: 'error decoding message',
  51: 'error decrypting message',
  60: 'export restriction',
  70: 'protocol version not supported',
  71: 'insufficient security level',
  80: 'internal error',
  86: 'inappropriate fallback',
  90: 'user canceled',
  100: 'no renegotiation',
  109: 'missing extension',
  110: 'unsupported extension',
  111: 'certificate unobtainable',
  112: 'unrecognized name',
  113: 'bad certificate status response',
  115: 'unknown PSK identity',
  116: 'certificate required',
  120: 'no application protocol'
}

/** Why the peer ended a TLS connection, as Go reports it; empty if the error is not an alert. */
export const alertText = ({message}: Error): string => {
  const number = /SSL alert number (\d+)/.exec(message)?.[1]
  return number === undefined ? '' : `remote error: tls: ${ALERTS[Number(number)] ?? `alert(${number})`}`
}

/** Explains a failed TLS handshake in Go's words: an alert, a peer without TLS, or a closed connection. */
export const handshakeText = (error: Error): string => {
  const code = codeOf(error)
  // node:tls reports the end of the connection as a reset
  if (code === 'ECONNRESET') return 'EOF'
  if (code.startsWith('ERR_SSL')) return alertText(error) || 'tls: first record does not look like a TLS handshake'
  return error.message
}
