import type {AppLog, SidecarLog} from '../../../observe/logging/app-log.ts'
import type {AppObjects} from '../object.ts'
import type {ClusterClient} from './api-client.ts'
import type {ApplyOutcome} from './apply.ts'
import type {AppProgress} from './cluster-event.ts'
import {ContainerLog, LAST_LINE_MS} from './container-log.ts'
import {within} from '../../../platform/delay.ts'
import {isOlder, type LiveObject} from './object-store.ts'
import {SIDECAR, statusesOf, type ContainerStatus, type Pod, type Terminated} from './pod.ts'
import {held, unschedulable, verdictOf, waitsFor, type AppVerdict} from './verdict.ts'
import {conditionText, isRolledOut, jobExits} from './workload.ts'

export interface AppLogs {
  readonly app: AppLog
  readonly sidecar: SidecarLog
}

export interface AppDeploymentOptions {
  readonly client: ClusterClient
  readonly app: AppObjects
  readonly signal: AbortSignal
  /** Opens console and files at the first pod. */
  readonly openLogs: (app: AppObjects) => Promise<AppLogs>
  readonly onPod: (pod: Pod, isFirst: boolean) => void
  /** A container ended by itself. `count`: how often the app's own one did in a row. */
  readonly onExit: (exit: ContainerExit) => void
}

export interface ContainerExit {
  readonly container: string
  readonly pod: string
  readonly end: Terminated
  readonly lastLine: string
  /** Failures in a row of the app's own container. */
  readonly failures: number
}

/** The number of lines to show of a pod that existed before the run. */
const TAIL = 10
/** A container that ran for this long starts a new row of failures. */
const STEADY_MS = 10_000
const NO_POD = 'no pod was made'
type Numbers = Readonly<Record<string, number | undefined>>

/** One app of a run on Kubernetes: its workload, its pods and their logs. */
export class AppDeployment {
  readonly app: AppObjects
  readonly #options: AppDeploymentOptions
  readonly #pods = new Map<string, Pod>()
  /** There is one, or there was. */
  #hasPods = false
  readonly #logs = new Map<string, ContainerLog>()
  /** The container in the middle of a line, which comes in pieces; '' = none. */
  #within = ''
  /** Ids of the starts of containers whose end was reported. */
  readonly #reported = new Set<string>()
  #open: Promise<AppLogs> | undefined
  /** Failures in a row of the app's own container, by pod: each of them may fail once while another app starts. */
  readonly #failures = new Map<string, number>()
  /** Pods that were there before we applied, and that the workload replaces. */
  #old: ReadonlySet<string> = new Set()
  /** How a Job has ended. */
  #end: AppProgress | undefined
  /** Settles when every end so far was reported. */
  reports: Promise<void> = Promise.resolve()
  phase: AppProgress = 'waiting'
  live: LiveObject | undefined

  constructor(options: AppDeploymentOptions) {
    this.#options = options
    this.app = options.app
  }

  get id(): string {
    return this.app.id
  }

  get isJob(): boolean {
    return this.app.workload.kind === 'Job'
  }

  get isApplied(): boolean {
    return this.phase !== 'waiting' && this.phase !== 'deploying'
  }

  /** The workload is going to be applied: a pod that it brings may be seen before the answer of the server. Returns whether it is a Job that has failed. */
  deploying(): boolean {
    const hasFailed = this.isJob && this.live !== undefined && this.#jobProgress() === 'failed'
    this.#old = new Set(this.#pods.keys())
    this.phase = 'deploying'
    return hasFailed
  }

  /** The workload was applied. A Job keeps its pods as long as it is the same one; a Deployment that changes replaces them. */
  applied(live: LiveObject, outcome: ApplyOutcome): void {
    this.see(live)
    if (outcome === 'unchanged' || (outcome === 'configured' && this.isJob)) this.#old = new Set()
    this.phase = 'starting'
  }

  /** The state of the workload. The watch and the answers of the server bring it in any order: what is older changes nothing. */
  see(live: LiveObject): void {
    if (this.live === undefined || !isOlder(live, this.live)) this.live = live
  }

  /** A pod is there, or has changed. `isFromBefore`: it was there when the run began. */
  podChanged(pod: Pod, isFromBefore: boolean): void {
    const isKnown = this.#pods.has(pod.metadata.uid)
    this.#pods.set(pod.metadata.uid, pod)
    if (!isKnown) this.#options.onPod(pod, !this.#hasPods)
    this.#hasPods = true
    for (const status of statusesOf(pod)) {
      const log = this.#logOf(pod, status, isFromBefore && !isKnown)
      log.look(status)
      this.#lookAtEnd(pod, status, {log, isFromBefore: isFromBefore && !isKnown})
    }
  }

  podGone(pod: Pod): void {
    this.#pods.delete(pod.metadata.uid)
  }

  /** Settles when all lines of pods that have ended are read, or after a moment. */
  async allRead(): Promise<void> {
    await within(LAST_LINE_MS, Promise.all([...this.#logs.values()].map(async log => log.allRead())))
  }

  /** How far it is now. */
  progress(): AppProgress {
    if (!this.isApplied) return this.phase
    if (this.isJob) {
      const now = this.#jobProgress()
      // the cluster may remove a Job that has ended (ttlSecondsAfterFinished)
      if (now !== 'starting') this.#end = now
      return this.#end ?? now
    }
    return this.live !== undefined && isRolledOut(this.live) ? 'ready' : 'starting'
  }

  /** A Job whose pod is gone says by its status how it ended, and one that tries again (`backoffLimit`) when it gives up; a `successPolicy` may need fewer than all. */
  #jobProgress(): AppProgress {
    const codes = jobExits(this.#newPods, this.id)
    const {succeeded = 0, failed = 0} = (this.live?.['status'] ?? {}) as Numbers
    const {backoffLimit = 0, completions = 1} = (this.app.workload['spec'] ?? {}) as Numbers
    const count = Math.max(succeeded, codes.filter(code => code === 0).length)
    if (count >= completions || conditionText(this.live, 'SuccessCriteriaMet') !== '') return 'completed'
    const isOver = backoffLimit === 0 || conditionText(this.live, 'Failed') !== ''
    return isOver && (codes.some(code => code !== 0) || failed > 0) ? 'failed' : 'starting'
  }

  /** What a Job died of that has no exit code: it was evicted, or took too long. */
  failure(): string {
    const pods = this.#newPods
    if (jobExits(pods, this.id).some(code => code !== 0)) return ''
    const {message = ''} = pods.find(({status}) => status?.phase === 'Failed')?.status ?? {}
    return `failed: ${message || conditionText(this.live, 'Failed') || 'its pod is gone'}`
  }

  get #newPods(): readonly Pod[] {
    return [...this.#pods.values()].filter(({metadata}) => !this.#old.has(metadata.uid))
  }

  /** It is deployed, and its own container runs, or has ended, in one of its pods that stay. */
  get hasStarted(): boolean {
    if (!this.isApplied) return false
    const pods = this.isJob ? this.#newPods : [...this.#pods.values()]
    return pods
      .filter(({metadata}) => metadata.deletionTimestamp === undefined)
      .flatMap(statusesOf)
      .some(({name, state}) => name === this.id && (state?.running ?? state?.terminated) !== undefined)
  }

  /** Someone has deleted its Job, which will not end by itself any more. */
  get isLost(): boolean {
    return this.isJob && this.isApplied && this.live === undefined && this.progress() === 'starting'
  }

  /** Why it will never run; undefined if it may. */
  verdict(): AppVerdict | undefined {
    const {context} = this.#options.client.access
    return this.#newPods.map(pod => verdictOf(pod, this.id, context)).find(verdict => verdict !== undefined)
  }

  /** Why it does not run, which may pass: no node takes a pod, a quota is used up. '' if there is no such reason. */
  hindrance(): string {
    const pods = [...this.#pods.values()]
    const why = conditionText(this.live, 'ReplicaFailure') || (pods.map(unschedulable).find(Boolean) ?? this.#held)
    // a Job that someone deletes gets no pod, and one that is suspended waits for its turn
    const {suspend} = (this.live?.['spec'] ?? {suspend: true}) as {readonly suspend?: boolean}
    const mayGetPod = this.isJob && suspend !== true && this.progress() === 'starting'
    return why || (mayGetPod && pods.length === 0 ? NO_POD : '')
  }

  /** `hindrance`, where a Job has no pod as its events tell: its status does not say that a quota or a policy refuses it one. */
  async whyHindered(): Promise<string> {
    const before = this.hindrance()
    if (before !== NO_POD) return before
    const {client, signal} = this.#options
    const query = {fieldSelector: `involvedObject.uid=${this.live?.metadata.uid},reason=FailedCreate`}
    const path = `/api/v1/namespaces/${client.access.namespace}/events`
    const asked = client.list<{readonly message?: string}>(path, {query, signal, patienceMs: 0})
    const {items} = await asked.catch(() => ({items: []})) // one may not be allowed to read them
    return this.hindrance() === NO_POD ? (items.at(-1)?.message ?? '') : ''
  }

  get #held(): string {
    const tried = this.isJob && this.progress() === 'starting' ? this.#newPods : []
    return tried.map(pod => held(pod, this.id)).find(Boolean) ?? ''
  }

  /** A Job whose pod does not end has failed. Returns why; '' if it is none. */
  giveUp(): string {
    const why = this.#held
    if (why !== '') this.#end = 'failed'
    return why
  }

  waitsFor(): string {
    if (this.phase === 'waiting') return `waits for ${this.app.dependsOn.map(({id}) => id).join(', ')}`
    const pod = [...this.#pods.values()].find(
      ({metadata, status}) => metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded'
    )
    return pod === undefined ? NO_POD : waitsFor(pod)
  }

  async close(): Promise<void> {
    const logs = await this.#open
    await Promise.all([logs?.app.close(), logs?.sidecar.close()])
  }

  #logOf(pod: Pod, {name}: ContainerStatus, isFromBefore: boolean): ContainerLog {
    const {uid, namespace, name: podName} = pod.metadata
    const key = `${uid}/${name}`
    const known = this.#logs.get(key)
    if (known !== undefined) return known
    const {client, signal} = this.#options
    const what = {namespace, pod: podName, container: name, tail: isFromBefore ? TAIL : undefined}
    const log = new ContainerLog({...what, client, signal, take: this.#taker(key, name)})
    this.#logs.set(key, log)
    return log
  }

  #taker(key: string, container: string): (text: string) => Promise<void> {
    const open = (this.#open ??= this.#options.openLogs(this.app))
    return async text => {
      const {app, sidecar} = await open
      if (container === SIDECAR) return sidecar.write(text, 'error')
      // that of another pod begins on a line of its own
      const whole = ['', key].includes(this.#within) ? text : `\n${text}`
      this.#within = text.endsWith('\n') ? '' : key
      await app.sink({app: this.id, stream: 'stdout', text: whole})
    }
  }

  #lookAtEnd(pod: Pod, status: ContainerStatus, {log, isFromBefore}: {log: ContainerLog; isFromBefore: boolean}): void {
    const {name, state, lastState} = status
    if (pod.metadata.deletionTimestamp !== undefined) return
    for (const end of [lastState?.terminated, state?.terminated]) {
      if (end === undefined) continue
      // the cluster loses the id of a container whose node is gone
      const id = end.containerID ?? `${pod.metadata.uid}/${name}/${end.finishedAt ?? ''}`
      if (this.#reported.has(id)) continue
      this.#reported.add(id)
      // events from before our run are not reported
      if (isFromBefore) continue
      const [before, report] = [this.reports, this.#tell({container: name, pod: pod.metadata.name, end, id}, log)]
      this.reports = report.then(async () => before)
    }
  }

  async #tell(
    {container, pod, end, id}: Omit<ContainerExit, 'lastLine' | 'failures'> & {id: string},
    log: ContainerLog
  ): Promise<void> {
    const before = container !== this.id || livedMs(end) >= STEADY_MS ? 0 : (this.#failures.get(pod) ?? 0)
    const failures = end.exitCode === 0 ? 0 : before + 1
    if (container === this.id) this.#failures.set(pod, failures)
    this.#options.onExit({container, pod, end, lastLine: await log.lastLine(id), failures})
  }
}

const livedMs = ({startedAt = '', finishedAt = ''}: Terminated): number =>
  Date.parse(finishedAt) - Date.parse(startedAt) || 0

/** `: connection refused`, what a container said last. */
export const lastWords = ({lastLine}: ContainerExit): string => (lastLine === '' ? '' : `: ${lastLine}`)

/** `"stock" exited with code 3: connection refused` */
export function containerExitText(exit: ContainerExit, id: string, isJob: boolean): string {
  const {container, end} = exit
  const what =
    container === id ? `"${id}"` : container === SIDECAR ? `the sidecar of "${id}"` : `${container} of "${id}"`
  const reason = end.reason === undefined || ['Error', 'Completed'].includes(end.reason) ? '' : ` (${end.reason})`
  const isOver = end.exitCode === 0 && container === id && !isJob
  const hint = isOver ? '; it will be started again, kubernetes: {job: true} if it is meant to end' : ''
  return `${what} exited with code ${end.exitCode}${reason}${lastWords(exit)}${hint}`
}
