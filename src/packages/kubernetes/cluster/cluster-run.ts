import {messageOf, UserError} from '../../../model/errors.ts'
import {objectsOf, TEMPLATE_LABEL, type AppObjects, type TemplateObjects} from '../object.ts'
import {awaitedIn} from '../deployed.ts'
import {AppDeployment, containerExitText, lastWords, type AppLogs, type ContainerExit} from './app-deployment.ts'
import {applyChange, type Applied} from './apply.ts'
import {objectKey, type Change, type CheckedChanges} from './check.ts'
import type {ClusterEvent, DeployFile} from './cluster-event.ts'
import {inParallel} from '../../../platform/in-parallel.ts'
import {objectName, type LiveObject, type ObjectStore} from './object-store.ts'
import type {Pod} from './pod.ts'
import {podsGone, takeDown, type TakeDownOptions} from './take-down.ts'
import type {AppVerdict} from './verdict.ts'
import {watch} from './watch.ts'

export interface ClusterRunOptions {
  readonly store: ObjectStore
  readonly objects: TemplateObjects
  readonly checked: CheckedChanges
  /** All apps must be ready within this time. */
  readonly timeoutMs: number
  readonly emit: (event: ClusterEvent) => void
  readonly openLogs: (app: AppObjects) => Promise<AppLogs>
  /** Writes what is applied next to the app. Returns the files. */
  readonly writeFiles: (app: AppObjects) => readonly DeployFile[]
}

/** How long to wait for problems that may pass by themselves (no node has space, a quota is used up). */
const HINDRANCE_MS = 30_000
/** This many failures in a row of one container end the run. */
const MAX_FAILURES = 5
/** How long to retry an API server that goes away during a run. */
const OUTAGE_MS = 120_000

/**
 * A template that runs on a cluster: applies its objects in the order of `dependsOn`, follows the logs, and takes
 * everything back at the end. Everything was checked before (`checkObjects`).
 */
export class ClusterRun {
  readonly #options: ClusterRunOptions
  readonly #labels: string
  readonly #apps: ReadonlyMap<string, AppDeployment>
  readonly #changes: ReadonlyMap<string, Change>
  /** Aborted at the end: nothing is watched or followed any more. */
  readonly #over = new AbortController()
  /** Aborted when the run begins to stop: nothing is applied any more. */
  readonly #stopping = new AbortController()
  /** Aborted by a second signal. */
  readonly #now = new AbortController()
  readonly #ended = Promise.withResolvers<boolean>()
  readonly #startedAt = performance.now()
  /** Pods that were there when the run began. */
  readonly #before = new Set<string>()
  /** Settles when no object is being applied. */
  #work: Promise<unknown> = Promise.resolve()
  /** Ids of apps of which was said that they failed, or are not deployed, and what was said of the pods of those that were ready. */
  readonly #said = new Set<string>()
  /** Ids of apps that were ready once. */
  readonly #served = new Set<string>()
  readonly #hindered = new Map<string, NodeJS.Timeout>()
  /** Ids of workloads that are gone: the answer to what made one may come later. */
  readonly #gone = new Set<string>()
  #isListed = false
  /** What comes before the apps is there. */
  #isPrepared = false
  #isReady = false
  #isHealthy = true
  #changed = 0
  #timeout: NodeJS.Timeout | undefined

  constructor(options: ClusterRunOptions) {
    this.#options = options
    const {objects, checked, store} = options
    this.#labels = `${TEMPLATE_LABEL}=${objects.name}`
    this.#apps = new Map(
      objects.apps.map(app => [
        app.id,
        new AppDeployment({
          client: store.client,
          app,
          signal: this.#over.signal,
          openLogs: options.openLogs,
          onPod: (pod, isFirst) => options.emit({type: 'pod-found', app, pod: pod.metadata.name, isFirst}),
          onExit: exit => this.#exited(app.id, exit)
        })
      ])
    )
    this.#changes = new Map(checked.changes.map(change => [objectKey(change.object), change]))
  }

  /** Settles when everything is taken back: whether no app had failed. Rejects with the `UserError` that ended the run. */
  get ended(): Promise<boolean> {
    return this.#ended.promise
  }

  /** Applies everything that depends on nothing. A failure ends the run. */
  start(): void {
    this.#work = this.#start()
  }

  async #start(): Promise<void> {
    const {objects, checked, store, emit, timeoutMs} = this.#options
    try {
      await this.#watchAll()
      store.client.outageMs = OUTAGE_MS
      await inParallel(objects.resources, async ({object}) => this.#apply(object))
      for (const resource of objects.resources) emit({type: 'resource-applied', ...resource})
      for (const object of checked.surplus) {
        this.#stopping.signal.throwIfAborted()
        await store.delete(object)
        emit({type: 'pruned', object})
      }
      this.#isPrepared = true
      this.#timeout = setTimeout(() => this.#late(), timeoutMs)
      this.#look()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Takes back what was made, dependents first. */
  stop(): void {
    if (this.#stopping.signal.aborted) return
    this.#options.emit({type: 'stopping'})
    void this.#end(undefined)
  }

  /** Deletes what is left at once, and waits for nothing. */
  stopNow(): void {
    this.#now.abort()
    this.#options.store.client.hurry()
    this.stop()
  }

  async #watchAll(): Promise<void> {
    const {store, objects, emit} = this.#options
    const {client} = store
    const what = {labels: this.#labels, signal: this.#over.signal}
    const troubled = (error: unknown): void => {
      const away = `the API server does not answer, logs and states may be old; still trying: ${messageOf(error)}`
      emit({type: 'warned', text: error === undefined ? 'the API server answers again' : away})
    }
    const workloads = {
      changed: (live: LiveObject) => this.#workloadChanged(live),
      gone: (live: LiveObject) => this.#workloadGone(live)
    }
    const follow = async (path: string): Promise<void> => watch(client, {...what, path}, workloads)
    await follow(store.pathOf('apps/v1', 'Deployment'))
    if (objects.apps.some(({workload}) => workload.kind === 'Job')) await follow(store.pathOf('batch/v1', 'Job'))
    const pods = {changed: (pod: Pod) => this.#podChanged(pod), gone: (pod: Pod) => this.#podGone(pod), troubled}
    await watch<Pod>(client, {...what, path: store.pods}, pods)
    this.#isListed = true
  }

  async #apply(object: Change['object'], isAgain = false): Promise<Applied> {
    this.#stopping.signal.throwIfAborted()
    const change = this.#changes.get(objectKey(object))
    if (change === undefined) throw new Error(`${objectName(object)} was not checked`)
    const again = {...change, isReplaced: isAgain || change.isReplaced}
    const applied = await applyChange(this.#options.store, again, this.#stopping.signal)
    if (applied.outcome !== 'unchanged') this.#changed++
    return applied
  }

  async #deploy(deployment: AppDeployment): Promise<void> {
    const {app} = deployment
    const {emit, writeFiles} = this.#options
    const hasFailed = deployment.deploying()
    try {
      emit({type: 'app-deploying', app, files: writeFiles(app)})
      for (const object of objectsOf(app)) {
        const {live, outcome} = await this.#apply(object, hasFailed && object === app.workload)
        if (object === app.workload) deployment.applied(live, outcome)
      }
      if (deployment.live !== undefined && this.#gone.has(deployment.live.metadata.uid))
        this.#workloadGone(deployment.live)
      this.#moved(deployment)
      this.#look()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Starts what waits for nothing any more, and sees whether all apps are ready. */
  #look(): void {
    if (this.#stopping.signal.aborted || !this.#isPrepared) return
    for (const deployment of this.#apps.values())
      if (deployment.phase === 'waiting' && this.#isDue(deployment))
        this.#work = Promise.all([this.#work, this.#deploy(deployment)])
    const all = [...this.#apps.values()]
    for (const {id, app} of all.filter(each => this.#isGivenUp(each)))
      this.#failed(id, `is not deployed: it depends on ${this.#failedOf(app).join(', ')}, which failed`)
    if (all.every(each => this.#isSettled(each))) this.#settle(all)
  }

  #settle(all: readonly AppDeployment[]): void {
    clearTimeout(this.#timeout)
    const count = all.filter(each => each.progress() !== 'failed' && !each.isLost && !this.#isGivenUp(each)).length
    if (!this.#isReady && count > 0) {
      const ms = performance.now() - this.#startedAt
      this.#options.emit({type: 'all-ready', count, ms, changed: this.#changed})
    }
    this.#isReady = true
    if (all.every(each => each.isLost || this.#isGivenUp(each) || (each.isJob && each.progress() !== 'starting')))
      void this.#endJobs(all)
  }

  /** Ends the run once all of the jobs is reported: nothing is left to run. */
  async #endJobs(all: readonly AppDeployment[]): Promise<void> {
    await Promise.all(all.map(({reports}) => reports))
    if (all.some(({isLost}) => isLost)) this.#isHealthy = false
    if (!this.#stopping.signal.aborted) await this.#end(undefined)
  }

  #isDue({app}: AppDeployment): boolean {
    return app.dependsOn.every(({id, until}) => {
      const needed = this.#apps.get(id)
      const progress = needed?.progress()
      if (until === 'completed') return progress === 'completed'
      return progress === 'ready' || progress === 'completed' || (until === 'started' && needed?.hasStarted === true)
    })
  }

  /** An app on which it depends has failed, or was given up. */
  #isGivenUp({phase, app}: AppDeployment): boolean {
    return phase === 'waiting' && this.#failedOf(app).length > 0
  }

  /** The ids of those that an app needs, and that failed or were given up. */
  #failedOf({dependsOn}: AppObjects): readonly string[] {
    return dependsOn.flatMap(({id}) => {
      const needed = this.#apps.get(id)
      return needed !== undefined && (needed.progress() === 'failed' || this.#isGivenUp(needed)) ? [id] : []
    })
  }

  /** There is nothing to wait for any more. A Job on which nothing depends may take its time. */
  #isSettled(deployment: AppDeployment): boolean {
    if (['ready', 'completed', 'failed'].includes(deployment.progress()) || this.#isGivenUp(deployment)) return true
    const {id, isJob, hasStarted, isLost} = deployment
    return isJob && (hasStarted || isLost) && !awaitedIn(this.#options.objects.apps).has(id)
  }

  /** What happened is said once; '' = it is known already. */
  #failed(id: string, what: string): void {
    this.#isHealthy = false
    if (what === '' || this.#said.has(id)) return
    this.#said.add(id)
    this.#options.emit({type: 'warned', text: `"${id}" ${what}`})
  }

  #moved(deployment: AppDeployment): void {
    if (this.#stopping.signal.aborted) return
    const progress = deployment.progress()
    const {id} = deployment
    if (progress === 'ready') this.#served.add(id)
    if (progress === 'failed') this.#failed(id, deployment.failure())
    this.#options.emit({type: 'app-moved', id, progress, detail: progress === 'starting' ? deployment.waitsFor() : ''})
    const verdict = deployment.verdict()
    if (verdict !== undefined) return this.#cannotRun(id, verdict)
    const timer = this.#hindered.get(id)
    const hinder = (): void => void this.#hinder(deployment)
    if (deployment.hindrance() === '') {
      clearTimeout(timer)
      this.#hindered.delete(id)
    } else if (timer === undefined) this.#hindered.set(id, setTimeout(hinder, HINDRANCE_MS))
  }

  async #hinder(deployment: AppDeployment): Promise<void> {
    const {id} = deployment
    this.#hindered.delete(id)
    const [why, held] = [await deployment.whyHindered(), deployment.giveUp()]
    const explanation = `${why}\nWaited ${HINDRANCE_MS / 1000} s.`
    if (held !== '') this.#failed(id, `failed: ${held}`)
    else if (why !== '') this.#cannotRun(id, {message: `the cluster cannot run "${id}"`, explanation})
    this.#moved(deployment)
    this.#look()
  }

  /** Of an app that was ready a pod may go, and no other one come: that ends no run. */
  #cannotRun(id: string, {message, explanation}: AppVerdict): void {
    if (!this.#served.has(id)) return this.#fail(new UserError(message, {explanation}))
    if (!this.#said.has(message))
      this.#options.emit({type: 'warned', text: `${message}; the run continues\n${explanation}`})
    this.#said.add(message)
  }

  #late(): void {
    const late = [...this.#apps.values()].filter(each => !this.#isSettled(each))
    const all = late.map(each => `  ${each.id}: ${each.waitsFor()}`)
    const message = `not ready within ${this.#options.timeoutMs / 1000} s: ${late.map(({id}) => id).join(', ')}`
    this.#fail(new UserError(message, {explanation: `${all.join('\n')}\nGive them more time with --timeout.`}))
  }

  #workloadChanged(live: LiveObject): void {
    const deployment = this.#apps.get(live.metadata.labels['app'] ?? '')
    if (deployment === undefined) return
    deployment.see(live)
    if (deployment.phase !== 'waiting') this.#moved(deployment)
    this.#look()
  }

  /** A `stop` elsewhere: when the last workload is gone the run has nothing left to do. One of before leaves its app to be deployed. */
  #workloadGone(live: LiveObject): void {
    this.#gone.add(live.metadata.uid)
    const deployment = this.#apps.get(live.metadata.labels['app'] ?? '')
    if (deployment === undefined || this.#stopping.signal.aborted || !deployment.isApplied) return
    if (deployment.live?.metadata.uid !== live.metadata.uid) return
    deployment.live = undefined
    const isLeft = [...this.#apps.values()].some(each => (each.isApplied ? each.live : each.phase === 'deploying'))
    if (!isLeft) void this.#end(undefined, {isTakenBack: true})
    else if (!deployment.isJob || deployment.progress() === 'starting')
      this.#options.emit({type: 'warned', text: `${objectName(live)} was deleted by someone else; the run continues`})
    this.#look()
  }

  #podChanged(pod: Pod): void {
    const deployment = this.#apps.get(pod.metadata.labels?.['app'] ?? '')
    if (deployment === undefined) return
    if (!this.#isListed) this.#before.add(pod.metadata.uid)
    deployment.podChanged(pod, this.#before.has(pod.metadata.uid))
    if (deployment.phase !== 'waiting') this.#moved(deployment)
    this.#look()
  }

  #podGone(pod: Pod): void {
    const deployment = this.#apps.get(pod.metadata.labels?.['app'] ?? '')
    deployment?.podGone(pod)
    if (deployment !== undefined && deployment.phase !== 'waiting') this.#moved(deployment)
  }

  #exited(id: string, exit: ContainerExit): void {
    if (this.#stopping.signal.aborted) return
    const {container, failures, end} = exit
    const [isHealthy, isJob] = [end.exitCode === 0, this.#apps.get(id)?.isJob === true]
    this.#options.emit({type: 'container-exited', text: containerExitText(exit, id, isJob), isHealthy})
    if (container === id && !isJob && !isHealthy && failures >= MAX_FAILURES) {
      const last = `${end.exitCode}${lastWords(exit)}`
      this.#fail(new UserError(`"${id}" exited ${failures} times in a row, last with code ${last}`))
    }
    this.#look()
  }

  #fail(error: unknown): void {
    // the run was stopped while it applied
    if (!this.#stopping.signal.aborted) void this.#end(error)
  }

  async #end(failure: unknown, {isTakenBack = false} = {}): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timeout)
    for (const timer of this.#hindered.values()) clearTimeout(timer)
    let error = failure
    const {store, objects, emit} = this.#options
    const takingDown: TakeDownOptions = {
      store,
      labels: this.#labels,
      apps: objects.apps,
      now: this.#now.signal,
      onDelete: (id, of) => emit({type: 'app-deleting', id, objects: of}),
      onWait: what => emit({type: 'warned', text: what})
    }
    // objects that are on their way to the server are created before they are deleted
    await this.#work
    try {
      // what is there before anything was applied is that of another run
      if (this.#isListed || failure === undefined) await (isTakenBack ? podsGone : takeDown)(takingDown)
    } catch (left) {
      error ??= left
      if (error !== left) emit({type: 'warned', text: messageOf(left)})
    }
    if (!this.#now.signal.aborted) await Promise.all([...this.#apps.values()].map(async each => each.allRead()))
    this.#over.abort()
    await Promise.all([...this.#apps.values()].map(async each => each.close()))
    if (error !== undefined) this.#ended.reject(error)
    else this.#ended.resolve(this.#isHealthy)
  }
}
