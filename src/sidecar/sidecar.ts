/**
 * One app's Dapr door: what Dapr's sidecar answers over HTTP, at the ports of one app. It finds the callee a request
 * names, asks the host's gate to let it through, and sends it on with the headers of Dapr's contract; the sidecar's own
 * API it answers itself. It knows nothing of processes, of other doors, or of where a pool leads.
 */
import type {IncomingMessage, ServerResponse} from 'node:http'
import type net from 'node:net'
import type {Duplex, Writable} from 'node:stream'
import {Forwarding, type Carrier, type Conduct} from '../wire/forwarding.ts'
import {Front, type FrontOptions} from '../wire/front.ts'
import {reply, type Reply} from '../wire/reply.ts'
import {StreamCall} from '../wire/stream-call.ts'
import type {StreamRequest} from '../wire/stream-front.ts'
import {replyStream} from '../wire/stream-reply.ts'
import {endWith, Tunnel, UPGRADE_LINES} from '../wire/tunnel.ts'
import type {Admit} from './admission.ts'
import {counted, type ApiCall} from './api-log.ts'
import {createApi, type AnswerApi} from './api.ts'
import {Guests} from './guest.ts'
import {hostGuard, isFromElsewhere} from './guard.ts'
import {identityOf, introduction, type Identity} from './identity.ts'
import {Invocation, type CopierOf, type Door} from './invocation.ts'
import type {Facts} from './metadata.ts'
import {isLodgers, startLodgers, type Lodger} from './lodger.ts'
import {plainRules, startPlain} from './plain.ts'
import {readQuestion, type Guards, type Question, type Readable} from './question.ts'
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
  /** Told of every request, when its answer is out; then node:http reads them all. Left out: nobody is told. */
  readonly apiLog?: ((call: ApiCall) => void) | undefined
  /** Somebody else's routes on this port. */
  readonly lodger?: Lodger | undefined
  /** Takes a copy of a call to an app, where it has shadows. */
  readonly copierOf?: CopierOf | undefined
  /** False: `samplingRate: "0"`, traces pass untouched. Default true. */
  readonly isTracing?: boolean
  /** Default: of this machine and our environment. */
  readonly identity?: Identity
  /** Lets other runs speak for their apps here (`guest.ts`); left out: nobody may. */
  readonly key?: string
  /** False: HTTP/2 is not spoken (DAPR_HTTP_DISABLE_H2C). Default true. */
  readonly hasHttp2?: boolean
  /** False: every request is read by node:http. Default true. */
  readonly hasFastLane?: boolean
}

/** A request to the sidecar's own API, of whatever version of HTTP. */
interface OwnCall {
  readonly body: AsyncIterable<Buffer>
  readonly answer: (text: Reply) => void
  /** Calls this when the answer is out. */
  readonly finished: (then: () => void) => void
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
  readonly copierOf: CopierOf | undefined
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
    this.copierOf = options.copierOf
    this.#options = options
    this.#identity = options.identity ?? identityOf(process.env)
    this.#guests = new Guests({door: this, identity: this.#identity, key: options.key ?? ''})
    this.#guards = {
      isOurs: hostGuard(options.allowedHosts),
      apiToken: options.tokens.api,
      isTracing: options.isTracing ?? true
    }
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
      },
      ...(options.hasHttp2 !== false && {serveStream: (request: StreamRequest) => this.#serveStream(request)})
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
    const {lodger, apiLog} = this.#options
    return {
      rules: plainRules,
      route: (request, line) =>
        apiLog === undefined && (startLodgers(lodger, request, line) || startPlain(this, this.#guards, request, line))
    }
  }

  #read(request: Readable): Question {
    return readQuestion(request, this.appId, this.#guards)
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const {lodger} = this.#options
    if (isLodgers(lodger, request)) return lodger.serve(request, response)
    const question = this.#read(request)
    const {fields} = question
    this.#log(question, response, () => response.statusCode)
    const answer = (text: Reply): void => {
      reply(request, response, {...text, lines: text.lines + question.answerTrace})
    }
    if (question.refusal !== undefined) {
      // Go ends the connection behind a target that it cannot read.
      if (question.refusal === BAD_TARGET) response.shouldKeepAlive = false
      answer(question.refusal)
    } else if (question.action !== undefined)
      this.#own(question, {body: request, answer, finished: then => response.on('finish', then)})
    else {
      const {length} = fields
      const carrier = (conduct: Conduct): Carrier =>
        new Forwarding({request, response, conduct, length, maxBodyBytes: this.maxBodyBytes})
      if (!this.#invoke(question, carrier)) answer(NOBODY_NAMED)
    }
  }

  #serveStream({stream, ...request}: StreamRequest): void {
    const question = this.#read(request)
    const {method, refusal, action, fields} = question
    this.#log(question, stream, () => Number(stream.sentHeaders?.[':status'] ?? 0))
    const answer = (text: Reply): void =>
      replyStream(stream, {...text, lines: text.lines + question.answerTrace}, method === 'HEAD')
    if (refusal !== undefined) answer(refusal)
    else if (action !== undefined)
      this.#own(question, {body: stream, answer, finished: then => stream.on('finish', then)})
    else {
      const {maxBodyBytes} = this
      const carrier = (conduct: Conduct): Carrier =>
        new StreamCall({stream, method, conduct, length: fields.length, maxBodyBytes})
      if (!this.#invoke(question, carrier)) answer(NOBODY_NAMED)
    }
  }

  #log({method, sent, fields}: Question, answer: Writable, status: () => number): void {
    const {apiLog} = this.#options
    if (apiLog === undefined) return
    const since = performance.now()
    const size = counted(answer)
    answer.on('close', () => {
      const durationMs = Math.round(performance.now() - since)
      const userAgent = /^user-agent: (.*)\r$/im.exec(fields.lines)?.[1] ?? ''
      apiLog({method: `${method} ${sent.path}`, code: status(), size: size(), durationMs, userAgent})
    })
  }

  #own(question: Question, {body, answer, finished}: OwnCall): void {
    const {action, fields, sent} = question
    if (action === undefined) return
    const changesUs = action.kind === 'shutdown' || action.kind === 'put-metadata'
    if (changesUs && isFromElsewhere(fields.origin, fields.fetchSite, this.#guards.isOurs))
      return answer(FOREIGN_ORIGIN)
    if (action.kind === 'shutdown') finished(this.#options.requestShutdown)
    const text = this.#answerApi(action, body, sent.query)
    if (text instanceof Promise) void text.then(answer)
    else answer(text)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void {
    const {lodger} = this.#options
    if (isLodgers(lodger, request)) return lodger.upgrade(request, socket, early)
    const question = this.#read(request)
    const carrier = (conduct: Conduct): Carrier => new Tunnel({socket, early, conduct})
    if (question.refusal !== undefined || !this.#invoke(question, carrier, UPGRADE_LINES))
      endWith(socket, question.refusal ?? NOBODY_NAMED)
  }

  /** Starts a call. False, and nothing done: the request names no callee that can be read. */
  #invoke(question: Question, carrier: (conduct: Conduct) => Carrier, extraLines = ''): boolean {
    const {fields, method, trace, answerTrace} = question
    const guest = this.#guests.doorFor(fields.introduced)
    const target = guest === undefined ? question.target : findReadTarget(question.sent)
    if (target === undefined) return false
    new Invocation({door: guest ?? this, method, target, fields, trace, answerTrace, extraLines, carrier}).start()
    return true
  }
}

/** Opens the door of one app. */
export const openSidecar = (options: SidecarOptions): Sidecar => new Sidecar(options)
