import type {AppObjects} from '../object.ts'
import type {AppLogs} from './app-logs.ts'
import type {AppProgress} from './cluster-event.ts'
import {SIDECAR, statusesOf, type ContainerStatus, type Pod, type Terminated} from './pod.ts'
import {waitsFor} from './verdict.ts'

export interface ClusterAppOptions {
  readonly app: AppObjects
  /** Reads the log of a container that has ended. Returns its last line, '' if it has none. */
  readonly readEnd: (pod: string, container: string, isPrevious: boolean) => Promise<string>
  /** Opens console and files at the first pod. */
  readonly openLogs: (app: AppObjects) => Promise<AppLogs>
  readonly onPod: (pod: Pod, isFirst: boolean) => void
  /** A container ended by itself. */
  readonly onExit: (exit: ContainerExit, text: string) => void
}

/** The end of a container. */
export interface ContainerExit {
  /** The app. */
  readonly id: string
  readonly container: string
  readonly code: number
  /** Failures in a row of the app's own container. */
  readonly failures: number
  /** Last line of its output; may be empty. */
  readonly lastLine: string
}

/** A container that ran for this long, in ms, starts a new row of failures. */
const STEADY_MS = 10_000

/** An app on a cluster: its progress, its pods and its logs. */
export class ClusterApp {
  readonly app: AppObjects
  readonly #options: ClusterAppOptions
  readonly #pods = new Map<string, Pod>()
  /** Uids of pods that are older than the run; a replaced Job does not count them. */
  readonly #before = new Set<string>()
  /** Starts of containers whose end was reported. */
  readonly #reported = new Set<string>()
  /** Failures in a row of the app's own container, by pod. */
  readonly #failures = new Map<string, number>()
  #logs: Promise<AppLogs> | undefined
  /** The latest writes, which keep the order of lines. */
  #writes: Promise<unknown> = Promise.resolve()
  #ignored: ReadonlySet<string> = new Set()
  #progress: AppProgress = 'waiting'
  /** Settles when every end so far was reported. */
  reports: Promise<unknown> = Promise.resolve()

  constructor(options: ClusterAppOptions) {
    this.#options = options
    this.app = options.app
  }

  get id(): string {
    return this.app.id
  }

  get isJob(): boolean {
    return this.app.workload.kind === 'Job'
  }

  get progress(): AppProgress {
    if (!this.isJob || this.#progress !== 'starting') return this.#progress
    const {code} = this.#jobEnd ?? {}
    return code === undefined ? 'starting' : code === 0 ? 'completed' : 'failed'
  }

  get isSettled(): boolean {
    return ['ready', 'completed', 'failed'].includes(this.progress)
  }

  /** Whether nothing of the app is left to run. */
  get isOver(): boolean {
    return this.progress === 'failed' || this.progress === 'completed'
  }

  get hasPods(): boolean {
    return this.#pods.size > 0
  }

  /** Whether the app's own container runs or has run. */
  get hasStarted(): boolean {
    if (this.#progress === 'waiting' || this.#progress === 'deploying') return false
    return this.#own.some(({state}) => (state?.running ?? state?.terminated) !== undefined)
  }

  /** Whether the app has reached a state that another app depends on. */
  is(until: 'started' | 'ready' | 'completed'): boolean {
    if (until === 'completed') return this.progress === 'completed'
    return this.progress === 'ready' || this.progress === 'completed' || (until === 'started' && this.hasStarted)
  }

  /** The reason why the app is not ready. */
  get waitsFor(): string {
    if (this.#progress === 'waiting') return `waits for ${this.app.dependsOn.map(({id}) => id).join(', ')}`
    const pod = this.#current.find(({metadata}) => metadata.deletionTimestamp === undefined)
    return pod === undefined ? 'no pod was made' : waitsFor(pod)
  }

  get pods(): readonly Pod[] {
    return [...this.#pods.values()]
  }

  pod(name: string): Pod | undefined {
    return this.pods.find(({metadata}) => metadata.name === name)
  }

  /** The objects are going to be applied. Returns whether the app is a Job whose container has failed before. */
  deploying(): boolean {
    this.#progress = 'deploying'
    return this.isJob && (this.#jobEnd?.code ?? 0) !== 0
  }

  /** The objects are applied; pods of a replaced Job do not count. */
  applied({isReplaced}: {readonly isReplaced: boolean}): void {
    if (isReplaced) this.#ignored = new Set(this.#before)
    this.#progress = 'starting'
  }

  ready(): void {
    this.#progress = 'ready'
  }

  fail(): void {
    this.#progress = 'failed'
  }

  /** Reads a pod that is new or has changed, and reports each container that has ended. */
  see(pod: Pod): void {
    const {uid} = pod.metadata
    const isNew = !this.#pods.has(uid)
    const isFirst = !this.hasPods && this.#logs === undefined
    this.#pods.set(uid, pod)
    if (isNew) this.#options.onPod(pod, isFirst)
    if (pod.metadata.deletionTimestamp === undefined)
      for (const status of statusesOf(pod)) this.#lookAtEnd(pod, status, false)
  }

  /** Reads a pod of an earlier run, and reports none of its ends. */
  seeOld(pod: Pod): void {
    this.#before.add(pod.metadata.uid)
    this.#pods.set(pod.metadata.uid, pod)
    for (const status of statusesOf(pod)) this.#lookAtEnd(pod, status, true)
    this.#options.onPod(pod, this.#pods.size === 1)
  }

  forget({metadata}: Pod): void {
    this.#pods.delete(metadata.uid)
  }

  /** The starts of containers that have a log. */
  starts(pod: Pod): readonly {readonly id: string; readonly isOld: boolean}[] {
    const isOld = this.#before.has(pod.metadata.uid)
    return statusesOf(pod).flatMap(({containerID, state}) =>
      containerID === undefined || state?.waiting !== undefined ? [] : [{id: containerID, isOld}]
    )
  }

  /** Writes lines of a container to the console and the files. */
  write(container: string, text: string): void {
    const open = (this.#logs ??= this.#options.openLogs(this.app))
    const before = this.#writes
    this.#writes = (async () => {
      await before
      const {app, sidecar} = await open
      await (container === SIDECAR ? sidecar.write(text, 'error') : app.sink({app: this.id, stream: 'stdout', text}))
    })()
  }

  async close(): Promise<void> {
    await this.#writes
    const logs = await this.#logs
    await Promise.all([logs?.app.close(), logs?.sidecar.close()])
  }

  get #current(): readonly Pod[] {
    return this.pods.filter(({metadata}) => !this.#ignored.has(metadata.uid))
  }

  get #own(): readonly ContainerStatus[] {
    return this.#current.flatMap(statusesOf).filter(({name}) => name === this.id)
  }

  /** The end of a Job: that of its own container, since its sidecar may never end; or of its pod. */
  get #jobEnd(): {readonly code: number} | undefined {
    const ends = this.#own.flatMap(({state}) => state?.terminated ?? [])
    const end = ends.find(({exitCode}) => exitCode === 0) ?? ends.at(-1)
    if (end !== undefined) return {code: end.exitCode}
    return this.#current.some(({status}) => status?.phase === 'Failed') ? {code: 1} : undefined
  }

  #lookAtEnd(pod: Pod, {name, state, lastState}: ContainerStatus, isOld: boolean): void {
    for (const [end, isPrevious] of [
      [lastState?.terminated, true],
      [state?.terminated, false]
    ] as const) {
      if (end === undefined) continue
      const start = end.containerID ?? `${pod.metadata.uid}/${name}/${end.finishedAt ?? ''}`
      if (this.#reported.has(start)) continue
      this.#reported.add(start)
      if (isOld) continue
      const report = this.#report(pod.metadata.name, name, {end, isPrevious})
      this.reports = Promise.all([this.reports, report])
    }
  }

  async #report(
    pod: string,
    container: string,
    {end, isPrevious}: {readonly end: Terminated; readonly isPrevious: boolean}
  ): Promise<void> {
    const isOwn = container === this.id
    const before = livedMs(end) >= STEADY_MS ? 0 : (this.#failures.get(pod) ?? 0)
    const failures = isOwn && end.exitCode !== 0 ? before + 1 : 0
    if (isOwn) this.#failures.set(pod, failures)
    const lastLine = await this.#options.readEnd(pod, container, isPrevious)
    const exit = {id: this.id, container, code: end.exitCode, failures, lastLine}
    this.#options.onExit(exit, exitText(exit, {reason: end.reason ?? '', isJob: this.isJob}))
  }
}

const livedMs = ({startedAt = '', finishedAt = ''}: Terminated): number =>
  Date.parse(finishedAt) - Date.parse(startedAt) || 0

/** `"stock" exited with code 3: connection refused` */
function exitText(
  {id, container, code, lastLine}: ContainerExit,
  {reason, isJob}: {readonly reason: string; readonly isJob: boolean}
): string {
  const what =
    container === id ? `"${id}"` : container === SIDECAR ? `the sidecar of "${id}"` : `${container} of "${id}"`
  const why = ['', 'Error', 'Completed'].includes(reason) ? '' : ` (${reason})`
  const hint =
    code === 0 && container === id && !isJob
      ? '; it will be started again, kubernetes: {job: true} if it is meant to end'
      : ''
  return `${what} exited with code ${code}${why}${lastLine === '' ? '' : `: ${lastLine}`}${hint}`
}
