import type {CallObserver} from '../model/call.ts'
import type {PeerRuns} from '../control/peer-runs.ts'
import {ActorHosts} from '../control/actor-hosts.ts'
import {requestApp} from '../proxy/gateway/app-request.ts'
import type {CallContext} from '../proxy/gateway/call-context.ts'
import {HeldBodies} from '../proxy/gateway/held-bodies.ts'
import type {Reporter} from '../model/reporter.ts'
import {systemClock} from '../platform/clock.ts'
import {orElse} from '../model/or-else.ts'
import {actorJournal, actorLines, actorPath} from '../dapr/sidecar/http/blocks/actor-request.ts'
import {actorAnswerOf} from '../dapr/sidecar/http/blocks/http-actor-host.ts'
import type {OpenSidecar} from '../dapr/sidecar/open-sidecar.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {ActorAnswer, ActorRequest} from '../work/actor/actor-host.ts'
import {Actors} from '../work/actor/actors.ts'

export interface OpenActorsOptions extends Pick<CallContext, 'faults'> {
  readonly peerRuns: Pick<PeerRuns, 'leases' | 'admit'>
  readonly sidecars: ReadonlyMap<AppRuntime, OpenSidecar>
  readonly observer: CallObserver
  readonly reporter: Reporter
}

/** Opens the actors of a run, and the access to actors of other runs. */
export function openActors(options: OpenActorsOptions): {readonly here: Actors; readonly far: FarActors} {
  const {sidecars, observer, reporter} = options
  const runtimeOf = (instance: string | undefined): AppRuntime | undefined =>
    [...sidecars.keys()].find(({home}) => home === instance)
  const here = new Actors({
    clock: systemClock,
    mayHost: (type, app) =>
      [...sidecars].some(([{id}, {actors}]) => (app === undefined || id === app) && actors.mayHost(type)),
    hostWaitMs: () => Math.max(...[...sidecars.values()].map(({actors}) => actors.hostWaitMs)),
    needsHost: (type, isKnown) => {
      for (const {sleep} of sidecars.keys())
        if (sleep.triggers.actors?.includes(type) ?? !isKnown) sleep.need(`an actor of type ${type}`)
    },
    onTypes: (app, actors) => {
      for (const {id, sleep} of sidecars.keys()) if (id === app) sleep.learn({actors})
    },
    counted: (instance, event) => runtimeOf(instance)?.opening.counters?.hosted(event),
    journalOf: (request, app) => actorJournal(observer, request, app),
    onDeadlock: ({place}, text) => {
      const log = runtimeOf(place?.host.instance)?.logs.sidecar
      log?.log({level: 'warn', message: text, scope: 'dapr.runtime.actor'})
      reporter.warn('actor-waits', text)
    }
  })
  return {here, far: new FarActors(options.peerRuns, options)}
}

/** The text before the reason in errors of the other run. */
const PREFIX = /^error invoke actor method: /

/** Actors that apps of the user's other runs host: they are called through a sidecar of their run, which queues their turns. */
class FarActors {
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
