import type {ActorAnswer, ActorHost, ActorRequest, TypeSettings, ActorWork} from '../../../work/actor/actor-host.ts'
import type {Actors} from '../../../work/actor/actors.ts'
import {AppBlock, type BlockContext} from './block-context.ts'
import {faultedTurn, timedFiring} from './timed-firing.ts'
import type {CallJournal} from '../../../proxy/net/call-journal.ts'

const REASONS: Readonly<Record<number, string>> = {200: 'OK', 404: 'Not Found', 500: 'Internal Server Error'}

/** Records in the call's journal that the whole turn was sent over a stream. */
function turnSent(journal: CallJournal | undefined, work: ActorWork): void {
  if (journal === undefined) return
  const {caller, callee} = journal.call
  journal.sentWhole(caller === callee, {pid: 0, protocol: 'gRPC'}, work.kind === 'method' ? work.body : '')
}

/** Ends the journal of a turn over a stream. Records the app's answer as the HTTP response that it would be. */
function turnOver(journal: CallJournal | undefined, answer: ActorAnswer): void {
  if (journal === undefined) return
  if (answer.kind === 'lost') journal.failure = answer.why
  else {
    const lines = answer.kind === 'done' ? answer.lines : ''
    const body = answer.kind === 'done' ? answer.body : Buffer.from(answer.kind === 'failed' ? answer.text : '')
    const status = answer.kind === 'done' ? 200 : answer.kind === 'unknown' ? 404 : 500
    const text = `HTTP/1.1 ${status} ${REASONS[status] ?? ''}\r\n${lines}\r\n`
    journal.responded(status, {text, size: text.length}, body.toString('latin1'))
  }
  journal.ended()
}

/** A stream of gRPC by which an app hosts actors. */
export interface ActorSession {
  readonly isBusy: boolean
  send(request: ActorRequest): Promise<ActorAnswer>
  deactivate(type: string, id: string, signal: AbortSignal | undefined): Promise<boolean>
}

/** Longest wait of calls for another stream after the last one has ended, in ms. */
const HOLD_MS = 60_000

const NOT_CONNECTED = {kind: 'lost', why: 'actor host is not connected', wasSent: false} as const

type Types = ReadonlyMap<string, TypeSettings>
/** `process`: start time of the app's newest process, which probably opened the stream. */
type Stream = readonly [session: ActorSession, types: Types, process: number]

/** The actors that an app hosts over streams. Work goes to the newest stream of the current process that registered the type. */
export class ActorStreams extends AppBlock {
  readonly isHttpApp: boolean
  readonly #host: ActorHost
  /** The open streams that registered types; the newest is the last. */
  #sessions: readonly Stream[] = []
  #actors: Actors | undefined
  /** The streams that could get work at the latest registration. */
  #registered: readonly Stream[] = []
  #isClosed = false

  constructor(context: BlockContext) {
    super(context)
    this.isHttpApp = context.isHttpApp
    const isOpen = (): boolean => this.#able.length > 0
    const sessionOf = (type: string): ActorSession | undefined =>
      this.#able.findLast(([, types]) => types.has(type))?.[0]
    const isBusy = (): boolean => this.#sessions.some(([session]) => session.isBusy)
    this.#host = {
      app: context.appId,
      instance: context.instance,
      get state() {
        return isOpen() ? 'open' : 'held'
      },
      get reason() {
        return isOpen() ? '' : `"${context.instance}" has no stream for its actors`
      },
      get isBusy() {
        return isBusy()
      },
      holdMs: HOLD_MS,
      send: async request =>
        timedFiring(context.policies(), request, async timed => {
          const {journal, work, onStop} = timed
          const fault = await faultedTurn(context.actors.faults, journal, onStop)
          if (fault === undefined) turnSent(journal, work)
          const answer = fault ?? (await sessionOf(timed.type)?.send(timed)) ?? NOT_CONNECTED
          turnOver(journal, answer)
          return answer
        }),
      deactivate: async (type, id, signal) => sessionOf(type)?.deactivate(type, id, signal) ?? false
    }
  }

  /** Shows a warning about unusable settings of a stream on the terminal. */
  warn(text: string): void {
    this.context.log.warn('actors', `"${this.context.instance}" ${text}`)
  }

  async open(session: ActorSession, types: Types): Promise<void> {
    if (types.size === 0) return
    const actors = await this.context.actors.load()
    if (this.#isClosed) return
    this.#actors = actors
    this.#sessions = [...this.#sessions, [session, types, Math.max(...this.context.lives())]]
    this.#register()
    this.context.log.write('info', `Registered hosted actors: ${[...types.keys()].join(', ')}`)
  }

  /** Called when a stream has ended. Its actors are gone. Another stream gets their calls, or the calls wait. */
  closed(session: ActorSession): void {
    const ended = this.#sessions.find(([each]) => each === session)
    if (ended === undefined) return
    const gone = [...ended[1].keys()].filter(type => this.#able.findLast(([, types]) => types.has(type)) === ended)
    this.#sessions = this.#sessions.filter(each => each !== ended)
    if (this.#able.length === 0) return this.#actors?.lost(this.#host)
    this.#actors?.lost(this.#host, new Set(gone))
    // keeps the types of the other streams registered: if the app falls asleep, calls of these types must wake it
    this.#actors?.table.set(this.#host, this.#types)
    this.#actors?.look()
  }

  /** Called when processes of the app have begun, ended or taken over. */
  followProcesses(): void {
    if (this.context.lives().length > 0) this.#register()
  }

  /** Registers the types of all streams if a new stream may get work. */
  #register(): void {
    const before = this.#registered
    this.#registered = this.#able
    if (this.#registered.some(each => !before.includes(each))) this.#actors?.host(this.#host, this.#types)
  }

  /** The streams that may get work, those of the current process last. A process that has yet to take over gets no work. */
  get #able(): readonly Stream[] {
    const [current, ...others] = this.context.lives()
    const able = this.#sessions.filter(([, , process]) => !others.includes(process))
    return able.toSorted(([, , one], [, , other]) => Number(one === current) - Number(other === current))
  }

  get #types(): Types {
    return new Map(this.#able.flatMap(([, types]) => [...types]))
  }

  /** Called before another sidecar of the app opens. Later changes here would affect that one, since both have the same instance name. */
  close(): void {
    this.#isClosed = true
    this.#actors?.leave(this.#host)
    this.#actors = undefined
  }
}
