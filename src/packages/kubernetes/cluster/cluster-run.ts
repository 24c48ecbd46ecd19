import type {AppPlan} from '../../../model/plan.ts'
import {UserError} from '../../../model/errors.ts'
import {aborted, pause} from '../../../platform/delay.ts'
import {stopLevels} from '../../../model/stop-levels.ts'
import {objectsOf, TEMPLATE_LABEL, type KubernetesObject, type TemplateObjects} from '../object.ts'
import {APPLY, listText} from './check.ts'
import {Pods, type PodsOptions} from './pods.ts'

/** Pause after a kubectl that failed, in ms. */
const PAUSE_MS = 1000
const isDone = (): boolean => true
const isUndone = (): boolean => false

export interface ClusterRunOptions extends Pick<PodsOptions, 'kubectl' | 'say' | 'write'> {
  /** All kinds that a template makes. */
  readonly kinds: string
  readonly objects: TemplateObjects
  /** Objects to delete first, as `checkObjects` returns them. */
  readonly surplus: readonly string[]
  /** All apps must be ready within this time. */
  readonly timeoutMs: number
}

/** A template on a cluster: kubectl applies its objects in the order of `dependsOn`, shows the logs, and deletes all at the end. */
export class ClusterRun {
  readonly #options: ClusterRunOptions
  readonly #label: string
  readonly #pods: Pods
  /** Aborted when the run begins to stop. */
  readonly #stopping = new AbortController()
  /** Aborted by a second signal. */
  readonly #now = new AbortController()
  /** Aborted when all objects are deleted: until then pods and logs are read. */
  readonly #over = new AbortController()

  constructor(options: ClusterRunOptions) {
    const {name, apps} = options.objects
    this.#options = options
    this.#label = `${TEMPLATE_LABEL}=${name}`
    const jobs = apps.filter(({workload}) => workload.kind === 'Job').map(({id}) => id)
    this.#pods = new Pods({...options, label: this.#label, jobs, signal: this.#over.signal})
  }

  /** Begins the end: `run` then deletes the objects, dependents first. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Begins the end at once: `run` then deletes all objects together and waits for nothing. */
  stopNow(): void {
    this.#now.abort()
    this.stop()
  }

  /** Runs until a signal, a failure, a `stop` in another terminal, or the end of all Jobs. Rejects with the UserError that ended the run. */
  async run(): Promise<void> {
    const {objects, say} = this.#options
    const living = this.#live()
    try {
      await Promise.race([living, this.#pods.failed.promise, aborted(this.#stopping.signal)])
    } catch (error) {
      await this.#pods.read()
      throw error
    } finally {
      this.stop()
      say('info', 'Received signal to stop. Deleting K8s Dapr app deployments.')
      // the calls of kubectl that are under way end soon
      await Promise.race([living.catch(() => undefined), aborted(this.#now.signal)])
      const apps = objects.apps.map(({plan}) => plan)
      await takeDown({...this.#options, label: this.#label, apps, now: this.#now.signal})
      if (!this.#now.signal.aborted) await this.#pods.end()
      this.#over.abort()
    }
  }

  /** Applies the resources, then each app once its dependencies are as it needs them, and waits for the end of the apps. */
  async #live(): Promise<void> {
    const {objects, surplus, timeoutMs, say} = this.#options
    const {jobs, running} = this.#pods
    const startedAt = performance.now()
    if (surplus.length > 0) {
      say('info', 'Deleting what the template no longer has, and Jobs, which run again:')
      await this.#kubectl(['delete', ...surplus, '--ignore-not-found', '--cascade=foreground'])
    }
    void this.#pods.watch()
    await this.#apply(objects.resources.map(({object}) => object))
    const [applied, ready] = [new Map<string, Promise<void>>(), new Map<string, Promise<void>>()]
    const all = objects.apps.map(async app => {
      const {id, dependsOn} = app
      const needs = dependsOn.map(async need => (need.until === 'started' ? applied : ready).get(need.id))
      const applying = Promise.all(needs).then(async () => this.#apply(objectsOf(app)))
      const job = jobs.get(id)
      const rollOut = async (): Promise<void> => this.#kubectl(['rollout', 'status', `deployment/${id}`])
      const rolledOut = job === undefined ? applying.then(rollOut).then(() => void running.add(id)) : applying
      applied.set(id, applying)
      ready.set(id, job?.promise ?? rolledOut)
      return rolledOut
    })
    const late = pause(timeoutMs, this.#stopping.signal).then(() => {
      const ids = objects.apps.map(({id}) => id).filter(id => !running.has(id))
      throw new UserError(`not ready in time: ${ids.join(', ')}`, {
        explanation: 'To give the apps more time: --timeout.'
      })
    })
    await Promise.race([Promise.all(all), late])
    const count = objects.apps.length === 1 ? '1 app' : `${objects.apps.length} apps`
    say('success', `${count} ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
    const completed = [...jobs.values()].map(async ({promise}) => promise)
    if (jobs.size < objects.apps.length) return this.#gone()
    await Promise.race([this.#gone(), Promise.all(completed)])
  }

  async #apply(objects: readonly KubernetesObject[]): Promise<void> {
    if (objects.length === 0 || this.#stopping.signal.aborted) return
    const text = await this.#options.kubectl.text(APPLY, {input: listText(objects)})
    for (const line of text.split('\n')) this.#options.say('info', line)
  }

  /** Calls kubectl, and shows its lines. */
  async #kubectl(args: readonly string[]): Promise<void> {
    const {kubectl, say} = this.#options
    await kubectl.lines(args, line => say('info', line), {cancelSignal: this.#stopping.signal})
  }

  /** Settles when the Deployments and Jobs are deleted: by `stop` in another terminal. */
  async #gone(): Promise<void> {
    const {signal} = this.#stopping
    const args = ['wait', '--for=delete', 'deployments,jobs', '-l', this.#label, '--timeout=-1s']
    const isGone = async (): Promise<boolean> => this.#kubectl(args).then(isDone, isUndone)
    // ignores errors: the watch of the pods reports an API server that does not respond
    while (!(await isGone()) && !signal.aborted) await pause(PAUSE_MS, signal)
  }
}

export interface TakeDownOptions extends Pick<ClusterRunOptions, 'kinds' | 'kubectl' | 'say'> {
  readonly label: string
  /** The apps of the template, for their order. */
  readonly apps: readonly Pick<AppPlan, 'id' | 'dependsOn'>[]
  /** Aborted: kubectl deletes all at once and waits for nothing. */
  readonly now: AbortSignal
}

/** Deletes the objects of a label: dependents first, then what they need once their pods are gone, then all others. Rejects with a UserError. */
export async function takeDown({kubectl, label, kinds, apps, say, now}: TakeDownOptions): Promise<void> {
  const onLine = (line: string): void => (line === 'No resources found' ? undefined : say('info', line))
  const levels = stopLevels(apps.map(plan => ({plan}))).map(level => level.map(({plan}) => plan.id).join(','))
  try {
    // the last selector also finds objects that a run which is still starting has made meanwhile
    for (const selector of [...levels.map(ids => `${label},app in (${ids})`), label])
      await kubectl.lines(['delete', kinds, '-l', selector, '--cascade=foreground'], onLine, {cancelSignal: now})
  } catch (error) {
    if (!now.aborted) throw error
    await kubectl.lines(['delete', kinds, '-l', label, '--wait=false'], onLine)
  }
}
