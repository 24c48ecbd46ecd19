import {FrameClients, type Waiter} from '#h2-frames'
import type {SharedCallee} from '../dialer.ts'
import {isSecure} from './head-fields.ts'
import {ownOf} from '../../../model/own.ts'

/** The connections of a pool that carry many calls each. */
export const clientsOf = (pool: SharedCallee, warn: (text: string) => void): FrameClients =>
  (pool.frameClients ??= new FrameClients({
    hosts: pool.hosts,
    port: pool.port,
    isSecure: isSecure(pool),
    hint: ownOf(HINTS, pool.protocol) ?? '',
    warn
  }))

/** Waits for a connection before there is a call. Returns a function that cancels the wait. */
export const takeFirst = (clients: FrameClients, opened: () => void, failed: Waiter['failed']): (() => void) => {
  const waiter: Waiter = {opened: () => opened(), failed}
  queueMicrotask(() => clients.take(waiter))
  return () => clients.leave(waiter)
}

/** Hints by `appProtocol` for an app that should speak gRPC; callers have a hint for other apps. */
const HINTS: Readonly<Record<string, string>> = {
  grpc: 'its appProtocol is grpc: does it speak gRPC without TLS at this port?',
  grpcs: 'its appProtocol is grpcs: does it speak gRPC with TLS at this port?'
}
