import {once} from 'node:events'
import {createServer, type Server, type Socket} from 'node:net'
import {createInterface} from 'node:readline'
import {STALLED_MS} from './output.ts'
import {StartQueue} from './queue.ts'

/** What a driven app tells about itself when it starts. */
export interface Hello {
  readonly id: string
  readonly pid: number
  readonly parent: number
  readonly folder: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A call that a driven app has received and that waits for the test's answer. */
export interface Request {
  readonly method: string
  readonly url: string
  /** Lower-case names; values that came more than once are joined by ', '. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  reply(reply?: Reply): Promise<void>
}

export interface SpawnOptions {
  /** `setsid`: a session and a group of its own. */
  readonly leavesGroup?: boolean
  /** It writes where the app writes; otherwise it holds none of the app's pipes. */
  readonly keepsPipes?: boolean
  readonly ignoresTerm?: boolean
  /** Names taken out of its environment. */
  readonly without?: readonly string[]
}

export interface CallOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

type Message =
  | ({readonly type: 'hello'} & Hello)
  | {readonly type: 'done'; readonly call: number; readonly result: unknown; readonly error?: string}
  | ({readonly type: 'request'; readonly request: number} & Omit<Request, 'reply'>)
  | {readonly type: 'configured'}
  | {readonly type: 'signal'; readonly name: NodeJS.Signals}
  | {readonly type: 'input'; readonly text: string}

/** One life of an app whose every change the test commands (`test/fixtures/apps/driven.mjs`). */
export class Driven {
  readonly hello: Hello
  /** The process has ended, or has let go of the test. */
  readonly closed: Promise<unknown>
  readonly #socket: Socket
  readonly #calls = new Map<number, {resolve: (result: unknown) => void; reject: (error: Error) => void}>()
  readonly #requests = new StartQueue<Request>()
  readonly #configured = Promise.withResolvers<void>()
  readonly #signals = new StartQueue<NodeJS.Signals>()
  readonly #input = new StartQueue<string>()
  #last = 0

  constructor(hello: Hello, socket: Socket) {
    this.hello = hello
    this.#socket = socket
    this.closed = once(socket, 'close')
    socket.once('close', () => {
      for (const {reject} of this.#calls.values()) reject(this.#gone)
    })
  }

  get #gone(): Error {
    return new Error(`${this.hello.id} ended before it answered`)
  }

  get pid(): number {
    return this.hello.pid
  }

  get env(): Readonly<Record<string, string>> {
    return this.hello.env
  }

  /** Writes bytes as they are; resolves when the pipe has taken them. */
  async print(what: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    await this.#call('print', {stream, base64: Buffer.from(what).toString('base64')})
  }

  /**
   * Listens; by default for HTTP, on APP_PORT, or on a free port where there is none. Gives the port. For gRPC requests and
   * replies have messages in base64 as their bodies, and codes as statuses.
   */
  async listen({
    port,
    host = '127.0.0.1',
    grpc = false
  }: {readonly port?: number; readonly host?: string; readonly grpc?: boolean} = {}): Promise<number> {
    const number = port ?? Number(this.env['APP_PORT'] ?? 0)
    return Number(await this.#call('listen', {port: number, host, grpc}))
  }

  /** From now on each call is answered in this way at once, and not shown to the test; so are those that it has not taken yet. */
  async answer(reply: Reply): Promise<void> {
    await this.#call('answer', reply)
    await Promise.all(this.#requests.takeRest().map(async request => request.reply(reply)))
  }

  /** Sets its answer to GET /dapr/config, which is 404 otherwise. */
  async configure(reply: Reply): Promise<void> {
    await this.#call('configure', reply)
  }

  /** Its sidecar has asked for its configuration and its topics (over gRPC: its topics), as it does once an app is ready: no call of its own is under way any more. */
  get configured(): Promise<void> {
    return this.#configured.promise
  }

  /** Sets its answer to GET /dapr/subscribe, which is 404 otherwise; over gRPC to ListTopicSubscriptions. */
  async subscribe(list: readonly object[] | Reply): Promise<void> {
    await this.#call('subscribe', 'length' in list ? {body: JSON.stringify(list)} : list)
  }

  /** The next call that has come, unless `answer` has settled how calls are answered. */
  async nextRequest(): Promise<Request> {
    return this.#requests.take()
  }

  /** From now on this signal does not end it; it comes out of `nextSignal`. */
  async catchSignal(name: NodeJS.Signals): Promise<void> {
    await this.#call('catchSignal', {name})
  }

  async nextSignal(): Promise<NodeJS.Signals> {
    return this.#signals.take()
  }

  /** Begins to read its stdin; what comes, and '' at the end, comes out of `nextInput`. */
  async readInput(): Promise<void> {
    await this.#call('readInput', {})
  }

  async nextInput(): Promise<string> {
    return this.#input.take()
  }

  /** Starts a process that sleeps for a minute; gives its pid. */
  async spawn(options: SpawnOptions = {}): Promise<number> {
    return Number(await this.#call('spawn', options))
  }

  /** Sends a request, to its own sidecar for example; `/path` alone means the sidecar. */
  async fetch(url: string, options: CallOptions = {}): Promise<Answer> {
    const whole = url.startsWith('/') ? `http://127.0.0.1:${this.env['DAPR_HTTP_PORT'] ?? ''}${url}` : url
    return (await this.#call('fetch', {url: whole, ...options})) as Answer
  }

  /** Ends with a code. */
  async exit(code: number): Promise<void> {
    this.#send('exit', {code})
    await this.closed
  }

  /** Ends by a signal that it sends to itself. */
  async die(name: NodeJS.Signals): Promise<void> {
    this.#send('die', {name})
    await this.closed
  }

  /** Takes what the process tells. */
  hear(message: Exclude<Message, {type: 'hello'}>): void {
    switch (message.type) {
      case 'done': {
        const call = this.#calls.get(message.call)
        this.#calls.delete(message.call)
        if (message.error === undefined) call?.resolve(message.result)
        else call?.reject(new Error(message.error))
        return
      }
      case 'request': {
        const {request, method, url, headers, body} = message
        const reply = async (given: Reply = {}): Promise<void> => void (await this.#call('reply', {request, ...given}))
        return this.#requests.put({method, url, headers, body, reply})
      }
      case 'configured':
        return this.#configured.resolve()
      case 'signal':
        return this.#signals.put(message.name)
      case 'input':
        return this.#input.put(message.text)
    }
  }

  async #call(name: string, details: object): Promise<unknown> {
    if (this.#socket.destroyed) throw this.#gone
    const call = this.#send(name, details)
    return new Promise((resolve, reject) => this.#calls.set(call, {resolve, reject}))
  }

  #send(name: string, details: object): number {
    const call = ++this.#last
    this.#socket.write(`${JSON.stringify({call, name, details})}\n`)
    return call
  }
}

/** Where driven apps report. */
export class Switchboard {
  /** The unix socket's path. */
  readonly path: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #arrivals = new Map<string, StartQueue<Driven>>()

  constructor(path: string) {
    this.path = path
    this.#server = createServer(socket => this.#welcome(socket))
  }

  async open(): Promise<void> {
    this.#server.listen(this.path)
    await once(this.#server, 'listening')
  }

  /** The next life of the app with this id that nobody has taken; fails when none has come for a minute. */
  async next(id: string): Promise<Driven> {
    const stalled = new Error(`no process of ${id} has connected in ${STALLED_MS / 1000} s`)
    const {promise, reject} = Promise.withResolvers<never>()
    promise.catch(() => undefined) // who does not wait for it does not miss it
    const timer = setTimeout(() => reject(stalled), STALLED_MS).unref()
    const life = this.#of(id).take()
    void life.then(() => clearTimeout(timer))
    return Promise.race([life, promise])
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    if (this.#server.listening) await once(this.#server, 'close')
  }

  #of(id: string): StartQueue<Driven> {
    const queue = this.#arrivals.get(id) ?? new StartQueue<Driven>()
    this.#arrivals.set(id, queue)
    return queue
  }

  #welcome(socket: Socket): void {
    let app: Driven | undefined
    this.#sockets.add(socket)
    socket.on('error', () => undefined) // a process that is killed resets; `close` follows
    socket.once('close', () => this.#sockets.delete(socket))
    createInterface({input: socket}).on('line', line => {
      const message = JSON.parse(line) as Message
      if (message.type !== 'hello') return app?.hear(message)
      app = new Driven(message, socket)
      this.#of(message.id).put(app)
    })
  }
}
