import type {GrpcInvocation} from '../../../model/call.ts'
import type {Dial} from '../dialer.ts'
import type {Pool} from '../pool.ts'
import {lazyConnect, ProtocolAdapter} from '../protocol-adapter.ts'

/**
 * How calls over HTTP reach an app that speaks gRPC, through the gRPC connections of its pool. `maxBytes`: of its answer, 0 = any number;
 * `onInvoke` is called when the app has been called.
 */
export const grpcDial = (pool: () => Pool, maxBytes: number, onInvoke: (invocation: GrpcInvocation) => void): Dial => {
  const connect = lazyConnect(async () => (await import('./on-invoke.ts')).connectOnInvoke(pool(), maxBytes, onInvoke))
  return {scheme: 'http', opens: 'connect', open: () => new ProtocolAdapter(connect)}
}
