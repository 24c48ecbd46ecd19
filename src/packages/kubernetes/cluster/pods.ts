import {decoded} from '../../../model/bytes.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import {isTruthy} from '../../../model/truthy.ts'
import {pause} from '../../../platform/delay.ts'
import {STREAM_LIMIT, type Kubectl, type Say} from './kubectl.ts'

type Texts = Readonly<Record<string, string | undefined>>

/** The part of a pod that we read (`core/v1`). */
interface Pod {
  readonly metadata: {
    readonly name: string
    readonly labels: Texts
    readonly annotations?: Texts
    readonly deletionTimestamp?: string
  }
  readonly status: {
    readonly conditions?: readonly {readonly type: string; readonly status: string; readonly message: string}[]
    readonly containerStatuses?: readonly Container[]
    readonly initContainerStatuses?: readonly Container[]
  }
}

interface Container {
  readonly name: string
  readonly containerID?: string
  readonly state?: ContainerState
  readonly lastState?: ContainerState
}

interface ContainerState {
  readonly waiting?: {readonly reason?: string; readonly message?: string}
  readonly terminated?: {readonly exitCode: number; readonly containerID?: string}
}

/** The container that Dapr's injector adds. */
export const SIDECAR = 'daprd'
/** Reasons of a waiting container that time does not repair. The kubelet retries once before it reports `ImagePullBackOff`. */
const HOPELESS =
  /^(?:ImagePullBackOff|InvalidImageName|ErrImageNeverPull|CreateContainerConfigError|CreateContainerError|RunContainerError)$/
/** `[pod/shop-1/daprd] 2026-01-02T03:04:05.000000006Z text`, as kubectl prints a line. The kubelet's own lines have no time. */
const LINE = /^\[pod\/([^/\]]+)\/([^\]]+)\] (\d{4}-\S+) ?(.*)$/s
const LOGS = ['--all-containers', '--prefix', '--timestamps', '--ignore-errors', '--max-log-requests=200', STREAM_LIMIT]
/** Pause before kubectl starts again, in ms. */
const PAUSE_MS = 500
/** A kubectl that starts again reads lines once more that are older than the newest one by at most this time, in ms. */
const OVERLAP_MS = 60_000

export interface PodsOptions {
  readonly kubectl: Kubectl
  readonly label: string
  /** Apps that are Jobs. */
  readonly jobs: readonly string[]
  readonly signal: AbortSignal
  readonly say: Say
  /** Writes a line of a container, as bytes (latin1). */
  readonly write: (id: string, container: string, line: string) => Promise<void>
}

/** The pods of a label: what their containers write, and how they end. */
export class Pods {
  /** Rejects when a pod cannot run, or a Job fails. */
  readonly failed = Promise.withResolvers<never>()
  /** Promises of Jobs by app id; each resolves when its Job completes. */
  readonly jobs: ReadonlyMap<string, PromiseWithResolvers<void>>
  /** Ids of apps that were ready once, and of completed Jobs. A later failure of their pods does not end the run. */
  readonly running = new Set<string>()
  readonly #options: PodsOptions
  /** Apps by the names of their pods. */
  readonly #ids = new Map<string, string>()
  /** Starts and ends of containers, and warnings, that were seen already. */
  readonly #reported = new Set<string>()
  /** Time of the last line of each container, and the newest of all. */
  readonly #last = new Map<string, string>()
  #newest = 0
  #reader = new AbortController()
  #reading: Promise<void> | undefined

  constructor(options: PodsOptions) {
    this.#options = options
    this.jobs = new Map(options.jobs.map(id => [id, Promise.withResolvers<void>()]))
  }

  /** Watches until the signal. Starts kubectl again when the API server ends the watch. */
  async watch(): Promise<void> {
    const {kubectl, label, signal} = this.#options
    const args = ['get', 'pods', '-l', label, '-w', '-o', 'jsonpath={@}{"\\n"}', STREAM_LIMIT]
    const onLine = (line: string): void => this.#see(JSON.parse(decoded(line)) as Pod)
    for (; !signal.aborted; await pause(PAUSE_MS, signal))
      await kubectl.lines(args, onLine, {cancelSignal: signal}).catch((error: unknown) => {
        if (!signal.aborted) this.#warn(`logs and states may be old; still trying: ${messageOf(error)}`)
      })
  }

  /** Reads the lines of all containers that are new since the last read. With `-f`, also reads later lines, until kubectl ends. */
  async read(...follow: readonly '-f'[]): Promise<void> {
    const {kubectl, label, signal} = this.#options
    const since = `--since-time=${new Date(this.#newest - OVERLAP_MS).toISOString()}`
    const from = this.#newest > 0 ? since : `--since=${OVERLAP_MS / 1000}s`
    const until = follow.length > 0 ? AbortSignal.any([signal, this.#reader.signal]) : signal
    await kubectl
      .lines(['logs', ...follow, '-l', label, from, ...LOGS], line => this.#take(line), {cancelSignal: until})
      .catch(() => undefined)
  }

  /** Settles when kubectl has no more lines, or after a second. */
  async end(): Promise<void> {
    await Promise.race([this.#reading, pause(1000)])
  }

  /** Reads the lines of all containers by one kubectl. Starts it again when a new container starts, and when kubectl has ended. */
  async #readAll(): Promise<void> {
    for (; !this.#options.signal.aborted; await pause(PAUSE_MS, this.#options.signal)) {
      this.#reader = new AbortController()
      await (this.#reading = this.read('-f'))
    }
  }

  #isNew(key: string): boolean {
    const isNew = !this.#reported.has(key)
    this.#reported.add(key)
    return isNew
  }

  #warn(text: string): void {
    if (this.#isNew(text)) this.#options.say('warning', text)
  }

  /** Reads a pod that is new or has changed. */
  #see({metadata: {name, labels, annotations, deletionTimestamp}, status}: Pod): void {
    const id = labels['app'] ?? ''
    if (deletionTimestamp !== undefined) return
    this.#ids.set(name, id)
    // the template may turn the sidecar off: kubernetes: {annotations: {dapr.io/enabled: "off"}}
    if (isTruthy(annotations?.['dapr.io/enabled'] ?? '') && labels['dapr.io/sidecar-injected'] === undefined)
      this.#fail(
        id,
        `Dapr did not add a sidecar to "${id}" (pod ${name}): its injector was not asked, or is down. Look at: kubectl get pods -n dapr-system --context ${this.#options.kubectl.context}`
      )
    for (const container of [status.initContainerStatuses ?? [], status.containerStatuses ?? []].flat()) {
      const {containerID, state, lastState} = container
      if (containerID !== undefined && this.#isNew(containerID)) {
        this.#reader.abort()
        if (this.#reading === undefined) void this.#readAll()
      }
      for (const end of [lastState?.terminated, state?.terminated])
        if (end !== undefined && this.#isNew(`${end.containerID} ended`)) this.#ended(id, container.name, end.exitCode)
      const {reason = '', message} = state?.waiting ?? {}
      if (HOPELESS.test(reason)) this.#fail(id, `${named(container.name, id)} cannot start: ${reason}: ${message}`)
    }
    const unscheduled = status.conditions?.find(({type, status: is}) => type === 'PodScheduled' && is === 'False')
    if (unscheduled !== undefined) this.#warn(`no node takes "${id}": ${unscheduled.message}`)
  }

  #fail(id: string, text: string): void {
    if (!this.running.has(id)) this.failed.reject(new UserError(text))
  }

  #ended(id: string, name: string, code: number): void {
    const job = name === id ? this.jobs.get(id) : undefined
    const isLasting = name === id && code === 0 && job === undefined
    const hint = isLasting ? '; kubernetes: {job: true} if it is meant to end' : ''
    this.#options.say(code === 0 ? 'info' : 'failure', `${named(name, id)} exited with code ${code}${hint}`)
    if (job === undefined) return
    if (code !== 0) return this.#fail(id, `the Job "${id}" failed with exit code ${code}`)
    this.running.add(id)
    job.resolve()
  }

  async #take(line: string): Promise<void> {
    const [, pod = '', container = '', time = '', text = ''] = LINE.exec(line) ?? []
    const id = this.#ids.get(pod)
    const key = `${pod}/${container}`
    // skips lines that were read before, and those of a pod that the watch has not seen: these are read again later
    if (id === undefined || time <= (this.#last.get(key) ?? '')) return
    this.#last.set(key, time)
    this.#newest = Math.max(this.#newest, Date.parse(time))
    await this.#options.write(id, container, text)
  }
}

const named = (name: string, id: string): string => (name === id ? `"${id}"` : `${name} of "${id}"`)
