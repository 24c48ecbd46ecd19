/** The host that a request names. */
export interface NamedHost {
  /** As the caller wrote it, with its port. */
  readonly written: string
  /** In lower case, without the port and without a dot at its end. */
  readonly name: string
}

const HOST = /^host:[ \t]*([^\r\n]*?)[ \t]*\r$/gim
const PORT = /:\d{1,5}$/
/** Maximum length of a host name (RFC 1035 §2.3.4) with a port and a final dot. */
const MAX_LENGTH = 260

/** Reads the host from header lines. Returns undefined for none or several, which programs could read differently (RFC 9112 §3.2). */
function hostIn(lines: string): NamedHost | undefined {
  const [first, ...others] = Array.from(lines.matchAll(HOST), ([, host = '']) => host)
  return first === undefined || others.length > 0 ? undefined : namedHost(first)
}

export const namedHost = (written: string): NamedHost =>
  written.length > MAX_LENGTH
    ? {written: '', name: ''}
    : {written, name: written.replace(PORT, '').toLowerCase().replace(/\.$/, '')}

/** Address of a caller, and the port and scheme at which it called the entrance. */
export interface Origin {
  readonly address: string
  readonly port: number
  readonly scheme: 'http' | 'https'
}

/** Facts about the head of a request to the entrance. */
export interface AskedHost {
  /** undefined: the request has no `Host` line, or several. */
  readonly host: NamedHost | undefined
  /** Number of times that the request has passed the entrance. */
  readonly passes: number
  /** X-Forwarded headers that no proxy in front of the entrance has written. */
  readonly lacks: readonly (typeof FORWARDED)[number][]
}

const FORWARDED = ['For', 'Proto', 'Host', 'Port'] as const

export function readAsked(lines: string): AskedHost {
  const has = /^x-forwarded-/im.test(lines)
  const isWritten = (name: string): boolean => name !== 'For' && new RegExp(`^x-forwarded-${name}:`, 'im').test(lines)
  const lacks = has ? FORWARDED.filter(name => !isWritten(name)) : FORWARDED
  return {host: hostIn(lines), passes: passesIn(lines), lacks}
}

/** Returns the X-Forwarded lines that a request lacks: address and scheme of its caller, host and port of the entrance. */
export function forwardedLines({host, lacks}: AskedHost, {address, port, scheme}: Origin): string {
  const values = {For: address, Proto: scheme, Host: host?.written ?? '', Port: port}
  return lacks.map(name => `X-Forwarded-${name}: ${values[name]}\r\n`).join('')
}

const PASSES = 'Pillion-Hops'

/** The header line that counts how often a request has passed the entrance: each pass adds one. */
export const PASS_LINE = `${PASSES}: 1\r\n`

/** Counts how often a request has passed the entrance. A proxy may join the lines to one with commas. */
const passesIn = (lines: string): number =>
  Array.from(lines.matchAll(/^pillion-hops:([^\r]*)/gim), ([, values = '']) => values.split(',')).flat().length
