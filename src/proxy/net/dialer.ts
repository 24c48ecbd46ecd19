import type {Duplex} from 'node:stream'

/** How to connect to a callee other than over plain TCP. */
export interface Dial {
  /** `http` or `https`, for error messages. */
  readonly scheme: 'http' | 'https'
  /** The event that signals an open connection. */
  readonly opens: 'connect' | 'secureConnect'
  /** A connection carries one call: whether the callee listens is seen before each. */
  readonly carriesOne?: true
  /** Starts connecting. The stream carries HTTP/1.1, whatever the callee speaks. */
  open(host: string, port: number): Duplex
}

/** A failure whose message the caller gets as it is. */
export class UpstreamError extends Error {}

const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls')

/** Apps that speak TLS 1.2 or later. Their certificates are not verified (Dapr: pkg/runtime/channels). */
export const secureDial: Dial = {
  scheme: 'https',
  opens: 'secureConnect',
  open: (host, port) => tls().connect({host, port, minVersion: 'TLSv1.2', rejectUnauthorized: false}).setNoDelay(true)
}
