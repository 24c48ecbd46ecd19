import type {CallObserver} from '../model/call.ts'
import type {PeerRuns} from '../control/peer-runs.ts'
import type {CallContext} from '../proxy/gateway/call-context.ts'
import type {Reporter} from '../model/reporter.ts'
import {systemClock} from '../platform/clock.ts'
import {actorJournal} from '../dapr/sidecar/http/blocks/actor-request.ts'
import type {OpenSidecar} from '../dapr/sidecar/open-sidecar.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {Actors} from '../work/actor/actors.ts'
import {FarActors} from './far-actors.ts'

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
