import type {OnReadOpts} from 'node:net'
import type {Duplex, Writable} from 'node:stream'
import type {Protocol} from '../../model/call-protocol.ts'
import {codeOf} from '../../model/errors.ts'
import type {FrameClients} from '#h2-frames'
import type {Connect} from './remote-side.ts'

/** A callee whose connections carry many calls each. */
export interface SharedCallee {
  readonly hosts: readonly string[]
  readonly port: number
  /** The Host header of requests. */
  readonly authority: string
  /** The app's `appProtocol`, '': unknown. */
  readonly protocol: string
  /** Its HTTP/2 connections, created by the first call. */
  frameClients: FrameClients | undefined
  /** The same process over plain TCP. */
  readonly plain: SharedCallee
}

/** How to connect to a callee other than over plain TCP. */
export interface Dial {
  /** Protocol that the callee speaks. */
  readonly protocol: Protocol
  /** `http` or `https`, for error messages. */
  readonly scheme: 'http' | 'https'
  /** Starts a connection that emits `secureConnect`, and carries HTTP/1.1. A stream that reads by `onread` has no `data`. */
  open?(host: string, port: number, onread: OnReadOpts): Duplex
  /** Loads the client that carries one call in place of `open`. */
  remote?(callee: SharedCallee): Promise<Connect>
}

/** A failure whose message the caller gets as it is. */
export class UpstreamError extends Error {}

const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls')

/** Apps that speak TLS 1.2 or later. Their certificates are not verified (Dapr: pkg/runtime/channels). */
export const secureDial = {
  protocol: 'HTTP/1.1',
  scheme: 'https',
  open: (host: string, port: number, onread: OnReadOpts) => {
    const at = {host, port, onread}
    const socket = tls().connect({...at, minVersion: 'TLSv1.2', rejectUnauthorized: false})
    hearLastWords(socket)
    return socket.setNoDelay(true)
  }
} satisfies Dial

/** Makes a connection read before a write fails: the other side may answer and close before it has read everything. */
export function hearLastWords(socket: Writable): void {
  for (const name of ['_write', '_writev'] as const) {
    const write = socket[name]?.bind(socket) as (...values: unknown[]) => void
    Reflect.set(socket, name, (...values: unknown[]) => {
      const done = values.pop() as (error?: Error | null) => void
      write(...values, (error?: Error | null) => {
        const isClosed = error != null && codeOf(error) !== 'EPROTO' // the code of an alert of TLS
        if (isClosed) setImmediate(() => setImmediate(done, error))
        else done(error)
      })
    })
  }
}
