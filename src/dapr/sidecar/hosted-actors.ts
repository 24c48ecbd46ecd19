import {isActorStore} from '../../files/resources/components.ts'
import type {ActorHost} from '../../work/actor/actor-host.ts'
import type {Actors} from '../../work/actor/actors.ts'
import {hostedTypes} from './hosted-types.ts'
import {HttpActorHost} from './http/blocks/http-actor-host.ts'
import type {SidecarActorsOptions} from './actor-access.ts'

const NO_STORE =
  'no state store has actorStateStore: "true": their state cannot be read or kept, and newer versions of Dapr host none'

/** The actors that one app hosts over HTTP. Reports its types to the run's actors, and when the app is lost or unhealthy. */
export class HostedActors {
  readonly #options: SidecarActorsOptions
  readonly #actors: Actors
  readonly #host: ActorHost
  /** Aborted when an unhealthy app has had its stop timeout to release its actors; undefined: the app is healthy. */
  #illness: AbortSignal | undefined

  constructor(options: SidecarActorsOptions, actors: Actors) {
    this.#options = options
    this.#actors = actors
    this.#host = new HttpActorHost(options)
  }

  /** Called with the answer of the process to `GET /dapr/config`; '': it has none. */
  tell(text: string): void {
    const {log, warn, components} = this.#options
    const types = hostedTypes(text, warn)
    if (types.size > 0) {
      const names = [...types.keys()].join(', ')
      log('info', `Registered hosted actors: ${names}`)
      if (!components().some(isActorStore)) warn(`hosts actors (${names}), but ${NO_STORE}`)
    }
    this.#actors.host(this.#host, types)
  }

  /** Called when the process has ended, or accepts no calls. */
  lost(): void {
    this.#illness = undefined
    this.#actors.lost(this.#host)
  }

  /** Called when the app's health changes. An unhealthy app releases its actors, and gets no calls until it is healthy. */
  noteHealth(): void {
    const {isUnhealthy, plan, home} = this.#options.runtime
    if (isUnhealthy === (this.#illness !== undefined)) return
    if (this.#illness !== undefined) this.#actors.resume(home, this.#illness)
    this.#illness = isUnhealthy ? AbortSignal.timeout(plan.stop.timeoutMs) : undefined
    if (this.#illness !== undefined) void this.#actors.retire(home, this.#illness)
  }

  leave(): void {
    this.#actors.leave(this.#host)
  }
}
