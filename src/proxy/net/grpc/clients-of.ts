import {FrameClients, type Waiter} from '#h2-frames'
import type {SharedCallee} from '../dialer.ts'
import {isSecure} from './head-fields.ts'
import {ownOf} from '../../../model/own.ts'

/** Returns the HTTP/2 connections of a pool, each of which carries many calls. */
export const clientsOf = (pool: SharedCallee, warn: (text: string) => void): FrameClients =>
  (pool.frameClients ??= new FrameClients({
    hosts: pool.hosts,
    port: pool.port,
    isSecure: isSecure(pool),
    hint: ownOf(HINTS, pool.protocol) ?? '',
    warn
  }))

/** Waits for a connection, before the call begins. Returns a function that cancels the wait. */
export const takeFirst = (clients: FrameClients, opened: () => void, failed: Waiter['failed']): (() => void) => {
  const waiter: Waiter = {opened: () => opened(), failed}
  queueMicrotask(() => clients.take(waiter))
  return () => clients.leave(waiter)
}

/** Hints by `appProtocol`, for the error about a callee that does not speak gRPC. */
const HINTS: Readonly<Record<string, string>> = {
  grpc: 'its appProtocol is grpc: does it speak gRPC without TLS at this port?',
  grpcs: 'its appProtocol is grpcs: does it speak gRPC with TLS at this port?'
}
