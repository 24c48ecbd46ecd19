import {requestApp} from '../proxy/gateway/app-request.ts'
import {HeldBodies} from '../proxy/gateway/held-bodies.ts'
import type {CallContext} from '../proxy/gateway/call-context.ts'
import {orElse} from '../model/or-else.ts'
import {ActorHosts} from '../control/actor-hosts.ts'
import type {PeerRuns} from '../control/peer-runs.ts'
import {actorAnswerOf} from '../dapr/sidecar/http/blocks/http-actor-host.ts'
import {actorLines, actorPath} from '../dapr/sidecar/http/blocks/actor-request.ts'
import type {ActorAnswer, ActorRequest} from '../work/actor/actor-host.ts'

/** The text before the reason in errors of the other run. */
const PREFIX = /^error invoke actor method: /

/** Actors that apps of the user's other runs host: they are called through a sidecar of their run, which queues their turns. */
export class FarActors {
  readonly #peerRuns: Pick<PeerRuns, 'leases' | 'admit'>
  readonly #hosts: ActorHosts
  readonly #context: CallContext

  constructor(
    peerRuns: Pick<PeerRuns, 'leases' | 'admit'>,
    {observer, faults}: Pick<CallContext, 'observer' | 'faults'>
  ) {
    this.#peerRuns = peerRuns
    this.#hosts = new ActorHosts(peerRuns.leases)
    this.#context = {heldBodies: new HeldBodies(), observer, faults}
  }

  /** Calls the actor. Resolves with undefined if no other run hosts the type. */
  async call(request: ActorRequest): Promise<ActorAnswer | undefined> {
    const {type, work, caller, onStop} = request
    const app = await this.#hosts.of(type)
    if (app === undefined || work.kind !== 'method') return undefined
    const response = await requestApp({
      app: {id: app, admit: this.#peerRuns.admit},
      context: this.#context,
      caller: caller && {app: caller.app, protocol: work.protocol},
      method: 'PUT',
      path: `/v1.0${actorPath(request)}`,
      lines: actorLines(request),
      body: work.body,
      onStop,
      warn: () => undefined
    })
    if (response.kind === 'unreachable' || response.status === 200) return actorAnswerOf(response)
    return {kind: 'lost', why: whyOf(response.body.toString()), wasSent: true}
  }
}

/** The message of an error of Dapr's, or the text as it is. */
function whyOf(text: string): string {
  const error = orElse(() => JSON.parse(text) as {readonly message?: unknown} | null, undefined)
  return typeof error?.message === 'string' ? error.message.replace(PREFIX, '') : text
}
