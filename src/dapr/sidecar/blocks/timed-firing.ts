import type {ComponentPolicies} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {failureWords, type Outcomes} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import type {ActorAnswer, ActorRequest} from '../../../work/actor/actor-host.ts'

const OUTCOMES: Outcomes<ActorAnswer> = {
  judge: ({kind}) => (kind === 'done' ? 'success' : 'failed'),
  failed: reason => ({kind: 'lost', why: failureWords(reason), wasSent: true}),
  discard: () => undefined
}

/**
 * The turn of a timer or reminder, within the timeout that the policies of its host have for the type: nothing else of them counts for
 * it (Dapr: pkg/resiliency, ActorPostLockPolicy). A method's call has the policies of its caller.
 */
export async function timedFiring(
  policies: ComponentPolicies | undefined,
  request: ActorRequest,
  send: (request: ActorRequest) => Promise<ActorAnswer>
): Promise<ActorAnswer> {
  const {type, id, work, onStop} = request
  const found = work.kind === 'method' ? undefined : policies?.findActor(type, id)
  if (policies === undefined || found === undefined || found.timeoutMs === 0) return send(request)
  const call = policies.call({...found, retry: undefined, breaker: undefined}, OUTCOMES)
  onStop(() => call.cancel())
  return call.run(async control => send({...request, onStop: listener => control.onStop(listener)}))
}
