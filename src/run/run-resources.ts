import type {RunContext} from './run-context.ts'
import {watch, type FSWatcher} from 'node:fs'
import {basename, dirname} from 'node:path'
import {UserError} from '../model/errors.ts'
import type {AppPlan} from '../model/plan.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {explainPlace} from '../files/config/diagnose.ts'
import type {AppResources, ResourceSnapshot} from '../files/resources/app-resources.ts'
import {daprdUseOf, isForDaprd} from '../files/resources/component-support.ts'
import {ResourceStore} from '../files/resources/resource-store.ts'
import type {Watch, WatchOptions} from '../files/watcher/watcher.ts'
import {inBackground} from './run-reporter.ts'

const YAML_FILES = {paths: ['*.yaml', '*.yml', '*.YAML', '*.YML'], ignore: [], honoursGitignore: false}

const ENFORCED = 'are enforced here; a self-hosted Dapr without mTLS ignores them'
const ENFORCED_WORKFLOWS = 'is enforced here; a self-hosted Dapr without mTLS refuses whatever another app asks'

/** The Dapr resources of a run's apps, kept up to date when their files change. */
export class RunResources {
  readonly #context: Pick<RunContext, 'env' | 'startedAt' | 'reporter'>
  /** Called when the resources were read again. */
  readonly #refreshed: () => void
  readonly #store: ResourceStore
  readonly #watches = new Map<string, Watch>()
  /** Watchers of folders without resources: Node's own, which need no further code. */
  readonly #awaiting = new Map<string, FSWatcher>()
  #isFollowing = false
  #knowsLeftOut = false
  #isClosed = false

  constructor(context: Pick<RunContext, 'env' | 'plan' | 'startedAt' | 'reporter'>, refreshed: () => void) {
    this.#context = context
    this.#refreshed = refreshed
    this.#store = new ResourceStore({
      env: context.env,
      cwd: process.cwd(),
      reporter: context.reporter,
      types: async () => (await import('../dapr/components/block-types.ts')).componentType,
      movedPorts: context.plan.movedPorts
    })
  }

  /** Reads the resources of an app. Rejects with a UserError if a variable in them has to be set and is not. */
  async open(runtime: Pick<AppRuntime, 'id' | 'plan' | 'wanted'>): Promise<AppResources> {
    const {id, plan} = runtime
    const resources = await this.#store.open({
      id,
      // an edit of variables needs no other sidecar
      get resources() {
        return {...plan.resources, variables: runtime.wanted.resources.variables}
      }
    })
    const refusal = resources.snapshot.faults.find(({isRefusal}) => isRefusal === true)
    if (refusal !== undefined) {
      resources.close()
      const {message, place, expected, hint} = refusal
      throw new UserError(message, {explanation: explainPlace(place, 1, [expected, hint])})
    }
    if (this.#isFollowing) await this.#followAll()
    return resources
  }

  /** Reads the policies of apps that the run leaves out, once a request may name such an app. */
  async knowLeftOut(plans: readonly AppPlan[]): Promise<void> {
    this.#knowsLeftOut = true
    await this.leaveOut(plans)
  }

  /** Called when other apps are left out. */
  async leaveOut(plans: readonly AppPlan[]): Promise<void> {
    if (!this.#knowsLeftOut) return
    await this.#store.leaveOut(plans)
    if (this.#isFollowing) await this.#followAll()
  }

  /** The resources of an app, also of a stopped one; undefined: its sidecar was never open, nor was it left out. */
  readonly snapshotOf = (id: string): ResourceSnapshot | undefined => this.#store.snapshotOf(id)

  /** Called when no app of this id is in the run any more. */
  readonly appRemoved = (id: string): void => {
    this.#store.appRemoved(id)
    this.#forgetUnnamed()
  }

  /** Warns about resources without effect in one line, and about each Configuration that restricts calls. */
  report(): void {
    const {reporter} = this.#context
    const use = daprdUseOf(this.#context.env)
    // a real daprd handles it, or has reported why it cannot
    const all = this.#store.withoutEffect
      .filter(({component}) => component === undefined || !isForDaprd(component, use))
      .map(({what, why, place}) => `${what} in ${place.file}:${place.line} (${why})`)
    if (all.length > 0) reporter.warn('not-built', `without effect: ${all.join(', ')}`)
    for (const {accessControl, unenforced} of this.#store.configurations) {
      const [first] = unenforced
      const keys = unenforced.map(({key}) => key).join(', ')
      const text = `${first?.place.file ?? ''} restricts calls (${keys}): not supported yet, all calls are allowed`
      if (first !== undefined) reporter.warn('not-enforced', text)
      if (accessControl !== undefined && accessControl.policies.length > 0)
        reporter.warn('policies-enforced', `${accessControl.place.file}: its access policies ${ENFORCED}`)
    }
    for (const {name, place} of this.#store.accessPolicies)
      reporter.warn('policies-enforced', `${place.file}: WorkflowAccessPolicy "${name}" ${ENFORCED_WORKFLOWS}`)
  }

  /** Called when an edit of the template may have changed variables, or the ports of this copy. */
  async edited(): Promise<void> {
    this.#store.edited()
    await this.#refresh()
  }

  /** Begins to watch the resource files, if there are any. Call it after the start lines were printed. */
  async follow(): Promise<void> {
    this.#isFollowing = true
    await this.#followAll()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const folder of this.#awaiting.keys()) this.#awaitNoMore(folder)
    await Promise.all([...this.#watches.values()].map(async each => each.close()))
  }

  async #refresh(): Promise<void> {
    await this.#store.refresh()
    this.#refreshed()
  }

  async #followAll(): Promise<void> {
    if (this.#isClosed) return
    this.#forgetUnnamed()
    const {folders, empty, files} = this.#store.followed
    for (const folder of empty) this.#await(folder)
    await Promise.all([
      ...folders.map(async folder => this.#watchFolder(folder)),
      ...files.map(async file => this.#watch(file, {folder: dirname(file), watch: {files: [file]}}))
    ])
  }

  /** Closes the watchers of paths that no app names any more. */
  #forgetUnnamed(): void {
    const {named} = this.#store.followed
    for (const path of [...this.#awaiting.keys(), ...this.#watches.keys()]) {
      if (named.includes(path)) continue
      this.#awaitNoMore(path)
      void this.#watches.get(path)?.close()
      this.#watches.delete(path)
    }
  }

  /** Waits for the first resource of a folder. */
  #await(folder: string): void {
    if (this.#awaiting.has(folder) || this.#watches.has(folder)) return
    const follow = (_: string, name: string | null): void => {
      // the folder itself has changed: only the watcher of folders with resources sees another folder in its place
      const work = name === basename(folder) ? this.#watchFolder(folder) : this.#followAll()
      void inBackground(this.#context.reporter, 'cannot watch resources', work)
    }
    try {
      this.#awaiting.set(
        folder,
        watch(folder, {persistent: false}, follow).on('error', () => this.#awaitNoMore(folder))
      )
    } catch {
      // the folder was removed again, or no watch is left: the run works without
    }
  }

  #awaitNoMore(folder: string): void {
    this.#awaiting.get(folder)?.close()
    this.#awaiting.delete(folder)
  }

  async #watchFolder(folder: string): Promise<void> {
    this.#awaitNoMore(folder)
    await this.#watch(folder, {folder, watch: YAML_FILES})
  }

  async #watch(path: string, what: Pick<WatchOptions, 'folder' | 'watch'>): Promise<void> {
    const {Watch} = await import('../files/watcher/watcher.ts')
    if (this.#isClosed || this.#watches.has(path)) return
    const opened = new Watch({
      ...what,
      reportsSaves: true, // two saves may have the same bytes, and a read in between other ones
      since: this.#context.startedAt,
      changed: () => void inBackground(this.#context.reporter, 'cannot read resources again', this.#refresh()),
      polls: why => this.#context.reporter.warn('watch-limited', `polling ${path} every 500 ms: ${why}`),
      givesUp: why => this.#context.reporter.warn('watch-limited', `${path} is not watched: ${why}`)
    })
    this.#watches.set(path, opened)
    await opened.open()
  }
}
