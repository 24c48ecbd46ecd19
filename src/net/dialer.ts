import type {Duplex} from 'node:stream'

/** How connections to a callee come about, where they are not plain TCP. */
export interface Dial {
  /** `http` or `https`: how callers are told what was called. */
  readonly scheme: 'http' | 'https'
  /** The event after which the link carries bytes. */
  readonly opens: 'connect' | 'secureConnect'
  /** Begins to connect. What the link carries is HTTP/1.1, whatever the callee speaks. */
  open(host: string, port: number): Duplex
}

/** A failure in words that a caller is told as they are. */
export class WordedError extends Error {}

const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls')

/** Apps that speak TLS, at least 1.2. Their certificates are taken as they are (Dapr: pkg/runtime/channels). */
export const secureDial: Dial = {
  scheme: 'https',
  opens: 'secureConnect',
  open: (host, port) => tls().connect({host, port, minVersion: 'TLSv1.2', rejectUnauthorized: false}).setNoDelay(true)
}
