import {randomUUID} from 'node:crypto'
import {homedir} from 'node:os'
import {join} from 'node:path'
import type {Environment} from '../../../model/environment.ts'
import type {Deployment} from '../deployment.ts'
import {whyNotAssigned, whyNotRemoved, type ServiceInstance} from '../instance.ts'
import type {ManagementBackend} from '../management.ts'
import {messageOf} from '../../../model/errors.ts'
import type {AppState} from '../../../model/app-state.ts'
import type {Sink} from '../../../model/events.ts'
import type {AppPlan, LogLevel} from '../../../model/plan.ts'
import type {Workspaces} from './workspaces.ts'
import {RecentLines, type LogSource} from './recent-lines.ts'
import type {Reachable, Routes} from '../../../proxy/gateway/routes.ts'

/** The properties of an app that services need. */
export interface ServiceApp extends Reachable {
  readonly plan: AppPlan
  /** Plan of the next process. */
  readonly wanted: AppPlan
  readonly app: {readonly state: AppState}
  readonly logs: {
    readonly app: {readonly name: string; readonly record: LogSource; readonly sink: Sink}
    readonly sidecar: {write(text: string, level: LogLevel): void}
  }
  /** Calls the listener at each change of the app's state. Returns a function that unsubscribes. */
  onMove(listener: () => void): () => void
}

export interface ServiceManagerOptions {
  readonly env: Environment
  readonly routes: Routes<ServiceApp>
  readonly workspaces: Workspaces
  /** Stops a version with its sidecars and removes it from the run. */
  readonly remove: (id: string, version: string) => Promise<void>
  /** Adds an app to the run and starts it. Rejects with a `UserError`. */
  readonly add: (plan: AppPlan) => Promise<void>
}

/** The facts about a service for the management API. */
interface Known {
  readonly recent: RecentLines
  startedAt: Date | undefined
  finishedAt: Date | undefined
}

export const isService = ({plan}: Pick<ServiceApp, 'plan'>): boolean => plan.fixedPort > 0

/** Lists, assigns, removes and deploys services, for Daeploy's command line and for Pillion's commands in other terminals. */
export class ServiceManager {
  readonly #options: ServiceManagerOptions
  readonly #known = new Map<ServiceApp, Known>()
  /** Removals in progress, by folder name. */
  readonly #removals = new Map<string, Promise<void>>()

  constructor(options: ServiceManagerOptions) {
    this.#options = options
  }

  add(runtime: ServiceApp): void {
    if (!isService(runtime)) return
    const {name, record} = runtime.logs.app
    const known: Known = {recent: new RecentLines(name, record), startedAt: undefined, finishedAt: undefined}
    const isNew = !this.#known.has(runtime)
    this.#known.set(runtime, known)
    if (isNew) runtime.onMove(() => this.#note(runtime))
  }

  #note(runtime: ServiceApp): void {
    const known = this.#known.get(runtime)
    if (known === undefined) return
    const {phase} = runtime.app.state
    if (phase === 'starting') known.startedAt = new Date()
    const isOver = phase === 'exited' || phase === 'backoff' || phase === 'asleep'
    if (isOver && known.startedAt !== undefined) known.finishedAt = new Date()
  }

  keepOnly(runtimes: readonly ServiceApp[]): void {
    for (const runtime of this.#known.keys()) if (!runtimes.includes(runtime)) this.#known.delete(runtime)
  }

  /** Functions for the routes at the manager's port. */
  get backend(): ManagementBackend {
    const {versions} = this.#options.routes
    return {
      list: () => versions.known.filter(isService).map(runtime => this.#instance(runtime)),
      assign: (name, version) => versions.assign(name, version),
      remove: async (name, version) => this.#remove(name, version),
      logs: (name, version, wanted, gone) => {
        const runtime = versions.known.find(({id, plan}) => id === name && plan.version === version)
        const recent = runtime === undefined ? undefined : this.#known.get(runtime)?.recent
        return recent?.read(wanted, gone) ?? nothing()
      },
      newUpload: () => join(this.#options.workspaces.folder('uploads'), randomUUID()),
      deploy: async deployment => this.#deploy(deployment)
    }
  }

  /** Functions for commands in other terminals. */
  get control() {
    const {list, assign, remove} = this.backend
    return {
      services: () =>
        list().map(({startedAt, finishedAt, ...instance}) => ({
          ...instance,
          startedAt: startedAt?.getTime() ?? 0,
          finishedAt: finishedAt?.getTime() ?? 0
        })),
      assign: (name: string, version: string) => {
        const why = whyNotAssigned(list(), name, version)
        if (why === '') assign(name, version)
        return why
      },
      remove: async (name: string, version: string) => {
        const why = whyNotRemoved(list(), name, version)
        if (why === '') await remove(name, version)
        return why
      }
    }
  }

  /** Removes a version. Keeps the folder of a deployed service if the user has changed a file in it. */
  async #remove(name: string, version: string): Promise<void> {
    const {workspaces, remove} = this.#options
    const folderName = `${name}_${version}`
    const removal = remove(name, version).then(async () => workspaces.dropUnchanged(folderName))
    this.#removals.set(folderName, removal)
    try {
      await removal
    } finally {
      if (this.#removals.get(folderName) === removal) this.#removals.delete(folderName)
    }
  }

  /** Deploys a service. Resolves with the reason for a failure; '': its process runs. */
  async #deploy({name, version, port, env, archive}: Deployment): Promise<string> {
    const {workspaces, add, env: own} = this.#options
    const folderName = `${name}_${version}`
    try {
      await this.#removals.get(folderName) // a removed process may still use the folder
      const folder = await workspaces.unpack(folderName, archive)
      try {
        const {deployedPlan} = await import('../../../files/config/deployed.ts')
        const home = own['HOME'] || homedir()
        await add(deployedPlan({name, version, folder, fixedPort: port, env}, {home, env: own}))
        return ''
      } catch (error) {
        await workspaces.drop(folderName)
        throw error
      }
    } catch (error) {
      return messageOf(error)
    }
  }

  #instance(runtime: ServiceApp): ServiceInstance {
    const {startedAt, finishedAt} = this.#known.get(runtime) ?? {startedAt: undefined, finishedAt: undefined}
    return {
      name: runtime.id,
      version: runtime.plan.version,
      isMain: this.#options.routes.versions.isMain(runtime),
      status: STATUS[runtime.app.state.phase],
      startedAt,
      finishedAt
    }
  }
}

/** States in Docker's words, by phase of an app. */
const STATUS = {
  idle: 'created',
  starting: 'running',
  running: 'running',
  stopping: 'running',
  backoff: 'restarting',
  asleep: 'created',
  exited: 'exited'
} as const

async function* nothing(): AsyncGenerator<string> {
  // the app was removed from the run in the meantime
}
