import type {OnReadOpts} from 'node:net'
import type {Duplex, Writable} from 'node:stream'
import type {Protocol} from '../../model/call-protocol.ts'
import {codeOf} from '../../model/errors.ts'
import type {FrameClients} from '#h2-frames'
import type {Connect} from './remote-side.ts'

/** A callee as HTTP/2 clients need it, whose connections carry many calls each. Implemented by `Pool`. */
export interface SharedCallee {
  readonly hosts: readonly string[]
  readonly port: number
  /** Host header of requests. */
  readonly authority: string
  /** The app's `appProtocol`; '': unknown. */
  readonly protocol: string
  /** HTTP/2 connections to the callee; undefined: no call has needed them yet. */
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
  /** Opens a connection for HTTP/1.1 that emits `secureConnect`. `onread`: receives the bytes, in place of the event `data`. */
  open?(host: string, port: number, onread: OnReadOpts): Duplex
  /** Loads the code of another client, which carries each call in place of `open`. */
  remote?(callee: SharedCallee): Promise<Connect>
}

/** A failure whose message the caller gets unchanged. */
export class UpstreamError extends Error {}

const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls')

/** Connects to apps over TLS 1.2 or later, without verifying their certificates (Dapr: pkg/runtime/channels). */
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

/** Delays write errors of a connection until it has read: the other side may respond and close before it has read everything. */
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
