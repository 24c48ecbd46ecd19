import {CANCELLED, type GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import {aborted} from '../../../platform/delay.ts'
import type {Workflows} from '../workflows.ts'

/** The stream of a worker at the gRPC port of a sidecar. */
interface WorkerStream {
  /** Aborted when the worker has disconnected. */
  readonly ended: AbortSignal
  /** Aborted when the sidecar closes. */
  readonly closing: AbortSignal
  readonly connection: object
  /** Whether much data waits until the worker reads it. */
  readonly isBehind: boolean
  /** Resolves when the worker has read most data, or has disconnected. */
  room(): Promise<void>
  send(message: Uint8Array): void
}

/**
 * Matches the user agent of JavaScript's SDK: `dapr-js-sdk/workflow grpc-node-js/1.12.6`. That SDK drops items if it has more than
 * `JAVASCRIPT_LIMIT`, so that workflows would never end (@dapr/dapr: workflow/internal/durabletask/worker).
 */
const JAVASCRIPT = /(^| )grpc-node-js\//
const JAVASCRIPT_LIMIT = 100

/** Starts of the processes that opened connections, by `performance.now()`; 0: unknown. During a reload an app has two processes. */
const BEGUN = new WeakMap<object, number>()

/** Serves GetWorkItems: sends work to a worker until it disconnects or the sidecar closes. Resolves with the status that ends the stream. */
export async function streamWorkItems(
  workflows: Workflows,
  {appId: app, instance: home, lives}: {appId: string; instance: string; lives: () => readonly number[]},
  stream: WorkerStream,
  userAgent: string
): Promise<GrpcStatus> {
  const limit = JAVASCRIPT.test(userAgent) ? JAVASCRIPT_LIMIT : Infinity
  const send = (item: Uint8Array): void => {
    stream.send(item)
    // all items at once could exceed the limit of the stream, at each reconnection again
    if (stream.isBehind) void stream.room().then(() => workflows.mayTakeMore())
  }
  const {connection} = stream
  const process = BEGUN.get(connection) ?? Math.max(0, ...lives())
  BEGUN.set(connection, process)
  const isBehind = (): boolean => stream.isBehind
  const leave = workflows.connect(app, {limit, home, process: process || undefined, connection, isBehind, send})
  await aborted(AbortSignal.any([stream.ended, stream.closing]))
  leave()
  return {code: CANCELLED, message: 'shutting down'}
}
