import {Agent} from 'node:http'
import type {Socket} from 'node:net'
import {duplexPair, type Duplex} from 'node:stream'
import {
  checkObjects,
  ClusterClient,
  ClusterRun,
  ObjectStore,
  objectName,
  requireDapr,
  takeDown,
  TEMPLATE_LABEL,
  type ClusterAccess,
  type ClusterEvent
} from '#kubernetes'
import type {AppObjects, TemplateObjects} from '../../../src/packages/kubernetes/object.ts'
import type {ApiServer} from './api-server.ts'
import type {Mortal, SimTime} from './sim-time.ts'

/** A command that somebody has started: `run -k` or `stop -k`, without its terminal. */
export class Command implements Mortal {
  isDead = false
  readonly name: string
  readonly template: string
  readonly startedAt: number
  /** What it said, and when. */
  readonly said: {readonly at: number; readonly text: string}[] = []
  /** The lines of containers, as often as they came. */
  readonly printed = new Map<string, number>()
  /** 'done', or why it failed. */
  end: string | undefined
  endedAt = 0
  isReady = false
  changed = -1
  count = -1
  /** It was told to stop, or stops by itself. */
  stoppingAt: number | undefined
  /** Requests until it is killed. */
  left = Infinity
  /** How long its terminal takes for some lines. */
  slowMs = 0
  run: ClusterRun | undefined
  readonly #time: SimTime
  readonly #client: ClusterClient
  readonly #hurry = new AbortController()
  #token: string
  #open = new Map<string, string>()

  constructor(
    name: string,
    template: string,
    {time, server, token}: {time: SimTime; server: ApiServer; token: () => string}
  ) {
    this.name = name
    this.template = template
    this.#time = time
    this.startedAt = time.now
    this.#token = token()
    const connect = (): Duplex => this.#connect(server)
    class MemoryAgent extends Agent {
      override createConnection(): Duplex {
        return connect()
      }
    }
    const agent = new MemoryAgent({keepAlive: true})
    const access: ClusterAccess = {
      context: 'test',
      server: 'http://test',
      namespace: 'shop',
      isLocal: true,
      options: async () => Promise.resolve({agent, headers: {authorization: `Bearer ${this.name}|${this.#token}`}}),
      forget: () => (this.#token = token()),
      hurry: () => undefined
    }
    this.#client = new ClusterClient(access)
    this.#client.onWait = text => this.say(text)
  }

  get isOver(): boolean {
    return this.isDead || this.end !== undefined
  }

  #connect(server: ApiServer): Duplex {
    const [ours, theirs] = duplexPair()
    for (const each of [ours, theirs])
      Object.assign(each, {setKeepAlive: () => each, setNoDelay: () => each, ref: () => each, unref: () => each})
    let lastAt = this.#time.now
    ours.on('data', () => (lastAt = this.#time.now))
    const check = (ms: number): void => {
      this.#time.within(this, () =>
        this.#time.after(ms - (this.#time.now - lastAt), () => {
          if (ours.destroyed || limit !== ms) return
          if (this.#time.now - lastAt >= ms) ours.emit('timeout')
          else check(ms)
        })
      )
    }
    let limit = 0
    Object.assign(ours, {
      setTimeout: (ms: number, heard?: () => void) => {
        if (heard !== undefined) ours.once('timeout', heard)
        limit = ms
        lastAt = this.#time.now
        if (ms > 0) check(ms)
        return ours
      }
    })
    if (!this.isDead) server.server.emit('connection', theirs as Socket)
    return ours
  }

  say(text: string): void {
    if (!this.isDead) this.said.push({at: this.#time.now, text})
  }

  #failed(error: unknown): void {
    if (this.isDead) return
    const {explanation = '', name} = error as {explanation?: string; name?: string}
    this.end =
      name === 'UserError' || name === 'ApiError'
        ? `${(error as Error).message} ${explanation}`
        : `BUG ${(error as Error)?.stack ?? String(error)}`
    this.endedAt = this.#time.now
    this.say(`ended: ${this.end}`)
  }

  #done(): void {
    if (this.isDead) return
    this.end = 'done'
    this.endedAt = this.#time.now
    this.say('ended')
    this.#client.close()
  }

  /** `run -k` */
  startRun(objects: TemplateObjects): void {
    this.#time.within(this, () => void this.#run(objects))
  }

  async #run(objects: TemplateObjects): Promise<void> {
    try {
      const store = new ObjectStore(this.#client)
      await requireDapr(store)
      const checked = await checkObjects(store, objects)
      this.run = new ClusterRun({
        store,
        objects,
        checked,
        timeoutMs: 300_000,
        emit: event => this.#hear(event),
        openLogs: async ({id}: AppObjects) =>
          Promise.resolve({
            app: {
              sink: async ({text}: {text: string}) => {
                this.#print(id, text)
                if (this.slowMs > 0) await this.#time.pause(this.slowMs)
              },
              close: async () => Promise.resolve()
            },
            sidecar: {write: (text: string) => this.#print(`${id} daprd`, text), close: async () => Promise.resolve()}
          } as never),
        writeFiles: () => []
      })
      if (this.stoppingAt !== undefined) return this.#done()
      this.run.start()
      await this.run.ended
      this.#done()
    } catch (error) {
      this.#failed(error)
    }
  }

  #print(stream: string, text: string): void {
    if (this.isDead) return
    const whole = (this.#open.get(stream) ?? '') + text
    const lines = whole.split('\n')
    this.#open.set(stream, lines.pop() ?? '')
    for (const line of lines) this.printed.set(line, (this.printed.get(line) ?? 0) + 1)
  }

  #hear(event: ClusterEvent): void {
    if (this.isDead) return
    if (event.type === 'all-ready') {
      this.isReady = true
      this.changed = event.changed
    }
    if (event.type === 'stopping' || event.type === 'app-deleting') this.stoppingAt ??= this.#time.now
    if (event.type === 'app-moved') return
    const what =
      event.type === 'app-deleting'
        ? `${event.id} ${event.objects.map(objectName).join(' ')}`
        : event.type === 'warned' || event.type === 'container-exited'
          ? event.text
          : event.type === 'app-deploying'
            ? event.app.id
            : event.type === 'pod-found'
              ? event.pod
              : ''
    this.say(`${event.type} ${what}`)
  }

  /** `stop -k -f .` */
  startStop(objects: TemplateObjects): void {
    this.stoppingAt = this.#time.now
    this.#time.within(this, () => void this.#stop(objects))
  }

  async #stop({apps}: TemplateObjects): Promise<void> {
    try {
      const store = new ObjectStore(this.#client)
      await store.lookUpDapr()
      this.count = await takeDown({
        store,
        labels: `${TEMPLATE_LABEL}=${this.template}`,
        apps,
        now: this.#hurry.signal,
        onWait: text => this.say(text),
        onDelete: (id, objects) => this.say(`app-deleting ${id} ${objects.map(objectName).join(' ')}`)
      })
      this.#done()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Ctrl-C. */
  interrupt(isAgain = false): void {
    this.stoppingAt ??= this.#time.now
    this.#time.within(this, () => {
      if (isAgain || this.run === undefined) {
        this.#hurry.abort()
        if (this.run === undefined) this.#client.hurry()
        this.run?.stopNow()
      } else this.run.stop()
    })
  }

  kill(): void {
    this.isDead = true
    this.#client.close()
  }
}
