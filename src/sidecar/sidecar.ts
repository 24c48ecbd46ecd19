/**
 * One app's Dapr door: what Dapr's sidecar answers over HTTP, at the ports of one app. It finds the callee a request
 * names, asks the host's gate to let it through, and sends it on with the headers of Dapr's contract; the sidecar's own
 * API it answers itself. It knows nothing of processes, of other doors, or of where a pool leads.
 */
import type {IncomingMessage, ServerResponse} from 'node:http'
import type net from 'node:net'
import type {Duplex} from 'node:stream'
import {Forwarding, type Carrier, type Conduct} from '../wire/forwarding.ts'
import {Front, type FrontOptions} from '../wire/front.ts'
import {reply, type Reply} from '../wire/reply.ts'
import {endWith, Tunnel, UPGRADE_LINES} from '../wire/tunnel.ts'
import type {Admit} from './admission.ts'
import {createApi, type AnswerApi} from './api.ts'
import {Guests} from './guest.ts'
import {hostGuard, isFromElsewhere} from './guard.ts'
import {identityOf, introduction, type Identity} from './identity.ts'
import {Invocation, type Door} from './invocation.ts'
import type {Facts} from './metadata.ts'
import {plainRules, startPlain} from './plain.ts'
import {readQuestion, type Guards, type Question} from './question.ts'
import {BAD_TARGET, FOREIGN_ORIGIN, NOBODY_NAMED} from './reply.ts'
import {findReadTarget} from './target.ts'

export interface SidecarOptions {
  readonly appId: string
  /** Bound and listening on the door's HTTP port; the door takes them over and closes them. */
  readonly servers: readonly net.Server[]
  readonly admit: Admit
  readonly facts: () => Facts
  /** The app takes calls. */
  readonly isReady: () => boolean
  readonly requestShutdown: () => void
  readonly limits: {readonly maxBodyBytes: number; readonly readBufferBytes: number}
  /** Addresses it listens on beyond loopback: the names a Host field may hold. */
  readonly allowedHosts: readonly string[]
  /** DAPR_API_TOKEN and the own app's APP_API_TOKEN, '' = none. */
  readonly tokens: {readonly api: string; readonly app: string}
  readonly warn: (text: string) => void
  /** Default: of this machine and our environment. */
  readonly identity?: Identity
  /** Lets other runs speak for their apps here (`guest.ts`); left out: nobody may. */
  readonly key?: string
  /** False: every request is read by node:http. Default true. */
  readonly hasFastLane?: boolean
}

/** Bodies of waiting calls that a door keeps, in bytes: what came before anybody could stop it. */
const HELD_MOST = 64 * 1024 * 1024

/** Go reads so much more of a head than it was told to. */
const HEAD_SLOP = 4096

/** An open door. */
export class Sidecar implements Door {
  readonly appId: string
  readonly admit: Admit
  readonly maxBodyBytes: number
  readonly appToken: string
  readonly warn: (text: string) => void
  readonly #options: SidecarOptions
  readonly #identity: Identity
  readonly #guards: Guards
  readonly #answerApi: AnswerApi
  readonly #front: Front
  readonly #guests: Guests
  /** How this door introduces itself to each callee; one string per callee that let a call through. */
  readonly #introductions = {local: new Map<string, string>(), remote: new Map<string, string>()}
  #heldBytes = 0

  constructor(options: SidecarOptions) {
    const {appId, admit, limits, warn} = options
    this.appId = appId
    this.admit = admit
    this.maxBodyBytes = limits.maxBodyBytes
    this.appToken = options.tokens.app
    this.warn = warn
    this.#options = options
    this.#identity = options.identity ?? identityOf(process.env)
    this.#guests = new Guests({door: this, identity: this.#identity, key: options.key ?? ''})
    this.#guards = {isOurs: hostGuard(options.allowedHosts), apiToken: options.tokens.api}
    this.#answerApi = createApi({...options, maxBodyBytes: limits.maxBodyBytes})
    this.#front = new Front({
      servers: options.servers,
      maxHeadBytes: limits.readBufferBytes + HEAD_SLOP,
      warn,
      ...(options.hasFastLane !== false && {fast: this.#fast()}),
      serve: (request, response) => {
        this.#serve(request, response)
      },
      upgrade: (request, socket, early) => {
        this.#upgrade(request, socket, early)
      }
    })
  }

  /** Accepts no more; ends when the calls under way have ended. */
  async close(): Promise<void> {
    await this.#front.close()
  }

  /** Ends everything now. */
  destroy(): void {
    this.#front.destroy()
  }

  introduce(callee: string, isLocal: boolean): string {
    const introductions = this.#introductions[isLocal ? 'local' : 'remote']
    const known = introductions.get(callee)
    if (known !== undefined) return known
    const text = introduction(this.#identity, this.appId, {callee, isLocal})
    introductions.set(callee, text)
    return text
  }

  hold(bytes: number): boolean {
    if (this.#heldBytes + bytes > HELD_MOST) return false
    this.#heldBytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes
  }

  #fast(): FrontOptions['fast'] {
    return {rules: plainRules, route: (request, line) => startPlain(this, this.#guards, request, line)}
  }

  #read(request: IncomingMessage): Question {
    return readQuestion(request, this.appId, this.#guards)
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const question = this.#read(request)
    const {fields} = question
    const answer = (text: Reply): void => {
      reply(request, response, {...text, lines: text.lines + question.answerTrace})
    }
    if (question.refusal !== undefined) {
      // Go ends the connection behind a target that it cannot read.
      if (question.refusal === BAD_TARGET) response.shouldKeepAlive = false
      answer(question.refusal)
    } else if (question.action !== undefined) this.#own(question, request, response, answer)
    else if (question.target === undefined) answer(NOBODY_NAMED)
    else {
      const {length} = fields
      const carrier = (conduct: Conduct): Carrier =>
        new Forwarding({request, response, conduct, length, maxBodyBytes: this.maxBodyBytes})
      this.#invoke(question, carrier, '')
    }
  }

  #own(question: Question, request: IncomingMessage, response: ServerResponse, answer: (text: Reply) => void): void {
    const {action, fields, sent} = question
    if (action === undefined) return
    const changesUs = action.kind === 'shutdown' || action.kind === 'put-metadata'
    if (changesUs && isFromElsewhere(fields.origin, fields.fetchSite, this.#guards.isOurs))
      return answer(FOREIGN_ORIGIN)
    if (action.kind === 'shutdown') response.on('finish', this.#options.requestShutdown)
    const text = this.#answerApi(action, request, sent.query)
    if (text instanceof Promise) void text.then(answer)
    else answer(text)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    const question = this.#read(request)
    if (question.target === undefined) return endWith(socket, question.refusal ?? NOBODY_NAMED)
    this.#invoke(question, conduct => new Tunnel({socket, early, conduct}), UPGRADE_LINES)
  }

  #invoke(question: Question, carrier: (conduct: Conduct) => Carrier, extraLines: string): void {
    const {fields, method, trace, answerTrace} = question
    const guest = this.#guests.doorFor(fields.introduced)
    const target = guest === undefined ? question.target : findReadTarget(question.sent)
    if (target === undefined) return
    new Invocation({door: guest ?? this, method, target, fields, trace, answerTrace, extraLines, carrier}).start()
  }
}

/** Opens the door of one app. */
export const openSidecar = (options: SidecarOptions): Sidecar => new Sidecar(options)
