import {authorityOf, reachable} from '../../../model/address.ts'
import type {Environment} from '../../../model/environment.ts'
import {PageGuard} from '../../../proxy/gateway/page-guard.ts'
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import type {CallObserver} from '../../../model/call.ts'
import type {ManagerApi} from '../manager-api.ts'
import {HOOK_FILE, serviceEnvironment} from '../environment.ts'
import type {Notification, Notifications} from '../notifications.ts'
import {isOwnPeer, Tokens} from './tokens.ts'
import type {ManagerRoute, ManagerRoutesOptions} from '../routes.ts'
import type {Emit} from '../../../model/events.ts'
import {Once} from '../../../model/once.ts'
import {writeWhole} from '../../../platform/make-folder.ts'
import {asBytes} from '../../../model/bytes.ts'
import type {AppPlan, Plan} from '../../../model/plan.ts'
import type {CallContext} from '../../../proxy/gateway/call-context.ts'
import {readCaller} from '../../../proxy/gateway/caller-header.ts'
import {VERSION} from '../../../model/version.ts'
import type {Listener} from '../../../proxy/net/http1/listener.ts'
import {Workspaces} from './workspaces.ts'
import {claimManagerPort, type ManagerPort} from '../../../proxy/ports/manager-port.ts'
import {isService, ServiceManager, type ServiceApp} from './service-manager.ts'
import type {Routes} from '../../../proxy/gateway/routes.ts'
import type {Reporter} from '../../../model/reporter.ts'

export interface ServicesOptions {
  readonly plan: Plan
  readonly env: Environment
  /** Marker of the run. */
  readonly run: string
  /** Key of the run. Sidecars of other runs that know it may name the calling app. */
  readonly key: string
  readonly routes: Routes<ServiceApp>
  /** Notified of every call. */
  readonly observer?: CallObserver | undefined
  readonly faults?: CallContext['faults']
  readonly emit: Emit
  readonly reporter: Reporter
  readonly lifetime: {readonly stopRequested: AbortSignal}
  /** Stops a version with its sidecars and removes it from the run. */
  readonly remove: (id: string, version: string) => Promise<void>
  /** Adds an app to the run and starts it. Rejects with a `UserError`. */
  readonly add: (plan: AppPlan) => Promise<void>
}

/**
 * Supports the Daeploy services of a run: opens the manager's API, creates the environment that the SDK reads, and owns the workspaces. Does not
 * load the code of the manager's API in a run without services.
 */
export class Services {
  readonly workspaces: Workspaces
  readonly #options: ServicesOptions
  /** Notifications of services; undefined: no routes were created yet. */
  #notifications: Notifications | undefined
  readonly #tokens: Tokens
  readonly #pages: PageGuard
  readonly #manager: ServiceManager
  readonly #apis = new WeakMap<ServiceApp, ManagerApi>()
  /** Text of the Python hook; '': no service has needed it yet. */
  #hookText = ''
  #port: {readonly number: number; readonly listener: Listener} | undefined
  /** Opens the manager's port after an edit has added the first service. */
  readonly #latePort = new Once<void>()

  constructor(options: ServicesOptions) {
    const {env, run} = options
    this.#options = options
    this.workspaces = new Workspaces(env, run, options.reporter, options.lifetime.stopRequested)
    this.#tokens = new Tokens(env)
    this.#pages = new PageGuard(options.plan.allowedOrigins ?? [])
    this.#manager = new ServiceManager({...options, workspaces: this.workspaces})
  }

  /** Whether the run has a Daeploy service, or may get one by deployment. */
  get areEnabled(): boolean {
    return this.#options.plan.managerPort !== 'none' || this.#runtimes.some(isService)
  }

  get #runtimes(): readonly ServiceApp[] {
    return this.#options.routes.versions.runtimes
  }

  /** Called when an app has been opened, possibly with other addresses than before. */
  add(runtime: ServiceApp): void {
    this.#apis.delete(runtime)
    this.#manager.add(runtime)
  }

  /** Forgets apps that have left the run. A stopped app stays, with its log and folder. */
  keepOnly(runtimes: readonly ServiceApp[]): void {
    this.#manager.keepOnly(runtimes)
    this.workspaces.keepOnly(runtimes.map(({plan}) => plan))
  }

  /** Returns the environment of a new process of an app. */
  environment(
    before: Record<string, string>,
    {plan, appPort, httpPort}: {readonly plan: AppPlan; readonly appPort: number; readonly httpPort: number}
  ): Record<string, string> {
    if (plan.fixedPort === 0) return before
    return serviceEnvironment(before, {
      name: plan.id,
      version: plan.version,
      token: this.#tokens.of(plan),
      managerUrl: `http://${authorityOf(reachable(plan.sidecar.listenAddresses)[0] ?? '', httpPort)}`,
      appPort,
      fixedPort: plan.fixedPort,
      hookFolder: this.#hook()
    })
  }

  /** Returns the manager's routes at the sidecar of an app; undefined: the run has no Daeploy service. */
  apiOf(runtime: ServiceApp): ManagerApi | undefined {
    return this.#apis.get(runtime)
  }

  /** Creates the manager's routes for all apps without them, at the start and after an edit has added the first service. */
  async openApis(): Promise<void> {
    if (!this.areEnabled) return
    const route = await this.#createRoute(() => false)
    const [{ManagerApi: Api}, hook] = await Promise.all([import('../manager-api.ts'), import('../python-hook.ts')])
    this.#hookText = hook.HOOK_TEXT
    for (const runtime of this.#runtimes.filter(each => !this.#apis.has(each)))
      this.#apis.set(
        runtime,
        new Api({
          ...this.#call,
          caller: runtime.id,
          guards: this.#tokens.guards(runtime.plan.sidecar.listenAddresses, this.#pages),
          callerOf: delegation => readCaller(delegation, this.#options.key),
          route,
          warn: text => runtime.logs.sidecar.write(asBytes(`${text}\n`), 'warn')
        })
      )
    if (this.#options.plan.managerPort === 'none') await this.#latePort.do(async () => this.#openLatePort())
  }

  async #openLatePort(): Promise<void> {
    const apps = this.#runtimes.map(({wanted}) => wanted)
    const port = await claimManagerPort({...this.#options.plan, apps, managerPort: 'usual'})
    if (port !== undefined) await this.#openPort(port)
    this.announce()
  }

  /** Returns the common context of all callers. */
  get #call() {
    const {observer, faults, routes} = this.#options
    return {observer, faults, findService: routes.named}
  }

  /** Creates the workspaces, and opens the manager's port if the run has one. */
  async open(port: ManagerPort | undefined): Promise<void> {
    await this.workspaces.open(this.#options.plan.apps)
    if (port !== undefined) await this.#openPort(port)
  }

  /** Reports the manager's address. */
  announce(): void {
    const {plan, emit} = this.#options
    if (this.#port !== undefined && (plan.apps.length === 0 || this.#runtimes.some(isService)))
      emit({type: 'manager-opened', url: `http://127.0.0.1:${this.#port.number}/services/`})
  }

  async #openPort({servers, port}: ManagerPort): Promise<void> {
    const route = await this.#createRoute(({socket}) => isOwnPeer(socket))
    const {openManagerPort} = await import('../manager-api.ts')
    const listener = openManagerPort(servers, {
      ...this.#call,
      caller: 'external',
      guards: this.#tokens.guards([], this.#pages),
      route,
      warn: () => undefined // the caller gets the error, and the exit of the app is reported already
    })
    this.#port = {number: port, listener}
  }

  /** Closes the manager's port and the workspaces. Calls in flight may finish until the signal is aborted. */
  async close(signal: AbortSignal): Promise<void> {
    await this.#latePort.begun?.catch(() => undefined) // the app whose sidecar has needed the port has reported the error
    await this.#port?.listener.close(signal)
    for (const folder of await this.workspaces.close())
      this.#options.reporter.warn('workspace-kept', `files were changed in ${folder}: it is kept`)
  }

  async #createRoute(mayManage: ManagerRoutesOptions['mayManage']): Promise<ManagerRoute> {
    const [routes, created] = await Promise.all([import('../routes.ts'), import('../notifications.ts')])
    this.#notifications ??= new created.Notifications()
    return routes.createRoutes({
      backend: this.#manager.backend,
      notifications: this.#notifications,
      onNotification: (line, notification) => this.#showNotification(line, notification),
      version: VERSION,
      mayManage
    })
  }

  /** Functions for commands in other terminals. */
  get control() {
    return {...this.#manager.control, notifications: () => this.#notifications?.list() ?? {}}
  }

  /** Writes one line to stdout, and to the log of the service that it names. */
  #showNotification(line: string, {service_name, service_version}: Notification): void {
    const {versions} = this.#options.routes
    const runtime = versions.find(`${service_name}_${service_version}`)?.runtime ?? versions.find(service_name)?.runtime
    void runtime?.logs.app.sink({app: runtime.id, stream: 'status', text: asBytes(`${line}\n`)})
    if (runtime === undefined || runtime.plan.logs.app === 'file') this.#options.emit({type: 'notified', text: line})
  }

  /** Returns the folder of the Python hook, and writes the hook if it is missing. */
  #hook(): string {
    const folder = this.workspaces.folder('python')
    const file = join(folder, HOOK_FILE)
    if (!existsSync(file)) writeWhole(file, this.#hookText)
    return folder
  }
}
