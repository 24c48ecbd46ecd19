let second = 0
let line = ''

/** The `Date` of a response of our own (RFC 9110 §6.6.1), as node:http writes it; made once a second. */
export function dateLine(): string {
  const now = Math.trunc(Date.now() / 1000)
  if (now !== second) line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`
  second = now
  return line
}
