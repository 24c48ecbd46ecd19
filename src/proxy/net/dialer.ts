import type {OnReadOpts} from 'node:net'
import type {Duplex} from 'node:stream'

/** How to connect to a callee other than over plain TCP. */
export interface Dial {
  /** `http` or `https`, for error messages. */
  readonly scheme: 'http' | 'https'
  /** The event that signals an open connection. */
  readonly opens: 'connect' | 'secureConnect'
  /** A connection carries one call: whether the callee listens is seen before each. */
  readonly carriesOne?: true
  /** It sends a request once more by itself: only it knows which of its connections are new. */
  readonly sendsAgain?: true
  /** Starts connecting. The stream carries HTTP/1.1, whatever the callee speaks; one that reads by `onread` has no `data`. */
  open(host: string, port: number, onread: OnReadOpts): Duplex
}

/** A failure whose message the caller gets as it is. */
export class UpstreamError extends Error {}

const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls')

/** Apps that speak TLS 1.2 or later. Their certificates are not verified (Dapr: pkg/runtime/channels). */
export const secureDial: Dial = {
  scheme: 'https',
  opens: 'secureConnect',
  open: (host, port, onread) => {
    const at = {host, port, onread}
    const socket = tls().connect({...at, minVersion: 'TLSv1.2', rejectUnauthorized: false})
    const destroy = socket.destroy.bind(socket)
    // what the app said before a write failed is read until then
    socket.destroy = (error?: NodeJS.ErrnoException) => {
      if (error?.syscall !== 'write') return destroy(error)
      setImmediate(() => setImmediate(destroy, error))
      return socket
    }
    return socket.setNoDelay(true)
  }
}
