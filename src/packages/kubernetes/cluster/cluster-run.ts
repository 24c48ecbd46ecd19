import {messageOf, UserError} from '../../../model/errors.ts'
import {aborted, pause, within} from '../../../platform/delay.ts'
import {objectsOf, TEMPLATE_LABEL, type AppObjects, type KubernetesObject, type TemplateObjects} from '../object.ts'
import type {ClusterAccess} from './access.ts'
import {APPLY, listText, type CheckedObjects, type ClusterFacts} from './check.ts'
import type {Say} from './kubectl.ts'
import {PodLogs} from './pod-logs.ts'
import {containerName, statusesOf, unschedulable, verdictOf, watchPods, type Pod} from './pods.ts'
import {takeDown} from './take-down.ts'

/** Lines of pods that are older than the run. */
const TAIL = 10
/** Pause after a kubectl that failed, in ms. */
const PAUSE_MS = 1000

export interface ClusterRunOptions {
  readonly access: ClusterAccess
  readonly facts: ClusterFacts
  readonly objects: TemplateObjects
  readonly checked: CheckedObjects
  /** All apps must be ready within this time. */
  readonly timeoutMs: number
  readonly say: Say
  /** Writes a line of a container, as bytes (latin1). */
  readonly write: (id: string, container: string, line: string) => Promise<void>
}

/** A template on a cluster: kubectl applies its objects in the order of `dependsOn`, shows the logs, and deletes all at the end. */
export class ClusterRun {
  readonly #options: ClusterRunOptions
  readonly #label: string
  readonly #logs: PodLogs
  /** Aborted when the run begins to stop. */
  readonly #stopping = new AbortController()
  /** Aborted by a second signal. */
  readonly #now = new AbortController()
  /** Aborted at the end: pods and logs are read until then. */
  readonly #over = new AbortController()
  /** Rejects when a pod cannot run. */
  readonly #failed = Promise.withResolvers<never>()
  /** Exit codes of the Jobs. */
  readonly #codes: ReadonlyMap<string, PromiseWithResolvers<number>>
  /** Apps by the names of their pods. */
  readonly #pods = new Map<string, string>()
  /** Starts, ends and texts that were reported. */
  readonly #reported = new Set<string>()
  /** Apps that are rolled out, and Jobs that have started. Their pods end the run no more. */
  readonly #running = new Set<string>()

  constructor(options: ClusterRunOptions) {
    const {access, objects, checked, write} = options
    this.#options = options
    this.#label = `${TEMPLATE_LABEL}=${objects.name}`
    const jobs = objects.apps.filter(({workload}) => workload.kind === 'Job')
    this.#codes = new Map(jobs.map(({id}) => [id, Promise.withResolvers<number>()]))
    this.#logs = new PodLogs({
      kubectl: access.kubectl,
      label: this.#label,
      tail: checked.pods.length > 0 ? TAIL : -1,
      signal: this.#over.signal,
      take: (pod, ...line) => {
        const id = this.#pods.get(pod)
        return id === undefined ? undefined : write(id, ...line)
      }
    })
  }

  /** Deletes what was made, dependents first. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Deletes all at once and waits for nothing. */
  stopNow(): void {
    this.#now.abort()
    this.stop()
  }

  /** Runs until a signal, a failure, a `stop` elsewhere, or the end of all Jobs. Returns whether no Job failed. Rejects with the UserError that ended the run. */
  async run(): Promise<boolean> {
    const {say, access, objects, facts} = this.#options
    const living = this.#live()
    const stopped = aborted(this.#stopping.signal).then(() => true)
    const end = await Promise.race([living, this.#failed.promise, stopped]).catch((error: unknown) => ({error}))
    if (!this.#stopping.signal.aborted) await this.#logs.flush()
    this.stop()
    say('info', 'Received signal to stop. Deleting K8s Dapr app deployments.')
    // the calls of kubectl that are under way end soon
    await Promise.race([living.catch(() => undefined), aborted(this.#now.signal)])
    await takeDown(access.kubectl, this.#label, {...facts, ...objects, say, now: this.#now.signal})
    if (!this.#now.signal.aborted) await this.#logs.end()
    this.#over.abort()
    if (typeof end === 'object') throw end.error
    return end
  }

  /** Applies the resources, then each app after the apps that it depends on, and waits for the end. */
  async #live(): Promise<boolean> {
    const {access, objects, checked, timeoutMs, say} = this.#options
    const startedAt = performance.now()
    if (checked.surplus.length > 0) {
      say('info', 'Deleting what the template no longer has, and Jobs, which run again:')
      await this.#kubectl('delete', ...checked.surplus, '--ignore-not-found', '--cascade=foreground')
    }
    void watchPods(access.kubectl, this.#label, {
      changed: pod => this.#see(pod),
      warn: text => say('warning', text),
      signal: this.#over.signal
    })
    await this.#apply(objects.resources.map(({object}) => object))
    const endsAt = startedAt + timeoutMs
    const applied = new Map<string, Promise<void>>()
    const ready = new Map<string, Promise<void>>()
    for (const app of objects.apps) {
      const needs = app.dependsOn.map(async ({id, until}) => (until === 'started' ? applied : ready).get(id))
      const applying = Promise.all(needs).then(async () => this.#apply(objectsOf(app)))
      applied.set(app.id, applying)
      ready.set(
        app.id,
        applying.then(async () => this.#ready(app, Math.max(1000, endsAt - performance.now())))
      )
    }
    await Promise.all(ready.values())
    const count = objects.apps.length === 1 ? '1 app' : `${objects.apps.length} apps`
    say('success', `${count} ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
    if (this.#codes.size < objects.apps.length) return this.#gone()
    const codes = Promise.all([...this.#codes.values()].map(async ({promise}) => promise))
    return Promise.race([this.#gone(), codes.then(all => all.every(code => code === 0))])
  }

  async #apply(objects: readonly KubernetesObject[]): Promise<void> {
    if (objects.length === 0) return
    this.#stopping.signal.throwIfAborted()
    const text = await this.#options.access.kubectl.text(APPLY, {input: listText(objects)})
    for (const line of text.split('\n')) this.#options.say('info', line)
  }

  /** Calls kubectl, and shows its lines. */
  async #kubectl(...args: readonly string[]): Promise<void> {
    const {access, say} = this.#options
    await access.kubectl.lines(args, line => say('info', line), this.#stopping.signal)
  }

  /** Waits until a Deployment is rolled out, or a Job that another app depends on has completed. Rejects with a UserError. */
  async #ready({id}: AppObjects, limitMs: number): Promise<void> {
    const hint = {explanation: 'To give the apps more time: --timeout.'}
    const job = this.#codes.get(id)
    if (job === undefined) {
      const args = ['rollout', 'status', `deployment/${id}`, `--timeout=${Math.ceil(limitMs / 1000)}s`]
      await this.#kubectl(...args).catch((error: unknown) => {
        throw new UserError(`"${id}" is not ready: ${messageOf(error)}`, hint)
      })
      return void this.#running.add(id)
    }
    const {apps} = this.#options.objects
    const others = apps.filter(app => app.dependsOn.some(need => need.id === id && need.until !== 'started'))
    if (others.length === 0) return
    const code = await within(limitMs, job.promise)
    if (code === undefined) throw new UserError(`the Job "${id}" has not completed in time`, hint)
    if (code !== 0)
      throw new UserError(`the Job "${id}" failed: ${others.map(other => other.id).join(', ')} cannot start`)
  }

  /** Settles when the Deployments and Jobs are deleted: by `stop` in another terminal. */
  async #gone(): Promise<true> {
    const {signal} = this.#stopping
    const args = ['wait', '--for=delete', 'deployments,jobs', '-l', this.#label, '--timeout=-1s']
    const isGone = async (): Promise<boolean> =>
      this.#kubectl(...args).then(
        () => true,
        // the watch of the pods reports an API server that does not respond
        () => false
      )
    while (!signal.aborted && !(await isGone())) await pause(PAUSE_MS, signal)
    return true
  }

  #isNew(key: string): boolean {
    const isNew = !this.#reported.has(key)
    this.#reported.add(key)
    return isNew
  }

  /** Reads a pod that is new or has changed. */
  #see(pod: Pod): void {
    const {access, say, checked, objects} = this.#options
    const {name, labels, deletionTimestamp} = pod.metadata
    const id = labels?.['app'] ?? ''
    if (deletionTimestamp !== undefined || !objects.apps.some(app => app.id === id)) return
    const isOld = checked.pods.includes(name)
    // ends before the run
    const isQuiet = isOld && !this.#pods.has(name)
    this.#pods.set(name, id)
    for (const {name: container, containerID = '', state, lastState} of statusesOf(pod)) {
      if (containerID !== '' && this.#isNew(containerID)) this.#logs.restart()
      if (containerID !== '' && container === id && this.#codes.has(id)) this.#running.add(id)
      for (const end of [lastState?.terminated, state?.terminated])
        if (end !== undefined && this.#isNew(`${end.containerID} ended`) && !isQuiet)
          this.#ended(id, container, end.exitCode)
    }
    if (pod.status?.phase === 'Failed') this.#codes.get(id)?.resolve(1)
    const verdict = verdictOf(pod, id, access.context)
    if (verdict !== '' && !isOld && !this.#running.has(id)) return this.#failed.reject(new UserError(verdict))
    const text = verdict || unschedulable(pod, id)
    if (text !== '' && this.#isNew(`${name} ${text}`)) say('warning', text)
  }

  #ended(id: string, container: string, code: number): void {
    if (container === id) this.#codes.get(id)?.resolve(code)
    const isLasting = container === id && code === 0 && !this.#codes.has(id)
    const hint = isLasting ? '; kubernetes: {job: true} if it is meant to end' : ''
    const text = `${containerName(container, id)} exited with code ${code}${hint}`
    this.#options.say(code === 0 ? 'info' : 'failure', text)
  }
}
