import type {GrpcInvocation} from '../../../model/call.ts'
import type {Dial} from '../dialer.ts'
import type {Pool} from '../pool.ts'
import {ProtocolAdapter, type Connect, type RemoteSide} from '../protocol-adapter.ts'

/** Loads what speaks gRPC with the first call to such an app. */
const connectLazily =
  (pool: () => Pool, maxBytes: number, onInvoke: (invocation: GrpcInvocation) => void): Connect =>
  on => {
    let remote: RemoteSide | undefined
    let isEnded = false
    const load = async (): Promise<void> => {
      try {
        const {connectOnInvoke} = await import('./on-invoke.ts')
        if (!isEnded) remote = connectOnInvoke(pool(), maxBytes, onInvoke)(on)
      } catch (error) {
        on.failed(error instanceof Error ? error : new Error(String(error)))
      }
    }
    void load()
    return {
      request: (adapted, back) => {
        if (remote === undefined) throw new Error('the connection is not open')
        return remote.request(adapted, back)
      },
      end: () => {
        isEnded = true
        remote?.end()
      }
    }
  }

/**
 * How calls over HTTP reach an app that speaks gRPC, through the gRPC connections of its pool. `maxBytes`: of its answer, 0 = any number;
 * `onInvoke` is called when the app has been called.
 */
export const grpcDial = (pool: () => Pool, maxBytes: number, onInvoke: (invocation: GrpcInvocation) => void): Dial => ({
  scheme: 'http',
  opens: 'connect',
  open: () => new ProtocolAdapter(connectLazily(pool, maxBytes, onInvoke))
})
