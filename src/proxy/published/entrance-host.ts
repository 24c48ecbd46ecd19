/** The host that a request names. */
export interface NamedHost {
  /** As the caller wrote it, with its port. */
  readonly written: string
  /** In lower case, without the port and without a dot at its end. */
  readonly name: string
}

const HOST = /^host:[ \t]*([^\r\n]*?)[ \t]*\r$/gim
const PORT = /:\d{1,5}$/
/** The longest host name (RFC 1035 §2.3.4), its port, and a dot at its end. */
const MAX_LENGTH = 260

/** Reads the host from header lines. Returns undefined for none or several, which programs could read differently (RFC 9112 §3.2). */
export function hostIn(lines: string): NamedHost | undefined {
  const [first, ...others] = Array.from(lines.matchAll(HOST), ([, host = '']) => host)
  return first === undefined || others.length > 0 ? undefined : namedHost(first)
}

export const namedHost = (written: string): NamedHost =>
  written.length > MAX_LENGTH
    ? {written: '', name: ''}
    : {written, name: written.replace(PORT, '').toLowerCase().replace(/\.$/, '')}

/** Origin of a connection. */
export interface Origin {
  readonly address: string
  readonly port: number
  readonly scheme: 'http' | 'https'
}

/** The header lines by which an app learns where its caller came in. A proxy in front of the entrance has written its own, which stay. */
export function forwardedLines(lines: string, host: string, {address, port, scheme}: Origin): string {
  const added = [
    ['X-Forwarded-For', address],
    ['X-Forwarded-Proto', scheme],
    ['X-Forwarded-Host', host],
    ['X-Forwarded-Port', port.toString()]
  ] as const
  const has = /^x-forwarded-/im.test(lines)
  return added
    .filter(([name]) => !has || name === 'X-Forwarded-For' || !new RegExp(`^${name}:`, 'im').test(lines))
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
}

const PASSES = 'Pillion-Hops'

/** The header line that counts how often a request has passed the entrance: each pass adds one. */
export const PASS_LINE = `${PASSES}: 1\r\n`

/** How often a request has passed the entrance. A proxy may join the lines. */
export const passesIn = (lines: string): number =>
  Array.from(lines.matchAll(/^pillion-hops:([^\r]*)/gim), ([, values = '']) => values.split(',').length).reduce(
    (sum, count) => sum + count,
    0
  )
