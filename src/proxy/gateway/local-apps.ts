import type {Call} from '../../model/call.ts'
import {denied, type Admission, type Held, type AppPipeline} from './admission.ts'
import type {Pool} from '../net/pool.ts'
import type {CalleeCounters} from './callee-counters.ts'
import type {CallerIdentity} from './caller-header.ts'
import type {AdmissionQueue, Permit, Queued} from './admission-queue.ts'
import type {AccessControlInterceptor} from './interceptors/access-control.ts'
import type {ConcurrencyLimiter} from './concurrency-limiter.ts'

/** The properties of a called app that last as long as its sidecar is open. */
interface CalleeOpening {
  /** Decides which apps may call the app; undefined: all. */
  readonly accessControl: AccessControlInterceptor | undefined
  /** Identity of the app as a caller; undefined before its sidecar is open. */
  readonly identity: CallerIdentity | undefined
  readonly counters?: CalleeCounters | undefined
  /** Middleware for requests to the app; undefined: none. */
  readonly pipeline?: AppPipeline | undefined
}

/** A called app of this run, as the gateway needs it. */
export interface Callee {
  readonly id: string
  /** Port at which the app listens; 0: none. */
  readonly appPort: number
  readonly queue: AdmissionQueue
  /** Limits the calls in flight to `appMaxConcurrency`. */
  readonly limiter: ConcurrencyLimiter
  /** Connections to its current process. */
  readonly pool: Pool
  /** Id of that process; 0 if the run did not start it. */
  readonly pid: number
  readonly opening: CalleeOpening
  /** The APP_API_TOKEN of the app. */
  readonly token: string
  /** Whether its health check fails. */
  readonly isUnhealthy: boolean
  /** Checks again whether the app listens, after it has refused a connection. */
  recheck(): void
}

/** Admits a call to one app, or denies it with a reason. The texts are Dapr's (`pkg/messages`, `pkg/messaging`). */
export function admitTo(callee: Callee, call: Call): Admission | Held {
  const isLocal = call.caller === callee.id
  if (callee.appPort === 0) return noPort(callee.id, isLocal)
  if (call.isProxied === true) return callee.isUnhealthy ? passed(call, callee) : enqueue(call, callee)
  if (callee.isUnhealthy) return unhealthy(isLocal)
  return callee.limiter.admit(() => enqueue(call, callee), callee.queue.isOpen)
}

function enqueue(call: Call, callee: Callee): Admission | Held {
  const outcome = callee.queue.admit(call)
  if (typeof outcome === 'string') return down(call, callee, outcome)
  return 'leave' in outcome ? admitted(callee, call.caller === callee.id, outcome) : held(call, callee, outcome)
}

const REMOTE = 'rpc error: code = Internal desc = '

/** Admits a call in any state of the app, as Dapr's gRPC proxy does. */
export const passed = (call: Call, callee: Callee): Admission =>
  admitted(callee, call.caller === callee.id, callee.queue.enter(call))

function noPort(id: string, isLocal: boolean): Admission {
  const reason = `"${id}" has no appPort: nothing can be called there`
  const words = isLocal
    ? 'cannot invoke local endpoint: app channel not initialized'
    : `${REMOTE}app channel is not initialized`
  return {ok: false, status: 500, error: `${words} (${reason})`, down: {address: '127.0.0.1:0', reason}}
}

const admitted = (
  {pool, pid, token, opening: {counters, pipeline}}: Callee,
  isLocal: boolean,
  {leave}: Permit
): Admission => ({ok: true, pool, pid, isLocal, token, pathPrefix: '', recorded: counters?.recorded, pipeline, leave})

function held(call: Call, callee: Callee, queued: Queued): Held {
  const isLocal = call.caller === callee.id
  return {
    admitted: queued.outcome.then(outcome =>
      typeof outcome === 'string' ? refusedBy(call, callee, outcome) : admitted(callee, isLocal, outcome)
    ),
    reason: callee.queue.reason,
    cancel: () => queued.cancel()
  }
}

function refusedBy(call: Call, callee: Callee, reason: string): Admission {
  if (!callee.isUnhealthy) return down(call, callee, reason)
  return call.isProxied === true ? passed(call, callee) : unhealthy(call.caller === callee.id)
}

const unhealthy = (isLocal: boolean): Admission => {
  const error = `${REMOTE}app is not in a healthy state`
  return denied(isLocal ? error : `${REMOTE}error invoking app channel: ${error}`)
}

/** Go's error for an app that does not listen, followed by our reason in brackets. */
function down({caller, method, path}: Call, {id, pool}: Callee, reason: string): Admission {
  const address = pool.authority
  const verb = method.slice(0, 1).toUpperCase() + method.slice(1).toLowerCase()
  const dial = `${verb} "${pool.dial?.scheme ?? 'http'}://${address}${path}": dial tcp ${address}: connect: connection refused (${reason})`
  const error = caller === id ? dial : `${REMOTE}error invoking app channel: ${dial}`
  return {ok: false, status: 500, error, down: {address, reason, isGrpc: pool.protocol.startsWith('grpc')}}
}
