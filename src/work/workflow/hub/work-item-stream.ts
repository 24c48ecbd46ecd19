import {CANCELLED, type GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import {aborted} from '../../../platform/delay.ts'
import type {Workflows} from '../workflows.ts'

/** The stream of a worker, as the gRPC port serves it. */
interface WorkerStream {
  readonly left: AbortSignal
  readonly closing: AbortSignal
  readonly connection: object
  /** Whether more data wait for the worker than it reads soon. */
  readonly isBehind: boolean
  /** Settles when little waits for the worker, or it has left. */
  room(): Promise<void>
  send(message: Uint8Array): void
}

/**
 * The SDK for JavaScript keeps 100 items and drops further ones, so that workflows would never end (@dapr/dapr:
 * workflow/internal/durabletask/worker). Its user agent contains its library: `dapr-js-sdk/workflow grpc-node-js/1.12.6`.
 */
const JAVASCRIPT = /(^| )grpc-node-js\//
const JAVASCRIPT_LIMIT = 100

/** Start times of the processes at the other ends of connections (0: unknown): during a replacement an app has two. */
const BEGUN = new WeakMap<object, number>()

/** GetWorkItems: sends work to a worker until it disconnects or the sidecar closes; resolves with the status that ends the stream. */
export async function streamWorkItems(
  workflows: Workflows,
  {appId: app, instance: home, lives}: {appId: string; instance: string; lives: () => readonly number[]},
  stream: WorkerStream,
  userAgent: string
): Promise<GrpcStatus> {
  const limit = JAVASCRIPT.test(userAgent) ? JAVASCRIPT_LIMIT : Infinity
  const send = (item: Uint8Array): void => {
    stream.send(item)
    // waits for room: all items at once could exceed the stream's limit, and would return at each reconnection
    if (stream.isBehind) void stream.room().then(() => workflows.mayTakeMore())
  }
  const {connection} = stream
  const process = BEGUN.get(connection) ?? Math.max(0, ...lives())
  BEGUN.set(connection, process)
  const isBehind = (): boolean => stream.isBehind
  const leave = workflows.connect(app, {limit, home, process: process || undefined, connection, isBehind, send})
  await aborted(AbortSignal.any([stream.left, stream.closing]))
  leave()
  return {code: CANCELLED, message: 'shutting down'}
}
