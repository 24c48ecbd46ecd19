import type {ActorAnswer, ActorHost, ActorRequest, TypeSettings} from '../../../work/actor/actor-host.ts'
import type {Actors} from '../../../work/actor/actors.ts'
import type {BlockContext} from './block-context.ts'
import {faultedTurn} from './faulted-turn.ts'
import {timedFiring} from './timed-firing.ts'
import {turnOver, turnSent} from './turn-record.ts'

/** A stream by which an app hosts actors. */
export interface ActorSession {
  readonly isBusy: boolean
  send(request: ActorRequest): Promise<ActorAnswer>
  deactivate(type: string, id: string, signal: AbortSignal | undefined): Promise<boolean>
}

/** So long calls wait for another stream when one has ended, in ms. */
const HOLD_MS = 60_000

const NOT_CONNECTED = {kind: 'lost', why: 'actor host is not connected', wasSent: false} as const

/** The actors that an app hosts by streams: the newest one gets the work. */
export class ActorStreams {
  readonly isHttpApp: boolean
  readonly #context: BlockContext
  readonly #host: ActorHost
  #session: ActorSession | undefined
  #actors: Actors | undefined

  constructor(context: BlockContext) {
    this.#context = context
    this.isHttpApp = context.isHttpApp
    const session = (): ActorSession | undefined => this.#session
    this.#host = {
      app: context.appId,
      instance: context.instance,
      get state() {
        return session() === undefined ? 'held' : 'open'
      },
      get reason() {
        return session() === undefined ? `"${context.instance}" has no stream for its actors` : ''
      },
      get isBusy() {
        return session()?.isBusy === true
      },
      holdMs: HOLD_MS,
      send: async request =>
        timedFiring(context.policies(), request, async timed => {
          const {journal, work, onStop} = timed
          const fault = await faultedTurn(context.actors.faults, journal, onStop)
          if (fault === undefined) turnSent(journal, work)
          const answer = fault ?? (await session()?.send(timed)) ?? NOT_CONNECTED
          turnOver(journal, answer)
          return answer
        }),
      deactivate: async (type, id, signal) => session()?.deactivate(type, id, signal) ?? false
    }
  }

  /** Tells the person what of a stream cannot be used as it stands. */
  warn(text: string): void {
    this.#context.log.warn('actors', `"${this.#context.instance}" ${text}`)
  }

  /** A stream begins, for these types. */
  async open(session: ActorSession, types: ReadonlyMap<string, TypeSettings>): Promise<void> {
    this.#session = session
    this.#actors = await this.#context.actors.load()
    this.#actors.host(this.#host, types)
    this.#context.log.write('info', `Registered hosted actors: ${[...types.keys()].join(', ')}`)
  }

  /** One has ended: unless there is a newer one, its actors are gone. */
  closed(session: ActorSession): void {
    if (this.#session !== session) return
    this.#session = undefined
    this.#actors?.lost(this.#host)
  }

  close(): void {
    this.#actors?.leave(this.#host)
  }
}
