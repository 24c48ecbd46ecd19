import {encodeField} from '#h2-frames'
import {systemClock} from '../../../platform/clock.ts'
import {Pool} from '../pool.ts'
import {clientsOf} from './clients-of.ts'
import {headFields, timeoutText} from './head-fields.ts'
import {UnaryCall} from './unary-call.ts'

const HEALTH_CHECK = '/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck'

/** The target of health checks. `hosts`: addresses, tried in order. */
export interface HealthTarget {
  readonly hosts: readonly string[]
  readonly port: number
  readonly isSecure: boolean
}

/** Asks a gRPC app for its health (Dapr: pkg/apphealth). Returns the gRPC code, where any but 0 is a failure; -1: no response in time. */
export const grpcHealth = async (target: HealthTarget, timeoutMs: number): Promise<number> => {
  const {hosts, port, isSecure} = target
  const pool = new Pool({hosts, port, protocol: isSecure ? 'grpcs' : 'grpc'})
  const deadline = encodeField('grpc-timeout', timeoutText(timeoutMs))
  const {promise, resolve} = Promise.withResolvers<number>()
  const callOff = systemClock.after(timeoutMs, () => resolve(-1))
  new UnaryCall({
    clients: clientsOf(pool, () => undefined),
    block: headFields(pool, HEALTH_CHECK, 'application/grpc') + deadline,
    message: new Uint8Array(0),
    maxBytes: 0,
    done: ({status}) => resolve(status.code),
    refused: () => resolve(-1)
  }).start()
  const code = await promise
  callOff()
  pool.cut()
  return code
}
