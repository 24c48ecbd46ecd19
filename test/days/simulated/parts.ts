/**
 * What stands in for the modules that touch the machine (`replaced.ts` names them): the same exports, on the invented machine.
 * Everything that decides the order of things is the real code.
 */
import type {AppPlan, Plan} from '../../../src/model/plan.ts'
import type {SidecarPorts} from '../../../src/proxy/ports/claim.ts'
import type {Clock} from '../../../src/platform/clock.ts'
import type {ProbeTarget} from '../../../src/platform/probe.ts'
import type {OpenSidecar} from '../../../src/dapr/sidecar/open-sidecar.ts'
import type {OpenSidecarOptions} from '../../../src/dapr/sidecar/sidecar-options.ts'
import type {PublishedContext} from '../../../src/proxy/published/published-port-call.ts'
import type {AppProcessOptions, ProcessEnding} from '../../../src/supervisor/process/app-process.ts'
import type {LeasesFound} from '../../../src/control/sidecar-leases.ts'
import type {Registration} from '../../../src/control/server.ts'
import type {LogsNeeds} from '../../../src/run/apps/open-logs.ts'
import type {Exit} from '../../../src/model/app-state.ts'
import type {Logs} from '../../../src/supervisor/lifecycle-log.ts'
import {nameOf} from '../template.ts'
import {current, type File, type FileListener, type Process} from './machine.ts'

const nothing = (): undefined => undefined
const close = async (): Promise<void> => undefined

// platform/clock.ts
export const systemClock: Clock = {
  now: () => current.machine.clock.now(),
  date: () => current.machine.clock.date(),
  after: (ms, fire) => current.machine.clock.after(ms, fire)
}

// supervisor/process/app-process.ts
export class AppProcess {
  readonly marker: string
  readonly group: object
  readonly #process: Process

  constructor({command, env, folder, marker}: AppProcessOptions) {
    const process = current.machine.spawn({env, folder, kind: command.at(-1) ?? ''})
    this.marker = marker
    this.#process = process
    this.group = {
      pid: process.pid,
      started: process.pid,
      stdin: null,
      exited: process.exited,
      hasExited: () => process.endedAt !== undefined,
      signal: nothing
    }
  }

  get pid(): number {
    return this.#process.pid
  }

  get lived(): {readonly from: number; readonly to: number} {
    return {from: this.#process.bornAt, to: this.#process.endedAt ?? current.machine.clock.now()}
  }

  /** No process of these walks leaves a server in the background. */
  async ended(): Promise<void> {
    await this.#process.exited
  }

  async end({stop}: ProcessEnding): Promise<Exit> {
    const {machine} = current
    if (this.#process.endedAt === undefined) {
      await machine.takes(40)
      this.#process.exit({kind: 'signal', signal: stop.signal})
    }
    const exit = await this.#process.exited
    await machine.takes(5)
    return exit
  }
}

// platform/pipes.ts
const PIPE = {ours: -1, theirs: -1}
export const makePipes = async (count: number): Promise<object[]> => {
  await current.machine.takes(10)
  return Array.from({length: count}, () => ({stdout: PIPE, stderr: PIPE}))
}
export const closePipes = nothing
export const closeTheirs = nothing

// supervisor/process/foreign-listener.ts
export const findForeignListeners = async (): Promise<readonly never[]> => []

// platform/probe.ts
export const LOOPBACK = ['127.0.0.1', '::1']
export async function firstAccepting({port}: ProbeTarget): Promise<string | undefined> {
  return current.machine.living.some(({listens}) => listens === port) ? LOOPBACK[0] : undefined
}
/** Nothing but `NEVER_READY` asks for a path. */
export const statusOf = async (): Promise<number> => 503
export async function poll(attempt: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await attempt()) return !signal.aborted
    await new Promise<void>(resolve => current.machine.clock.after(25, resolve))
  }
  return false
}

// proxy/ports/app-port.ts
export const numberPlace = (): undefined => undefined
export const whoHolds = async (): Promise<string> => 'it is taken'
export const freeAppPort = async (): Promise<number> => current.machine.next()

// proxy/ports/claim.ts, proxy/ports/claim-all.ts
type Wanted = (app: AppPlan) => Partial<SidecarPorts> | undefined
export async function claimPorts(
  {apps}: Plan,
  {wanted = nothing}: {wanted?: Wanted | undefined} = {}
): Promise<readonly SidecarPorts[]> {
  const {machine} = current
  await machine.takes(5)
  return apps.map(app => {
    const {channel, sidecar} = app
    const {httpPort, grpcPort, metricsPort, appPort} = wanted(app) ?? {}
    return {
      http: [],
      grpc: [],
      metrics: [],
      httpPort: sidecar.httpPort || (httpPort ?? machine.next()),
      grpcPort: sidecar.grpcPort || (grpcPort ?? machine.next()),
      metricsPort: sidecar.metricsPort || (metricsPort ?? machine.next()),
      internalGrpcPort: machine.next(),
      appPort: channel.autoPort ? (appPort ?? machine.next()) : channel.port
    }
  })
}
export const claimAll = async (plan: Plan): Promise<object> => ({
  sidecars: await claimPorts(plan),
  manager: undefined
})
/** Of the ports at which apps are called: nothing is bound for others here. */
export async function listen(number: number): Promise<readonly object[]> {
  const {machine} = current
  await machine.takes(2)
  if (machine.bound.has(number)) throw Object.assign(new Error(`${number} is bound twice`), {code: 'EADDRINUSE'})
  machine.bound.set(number, undefined)
  return [{number}]
}
export const release = ({number}: {readonly number: number}): void => void current.machine.bound.delete(number)

// proxy/published/published-port.ts
export class PublishedPort {
  readonly #number: number

  constructor([claim]: readonly {readonly number: number}[], contextOf: () => PublishedContext) {
    this.#number = claim?.number ?? 0
    current.machine.bound.set(this.#number, contextOf)
  }

  handOver = close
  async close(): Promise<void> {
    current.machine.bound.delete(this.#number)
    await current.machine.takes(2)
  }
}

export const releaseAll = nothing
export const releasePorts = nothing

// dapr/sidecar/open-sidecar.ts
export async function openAppSidecar({runtime, apps}: OpenSidecarOptions): Promise<OpenSidecar> {
  const {machine} = current
  await machine.takes(5)
  const closing = new AbortController()
  const {httpPort} = runtime.ports
  if (machine.sidecars.has(httpPort)) throw new Error(`two sidecars at port ${httpPort}`)
  const own = {id: runtime.id, name: nameOf(runtime.id, runtime.plan.instance), admit: apps}
  machine.sidecars.set(httpPort, own)
  return {
    closing: closing.signal,
    breakers: [],
    backlogs: [],
    keepsAwake: () => false,
    actors: {mayHost: () => false, hostWaitMs: 0},
    openComponents: async () => undefined,
    openAgain: async () => undefined,
    actorState: async () => [],
    deliverJob: async () => ({kind: 'undeliverable', answer: ''}),
    endDaprd: async () => undefined,
    announceEnd: () => closing.abort(),
    makeRoom: async () => {
      machine.sidecars.delete(httpPort)
      await machine.takes(2)
      return undefined
    },
    close: async () => {
      if (machine.sidecars.get(httpPort) === own) machine.sidecars.delete(httpPort)
      await machine.takes(10)
    }
  }
}

// run/run-resources.ts, run/run-components.ts, run/run-daprd.ts, run/run-spans.ts
export class RunResources {
  async open(): Promise<object> {
    await current.machine.takes(2)
    return {}
  }
  report = nothing
  appRemoved = nothing
  leaveOut = async (): Promise<void> => undefined
  knowLeftOut = async (): Promise<void> => undefined
  edited = async (): Promise<void> => undefined
  follow = async (): Promise<void> => undefined
  close = async (): Promise<void> => undefined
}
export class RunComponents {
  load = async (): Promise<object> => ({})
  close = async (): Promise<void> => undefined
  tellShared = async (): Promise<void> => undefined
  releaseRedis = async (): Promise<boolean> => false
  giveWay = async (): Promise<void> => undefined
}
export class RunSpans {
  open = async (): Promise<void> => undefined
  environment = (before: object): object => before
  close = async (): Promise<void> => undefined
}
export class RunDaprd {
  readonly whyNone = ''
}
/** Without an entrance: no browser opens apps by their names. */
export class RunNames {
  readonly show = {facts: {}, end: async (): Promise<void> => undefined, leave: (): void => undefined}
  handOver = async (): Promise<void> => undefined
  readonly asked = {}
  open = async (): Promise<void> => undefined
  registered = nothing
  update = nothing
  urlOf = (): string => ''
  factsOf = (): object => ({})
  addressOf = (): undefined => undefined
  close = async (): Promise<void> => undefined
}

// run/sweep.ts, run/duplicate-run.ts, observe/logging/old-logs.ts, supervisor/process/end-group.ts
export const sweep = async (): Promise<void> => undefined
export const sweepFormer = async (): Promise<void> => undefined
export const warnDuplicateRun = async (): Promise<void> => undefined
export const removeOldLogs = async (): Promise<void> => undefined
export const endMarked = async (): Promise<void> => undefined

// supervisor/process/watchdog.ts
export class Watchdog {
  readonly spared: readonly string[] = []
  start = nothing
  watch = nothing
  forget = nothing
  spare = nothing
  guardTerminal = nothing
  openNetwork = async (): Promise<void> => undefined
  removeNetworks = async (): Promise<void> => undefined
  dismiss = async (): Promise<void> => undefined
}

// control/folder.ts, control/server.ts
export const runtimeFolders = (): readonly string[] => []
export const existingFolders = (): readonly string[] => []
export const usableFolder = (): string => ''
export const homeOf = (): string => ''
export async function register(): Promise<Registration> {
  return {taken: [], name: '', spare: nothing, update: async () => undefined, withdraw: async () => undefined}
}

// control/sidecar-leases.ts: nobody else runs on that machine
export class LeaseSearch {
  async find(): Promise<LeasesFound> {
    await current.machine.takes(5)
    return {sidecars: [], others: [], isStopped: false}
  }
}

// run/apps/open-logs.ts
export async function openLogs(_: AppPlan, {runLog}: LogsNeeds): Promise<Omit<Logs, 'name'>> {
  await current.machine.takes(3)
  const closing = new AbortController()
  const record = {tap: () => nothing, closed: closing.signal} as never
  return {
    app: {name: '', sink: nothing, path: '', record, runLog, close: async () => closing.abort()},
    sidecar: {say: nothing, log: nothing, write: nothing, isWriting: false, path: '', close}
  }
}

// what files/watcher/ uses of chokidar, node:fs and node:fs/promises
type Listener = (path: string, stats: object) => void
interface WatchWishes {
  readonly ignored: (path: string, stats: object | undefined) => boolean
}

/** As chokidar: tells all that is there, is ready, and tells from then on what changes, each thing a little late. */
export function watch(roots: readonly string[], {ignored}: WatchWishes): object {
  const {machine} = current
  const listeners = new Map<string, Listener>()
  const tell = (name: string, path: string, file: File): void => listeners.get(name)?.(path, statsOf(file))
  const counts = (path: string, file: File): boolean =>
    roots.some(root => path === root || path.startsWith(`${root}/`)) && !ignored(path, statsOf(file))
  let last = 0
  let isClosed = false
  const late = (fire: () => void): void => {
    last = Math.max(last, machine.clock.now() + machine.random() * 8)
    machine.clock.after(last - machine.clock.now(), () => {
      if (!isClosed) fire()
    })
  }
  const hear: FileListener = (path, file, came) => {
    if (counts(path, file)) late(() => tell(came, path, file))
  }
  late(() => {
    machine.fileListeners.add(hear)
    for (const [path, file] of machine.files) if (counts(path, file)) tell('add', path, file)
    late(() => tell('ready', '', {text: '', ino: 0, mtimeMs: 0}))
  })
  return {
    on(name: string, listener: Listener) {
      listeners.set(name, listener)
      return this
    },
    async close(): Promise<void> {
      isClosed = true
      machine.fileListeners.delete(hear)
      await machine.takes(3)
    }
  }
}

const statsOf = ({ino, mtimeMs, text}: File): object => ({
  ino,
  mtimeMs,
  ctimeMs: mtimeMs,
  size: text?.length ?? 0,
  isFile: () => text !== undefined,
  isDirectory: () => text === undefined
})

function fileAt(path: string): File {
  const file = current.machine.files.get(path)
  if (file === undefined) throw Object.assign(new Error(`no file ${path}`), {code: 'ENOENT'})
  return file
}

export const existsSync = (path: string): boolean =>
  current.machine.files.has(path) || current.machine.folders.has(path)
export const readdirSync = (): readonly string[] => []
/** The output of the run is no file. */
export const fstatSync = (): object => ({isFile: () => false})
export async function stat(path: string): Promise<object> {
  if (current.machine.random() < 0.1) await current.machine.takes(3)
  return statsOf(fileAt(path))
}
/** No file of these walks is a zip file whose end is looked for. */
export const open = async (): Promise<never> => Promise.reject(new Error('no such file'))
export async function readFile(path: string): Promise<Buffer> {
  if (current.machine.random() < 0.1) await current.machine.takes(3)
  return Buffer.from(fileAt(path).text ?? '')
}
export const mountedKindOf = async (): Promise<string> => ''
export class ExitFile {
  add = async (): Promise<void> => undefined
}
export const GITIGNORE = '.gitignore'
export class Gitignore {
  above = []
  excludes = (): boolean => false
}
