import {messageOf, UserError} from '../../../model/errors.ts'
import {objectsOf, TEMPLATE_LABEL, type AppObjects, type TemplateObjects} from '../object.ts'
import type {ClusterAccess} from './access.ts'
import type {CheckedChanges, ClusterFacts} from './check.ts'
import {ClusterApp, type ContainerExit} from './cluster-app.ts'
import type {ClusterEvent, DeployFile} from './cluster-event.ts'
import type {AppLogs} from './app-logs.ts'
import {APPLY, listText, objectKey} from './live-object.ts'
import type {Pod} from './pod.ts'
import {PodLogs} from './pod-logs.ts'
import {watchPods} from './pods.ts'
import {takeDown} from './take-down.ts'
import {unschedulable, verdictOf} from './verdict.ts'

export interface ClusterRunOptions {
  readonly access: ClusterAccess
  readonly facts: ClusterFacts
  readonly objects: TemplateObjects
  readonly checked: CheckedChanges
  /** All apps must be ready within this time. */
  readonly timeoutMs: number
  readonly emit: (event: ClusterEvent) => void
  readonly openLogs: (app: AppObjects) => Promise<AppLogs>
  /** Writes the objects of an app next to it. Returns the files. */
  readonly writeFiles: (app: AppObjects) => readonly DeployFile[]
}

/** A pod that no node takes fails the run after this time. */
const UNSCHEDULABLE_MS = 30_000
/** This many failures in a row of one container end the run. */
const MAX_FAILURES = 5

/** A template on a cluster: applies its objects in the order of `dependsOn`, shows the logs, and deletes all at the end. */
export class ClusterRun {
  readonly #options: ClusterRunOptions
  readonly #apps: ReadonlyMap<string, ClusterApp>
  readonly #logs: PodLogs
  /** Aborted when the run begins to stop. */
  readonly #stopping = new AbortController()
  /** Aborted by a second signal. */
  readonly #now = new AbortController()
  /** Aborted at the end: pods and logs are read until then. */
  readonly #over = new AbortController()
  readonly #ended = Promise.withResolvers<boolean>()
  readonly #startedAt = performance.now()
  #timeout: NodeJS.Timeout | undefined
  #isReady = false
  #isHealthy = true
  #isPrepared = false

  constructor(options: ClusterRunOptions) {
    this.#options = options
    const {access, objects, emit} = options
    this.#apps = new Map(
      objects.apps.map(app => [
        app.id,
        new ClusterApp({
          app,
          readEnd: async (...end) => this.#logs.readEnd(...end),
          openLogs: options.openLogs,
          onPod: (pod, isFirst) => emit({type: 'pod-found', app, pod: pod.metadata.name, isFirst}),
          onExit: (exit, text) => this.#exited(exit, text)
        })
      ])
    )
    this.#logs = new PodLogs({
      kubectl: access.kubectl,
      template: objects.name,
      signal: this.#over.signal,
      take: (pod, container, line) =>
        [...this.#apps.values()].find(app => app.pod(pod) !== undefined)?.write(container, `${line}\n`)
    })
  }

  /** Settles when everything is deleted: whether no app had failed. Rejects with the UserError that ended the run. */
  get ended(): Promise<boolean> {
    return this.#ended.promise
  }

  /** Applies the resources, then each app after the apps that it depends on. */
  start(): void {
    const {access, objects, checked, emit} = this.#options
    for (const pod of checked.pods) this.#apps.get(pod.metadata.labels?.['app'] ?? '')?.seeOld(pod)
    void watchPods({
      kubectl: access.kubectl,
      template: objects.name,
      signal: this.#over.signal,
      changed: pod => this.#podChanged(pod),
      gone: pod => void this.#podGone(pod),
      troubled: text => emit({type: 'warned', text})
    })
    void this.#prepare().catch((error: unknown) => this.#fail(error))
  }

  /** Deletes what was made, dependents first. */
  stop(): void {
    if (this.#stopping.signal.aborted) return
    this.#options.emit({type: 'stopping'})
    void this.#end()
  }

  /** Deletes all at once and waits for nothing. */
  stopNow(): void {
    this.#now.abort()
    this.stop()
  }

  async #prepare(): Promise<void> {
    const {access, objects, checked, emit, timeoutMs} = this.#options
    const resources = objects.resources.map(({object}) => object)
    if (resources.length > 0) await this.#kubectl(APPLY, listText(resources))
    for (const resource of objects.resources) emit({type: 'resource-applied', ...resource})
    for (const object of checked.surplus) emit({type: 'pruned', object})
    const deleting = ['delete', '-f', '-', '--ignore-not-found', '--wait=false']
    if (checked.surplus.length > 0) await access.kubectl.text(deleting, {input: listText(checked.surplus)})
    this.#timeout = setTimeout(() => this.#late(), timeoutMs)
    this.#isPrepared = true
    this.#look()
  }

  async #kubectl(args: readonly string[], input: string): Promise<void> {
    await this.#options.access.kubectl.text(args, {input, signal: this.#stopping.signal})
  }

  async #deploy(deployed: ClusterApp): Promise<void> {
    const {app, id} = deployed
    const {emit, writeFiles, access, checked, timeoutMs} = this.#options
    const hasFailed = deployed.deploying()
    emit({type: 'app-deploying', app, files: writeFiles(app)})
    const change = checked.changes.find(({object}) => objectKey(object) === objectKey(app.workload))
    const isReplaced = change?.outcome === 'replaced' || hasFailed
    if (isReplaced)
      await access.kubectl.text(['delete', 'job', id, '--ignore-not-found', '--cascade=foreground', '--wait'], {
        limitMs: timeoutMs, // its pod may take its whole grace
        signal: this.#stopping.signal
      })
    await this.#kubectl(APPLY, listText(objectsOf(app)))
    deployed.applied({isReplaced})
    for (const pod of deployed.pods) this.#judge(deployed, pod)
    this.#moved(deployed)
    if (deployed.isJob) return
    // the limit of the run is that of all apps together
    const args = ['rollout', 'status', `deployment/${id}`]
    await access.kubectl.text(args, {limitMs: 0, signal: this.#stopping.signal})
    deployed.ready()
    this.#moved(deployed)
  }

  /** Starts the apps that wait for nothing more, and settles the run if each app is ready or has ended. */
  #look(): void {
    if (this.#stopping.signal.aborted || !this.#isPrepared) return
    const all = [...this.#apps.values()]
    for (const deployed of all)
      if (
        deployed.progress === 'waiting' &&
        deployed.app.dependsOn.every(need => this.#apps.get(need.id)?.is(need.until))
      )
        void this.#deploy(deployed).catch((error: unknown) => this.#fail(error))
    for (const deployed of all) {
      const failed = deployed.app.dependsOn.filter(({id}) => this.#apps.get(id)?.progress === 'failed')
      if (deployed.progress === 'waiting' && failed.length > 0) {
        const text = `is not deployed: it depends on ${failed.map(({id}) => id).join(', ')}, which failed`
        this.#isHealthy = false
        deployed.fail()
        this.#options.emit({type: 'warned', text: `"${deployed.id}" ${text}`})
        return this.#look()
      }
    }
    if (!this.#isReady && all.every(each => this.#isSettled(each))) this.#settle(all)
    if (all.every(each => each.isOver)) void this.#reportAndEnd(all)
  }

  /** Whether the run waits no more for an app. A Job that no app depends on may take its time. */
  #isSettled(each: ClusterApp): boolean {
    const isAwaited = this.#options.objects.apps.some(app => app.dependsOn.some(({id}) => id === each.id))
    return each.isSettled || (each.isJob && each.hasStarted && !isAwaited)
  }

  #settle(all: readonly ClusterApp[]): void {
    clearTimeout(this.#timeout)
    this.#isReady = true
    const count = all.filter(({progress}) => progress !== 'failed').length
    const ms = performance.now() - this.#startedAt
    const isUnchanged = this.#options.checked.changes.every(({outcome}) => outcome === 'unchanged')
    if (count > 0) this.#options.emit({type: 'all-ready', count, ms, isUnchanged})
  }

  /** Ends a run of Jobs alone, once each end is reported. */
  async #reportAndEnd(all: readonly ClusterApp[]): Promise<void> {
    await Promise.all(all.map(({reports}) => reports))
    if (!this.#stopping.signal.aborted) await this.#end()
  }

  #moved(deployed: ClusterApp): void {
    if (this.#stopping.signal.aborted) return
    const {id, progress} = deployed
    if (progress === 'failed') this.#isHealthy = false
    this.#options.emit({type: 'app-moved', id, progress, detail: progress === 'starting' ? deployed.waitsFor : ''})
    this.#look()
  }

  #podChanged(pod: Pod): void {
    const deployed = this.#apps.get(pod.metadata.labels?.['app'] ?? '')
    if (deployed === undefined) return
    deployed.see(pod)
    for (const {id, isOld} of deployed.starts(pod)) this.#logs.follow(id, {isOld})
    if (deployed.progress === 'starting') this.#judge(deployed, pod)
    this.#moved(deployed)
  }

  #judge({id}: ClusterApp, pod: Pod): void {
    const verdict = verdictOf(pod, id, this.#options.access.context)
    if (verdict !== undefined) this.#fail(new UserError(verdict.message, {explanation: verdict.explanation}))
    const why = (): string => unschedulable(this.#apps.get(id)?.pod(pod.metadata.name) ?? pod)
    if (why() === '') return
    setTimeout(() => {
      const text = why()
      if (text !== '' && this.#apps.get(id)?.pod(pod.metadata.name) !== undefined)
        this.#fail(
          new UserError(`the cluster cannot run "${id}"`, {
            explanation: `${text}\nWaited ${UNSCHEDULABLE_MS / 1000} s.`
          })
        )
    }, UNSCHEDULABLE_MS).unref()
  }

  /** A `stop` in another terminal deletes all workloads; the run has nothing left to do then. */
  async #podGone(pod: Pod): Promise<void> {
    const {access, objects, emit} = this.#options
    const deployed = this.#apps.get(pod.metadata.labels?.['app'] ?? '')
    deployed?.forget(pod)
    if (deployed === undefined || this.#stopping.signal.aborted || deployed.isOver) return
    if ([...this.#apps.values()].some(each => each.progress === 'deploying' || each.hasPods)) return
    const args = ['get', 'deployments,jobs', '-l', `${TEMPLATE_LABEL}=${objects.name}`, '-o', 'name']
    const left = await access.kubectl.text(args).catch((error: unknown) => messageOf(error))
    if (left !== '' || this.#stopping.signal.aborted || !this.#isReady) return
    emit({type: 'stopping'})
    await this.#end()
  }

  #exited({id, container, failures, code, lastLine}: ContainerExit, text: string): void {
    if (this.#stopping.signal.aborted) return
    this.#options.emit({type: 'container-exited', text, isHealthy: code === 0})
    const isJob = this.#apps.get(id)?.isJob === true
    if (container === id && !isJob && failures >= MAX_FAILURES)
      this.#fail(
        new UserError(
          `"${id}" exited ${failures} times in a row, last with code ${code}${lastLine === '' ? '' : `: ${lastLine}`}`
        )
      )
  }

  #late(): void {
    const late = [...this.#apps.values()].filter(each => !this.#isSettled(each))
    const all = late.map(each => `  ${each.id}: ${each.waitsFor}`)
    const message = `not ready within ${this.#options.timeoutMs / 1000} s: ${late.map(({id}) => id).join(', ')}`
    this.#fail(new UserError(message, {explanation: `${all.join('\n')}\nGive them more time with --timeout.`}))
  }

  #fail(error: unknown): void {
    // kubectl was stopped with the run
    if (!this.#stopping.signal.aborted) void this.#end(error)
  }

  async #end(failure?: unknown): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timeout)
    const {access, facts, objects, emit} = this.#options
    let error = failure
    try {
      await takeDown({
        access,
        label: `${TEMPLATE_LABEL}=${objects.name}`,
        daprKinds: facts.daprKinds,
        apps: objects.apps,
        graceMs: Math.max(0, ...objects.apps.map(({plan}) => plan.stop.timeoutMs)),
        now: this.#now.signal,
        onDelete: app => emit({type: 'app-deleting', app})
      })
    } catch (left) {
      if (error !== undefined) emit({type: 'warned', text: messageOf(left)})
      error ??= left
    }
    if (!this.#now.signal.aborted) await this.#logs.end()
    this.#over.abort()
    await Promise.all([...this.#apps.values()].map(async each => each.close()))
    if (error === undefined) this.#ended.resolve(this.#isHealthy)
    else this.#ended.reject(error)
  }
}
