import type {Call} from '../../model/call.ts'
import type {EmitResiliency} from '../../model/resiliency-event.ts'
import {pause} from '../../platform/delay.ts'
import type {RetryPolicy} from '../../files/resources/resiliency/policies.ts'
import {isHeld, type Admission, type Admit, type Denied, type Held} from './admission.ts'
import {Backoff} from './interceptors/resiliency/backoff.ts'

/** Returns Dapr's built-in retry policy for calls to an app; undefined: a policy of the user replaces it. */
type RetryFor = (callee: string) => RetryPolicy | undefined

/** State of the retries of one call. */
interface Retries {
  readonly backoff: Backoff
  count: number
}

/**
 * Applies Dapr's `DaprBuiltInServiceRetries` to calls of apps in other runs: asks for admission again while the other run's sidecar refuses
 * connections. The request has not been sent by then, so that any request can be retried. `emit`: called for each retry.
 */
export function withBuiltInRetries(admit: Admit, retryFor: RetryFor, emit: EmitResiliency): Admit {
  /** Keeps the count of a call's retries over several requests for admission: each refused connection makes another one. */
  const known = new WeakMap<Call, Retries>()
  return (call, isRefused, caller) => {
    const first = admit(call, isRefused, caller)
    if (!isHeld(first)) return first
    const over = new AbortController()
    let pending: Held | undefined = first
    const admitted = async (): Promise<Admission> => {
      let admission = await first.admitted
      while (!admission.ok && admission.isUnavailable === true && !over.signal.aborted) {
        const delayMs = nextDelay(call, known, retryFor(call.callee), emit)
        if (delayMs === undefined) return exhausted(call, known, admission)
        await pause(delayMs, over.signal)
        if (over.signal.aborted) return admission
        const again = admit(call, false, caller)
        pending = isHeld(again) ? again : undefined
        admission = isHeld(again) ? await again.admitted : again
      }
      return admission
    }
    const cancel = (): void => {
      over.abort()
      pending?.cancel()
    }
    return {...first, admitted: admitted(), cancel}
  }
}

/** Returns the delay before the next retry, in ms; undefined: there is no further retry. */
function nextDelay(
  call: Call,
  known: WeakMap<Call, Retries>,
  retry: RetryPolicy | undefined,
  emit: EmitResiliency
): number | undefined {
  if (retry === undefined) return undefined
  const retries = known.get(call) ?? {
    backoff: new Backoff(retry, {startedAt: performance.now(), now: () => performance.now(), random: Math.random}),
    count: 0
  }
  known.set(call, retries)
  const delayMs = retries.backoff.next()
  if (delayMs === undefined) return undefined
  const {name, maxRetries} = retry
  const endpoint = {target: '', key: name, callee: call.callee}
  emit({type: 'retrying', endpoint, policy: name, cause: 'failed', retry: ++retries.count, maxRetries, delayMs})
  return delayMs
}

/** Returns the final denial, with the number of retries in Dapr's words. Resets the count, since a policy of the user may repeat the call. */
function exhausted(call: Call, known: WeakMap<Call, Retries>, denied: Denied): Denied {
  const count = known.get(call)?.count ?? 0
  known.delete(call)
  if (count === 0) return denied
  const error = `failed to invoke target ${call.callee} after ${count} retries. Error: ${denied.error}`
  return {...denied, error}
}
