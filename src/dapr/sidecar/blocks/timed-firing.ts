import type {ComponentPolicies} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {failureWords, type Outcomes} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import type {ActorAnswer, ActorRequest} from '../../../work/actor/actor-host.ts'
import type {CallJournal} from '../../../proxy/net/call-journal.ts'
import {RESET} from '../../../proxy/gateway/faulted-call.ts'
import type {FaultSwitch} from '../../../proxy/faults/faults.ts'

const OUTCOMES: Outcomes<ActorAnswer> = {
  judge: ({kind}) => (kind === 'done' ? 'success' : 'failed'),
  failed: reason => ({kind: 'lost', why: failureWords(reason), wasSent: true}),
  discard: () => undefined
}

/**
 * Sends a turn to an actor. The turn of a timer or reminder gets the timeout of the host's policies for the type; retries and circuit
 * breakers do not apply (Dapr: pkg/resiliency, ActorPostLockPolicy). The call of a method has the policies of its caller already.
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

/**
 * Applies an active fault to a turn over a stream: its delay, then its answer. Resolves with undefined if the turn continues. Faults
 * that cut a response or kill the process have no effect: the turn has no connection of its own.
 */
export async function faultedTurn(
  faults: Pick<FaultSwitch, 'active'> | undefined,
  journal: CallJournal | undefined,
  onStop: ActorRequest['onStop']
): Promise<ActorAnswer | undefined> {
  const hit = journal && faults?.active?.hit(journal.call)
  if (journal === undefined || hit === undefined) return undefined
  const delay = hit.delay()
  if (delay !== undefined) {
    let isStopped = false
    onStop(() => {
      isStopped = true
      delay.cancel()
    })
    journal.held(delay.reason)
    await delay.admitted
    if (isStopped) return {kind: 'lost', why: 'it was given up', wasSent: false}
  }
  if (hit.kind === 'abort') return {kind: 'lost', why: RESET, wasSent: false}
  if (hit.kind !== 'status') return undefined
  const {status, body} = hit.response()
  if (status === 404) return {kind: 'unknown'}
  if (status !== 200) return {kind: 'failed', status, text: body}
  return {kind: 'done', lines: '', body: Buffer.from(body), isError: false, isCancelled: false}
}
