import type {Call} from '../model/call.ts'
import type {Admission, Admit, Held} from './admission.ts'
import type {Pool} from '../net/pool.ts'
import type {AdmissionQueue, Permit} from './admission-queue.ts'
import type {ConcurrencyLimiter} from './concurrency-limiter.ts'

/** What a call to an app needs of it. */
export interface Callee {
  readonly id: string
  /** Where it listens; 0: it serves nothing. */
  readonly appPort: number
  readonly queue: AdmissionQueue
  /** How many calls may be with it at once. */
  readonly limiter: ConcurrencyLimiter
  /** Connections to the process that runs now. */
  readonly pool: Pool
  /** Its APP_API_TOKEN. */
  readonly token: string
  /** Its health is checked, and it is not well. */
  readonly isUnhealthy: boolean
  /** Connecting was refused: whether it listens is looked at again. */
  recheck(): void
}

/** Finds an app of the run by id. */
export type FindCallee = (id: string) => Callee | undefined

/** The way of every call through its callee's queue; `elsewhere` takes those to no app of the run. The error texts are those of Dapr's `pkg/messages` and `pkg/messaging`. */
export const admitBy =
  (find: FindCallee, elsewhere: Admit): Admit =>
  (call, isRefused) => {
    const callee = find(call.callee)
    if (callee === undefined) return elsewhere(call, isRefused)
    const isLocal = call.caller === callee.id
    if (callee.appPort === 0) {
      return denied(
        isLocal
          ? 'cannot invoke local endpoint: app channel not initialized'
          : `${REMOTE}app channel is not initialized`
      )
    }
    if (callee.isUnhealthy) return unhealthy(isLocal)
    if (isRefused === true) callee.recheck()
    return callee.limiter.admit(() => enqueue(call, callee))
  }

function enqueue(call: Call, callee: Callee): Admission | Held {
  const answer = callee.queue.admit(call)
  if (typeof answer === 'string') return down(call, callee, answer)
  return 'leave' in answer ? admitted(callee, call.caller === callee.id, answer) : held(call, callee, answer)
}

const REMOTE = 'rpc error: code = Internal desc = '

const denied = (error: string): Admission => ({ok: false, status: 500, error})

const admitted = ({pool, token}: Callee, isLocal: boolean, {leave}: Permit): Admission => ({
  ok: true,
  pool,
  isLocal,
  token,
  pathPrefix: '',
  leave
})

function held(call: Call, callee: Callee, waiting: {answer: Promise<Permit | string>; cancel(): void}): Held {
  const isLocal = call.caller === callee.id
  return {
    admitted: waiting.answer.then(answer =>
      typeof answer === 'string' ? refusedBy(call, callee, answer) : admitted(callee, isLocal, answer)
    ),
    cancel: () => waiting.cancel()
  }
}

const refusedBy = (call: Call, callee: Callee, reason: string): Admission =>
  callee.isUnhealthy ? unhealthy(call.caller === callee.id) : down(call, callee, reason)

const unhealthy = (isLocal: boolean): Admission => {
  const error = `${REMOTE}app is not in a healthy state`
  return denied(isLocal ? error : `${REMOTE}error invoking app channel: ${error}`)
}

/** Go's words for an app that does not listen, with our reason in brackets. */
function down({caller, method, path}: Call, {id, pool}: Callee, reason: string): Admission {
  const address = pool.authority
  const verb = method.slice(0, 1).toUpperCase() + method.slice(1).toLowerCase()
  const dial = `${verb} "${pool.dial?.scheme ?? 'http'}://${address}${path}": dial tcp ${address}: connect: connection refused (${reason})`
  return denied(caller === id ? dial : `${REMOTE}error invoking app channel: ${dial}`)
}
