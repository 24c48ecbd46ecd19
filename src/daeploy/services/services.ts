import {PageGuard} from '../../gateway/page-guard.ts'
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {CallObserver} from '../../model/call.ts'
import type {FindService, Service} from '../service.ts'
import type {ManagerApi} from '../manager-api.ts'
import {serviceEnvironment} from '../environment.ts'
import {HOOK_FILE, HOOK_TEXT} from '../python-hook.ts'
import {Notifications, type Notification} from '../notifications.ts'
import {isOwnPeer} from '../peer.ts'
import type {Route, RoutesOptions} from '../routes.ts'
import type {Handlers} from '../../control/messages.ts'
import type {Emit} from '../../model/events.ts'
import {asBytes} from '../../logging/prefix.ts'
import {instanceName, type AppPlan, type Plan} from '../../model/plan.ts'
import type {Admit} from '../../gateway/admission.ts'
import type {CallContext} from '../../gateway/call-context.ts'
import {readCaller} from '../../gateway/caller-header.ts'
import {admitBy, Instances, type Reopening} from '../../gateway/instances.ts'
import {VERSION} from '../../model/version.ts'
import type {Listener} from '../../net/http1/listener.ts'
import type {Copy, CopyOf} from '../../net/mirror.ts'
import {Workspaces} from './workspaces.ts'
import type {ManagerPort} from '../../ports/manager-port.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {isService, ServiceManager} from './service-manager.ts'
import {ServiceRouter} from './service-router.ts'
import {Tokens} from './tokens.ts'
import {Versions} from './versions.ts'
import type {Reporter} from '../../model/reporter.ts'

type Shell = Readonly<Record<string, string | undefined>>

export interface ServicesOptions {
  readonly plan: Plan
  readonly shell: Shell
  /** The marker of the run. */
  readonly run: string
  /** Other runs that know it may name the apps for which they call. */
  readonly key: string
  /** Admits calls to apps that are not part of this run. */
  readonly elsewhere: Admit
  readonly reopening: Reopening
  /** Told of every call. */
  readonly observer?: CallObserver | undefined
  readonly faults?: CallContext['faults']
  readonly emit: Emit
  readonly reporter: Reporter
  /** Stops an app and its sidecar, and removes it from the run. */
  readonly remove: (runtime: AppRuntime) => Promise<void>
  /** Adds an app to the run and starts it. Throws a UserError. */
  readonly add: (plan: AppPlan) => Promise<void>
}

/**
 * The Daeploy services of a run: names and versions, mirroring to shadows, the manager's API, the environment that the SDK
 * reads, and workspaces. A run without services only uses the names; the code of the manager's API is not loaded.
 */
export class Services {
  readonly versions = new Versions<AppRuntime>([])
  readonly workspaces: Workspaces
  readonly #options: ServicesOptions
  readonly #notifications = new Notifications()
  readonly #tokens: Tokens
  readonly #pages: PageGuard
  readonly #router: ServiceRouter
  readonly #manager: ServiceManager
  #hookFolder = ''
  #port: {readonly number: number; readonly listener: Listener} | undefined

  constructor(options: ServicesOptions) {
    const {shell, run, elsewhere, reporter} = options
    this.#options = options
    this.workspaces = new Workspaces(shell, run)
    this.#tokens = new Tokens(shell)
    this.#pages = new PageGuard(options.plan.allowedOrigins ?? [])
    this.#router = new ServiceRouter({versions: this.versions, elsewhere, reporter, observer: options.observer})
    const {versions, workspaces} = this
    this.#manager = new ServiceManager({...options, versions, workspaces, shownAs: plan => this.shownAs(plan)})
  }

  /** The run has a Daeploy service, or may get one by deployment. */
  get areEnabled(): boolean {
    return this.#options.plan.managerPort !== 'none' || this.versions.runtimes.some(isService)
  }

  add(runtime: AppRuntime): void {
    this.versions.add(runtime)
    this.#manager.add(runtime)
  }

  /** The first version of an id in this order is the main one, unless another was assigned. */
  arrange(runtimes: readonly AppRuntime[]): void {
    this.versions.arrange(runtimes)
  }

  forget(runtime: AppRuntime): void {
    this.versions.remove(runtime)
    this.#manager.forget(runtime)
  }

  /** The name of an app in prefixes and log files: with its version if its id has several, and the instance number except for the first. */
  shownAs({id, version, instance}: AppPlan): string {
    const {plan} = this.#options
    const isOneOfMany =
      plan.apps.some(app => app.id === id && app.version !== version) ||
      this.versions.runtimes.some(runtime => runtime.id === id && runtime.plan.version !== version)
    return instanceName(isOneOfMany ? `${id}_${version}` : id, instance)
  }

  /** The environment of a new process of an app. */
  environment(
    before: Record<string, string>,
    {plan, appPort, httpPort}: {readonly plan: AppPlan; readonly appPort: number; readonly httpPort: number}
  ): Record<string, string> {
    if (plan.fixedPort === 0) return before
    return serviceEnvironment(before, {
      name: plan.id,
      version: plan.version,
      token: this.#tokens.of(plan),
      managerUrl: `http://${hostOf(plan.sidecar.listenAddresses)}:${httpPort.toString()}`,
      appPort,
      fixedPort: plan.fixedPort,
      hookFolder: this.#hook()
    })
  }

  /** The way of the calls that come to the sidecar of an app. */
  admitFor(own: AppRuntime): Admit {
    const {versions} = this
    return admitBy({
      find: id => versions.callee(id),
      elsewhere: this.#options.elsewhere,
      reopening: this.#options.reopening,
      own,
      identify: versions.identify
    })
  }

  /** The `appProtocol` of an app of the run; '' = there is none. */
  protocolOf(id: string): string {
    const callee = this.versions.callee(id)
    const one = callee instanceof Instances ? callee.first : callee
    return one?.pool.protocol ?? ''
  }

  /** The manager's routes on the sidecar of an app; undefined if the run has no Daeploy service. */
  async managerApiOf(runtime: AppRuntime): Promise<ManagerApi | undefined> {
    if (!this.areEnabled) return undefined
    const route = await this.#createRoute(() => false)
    const {ManagerApi: Api} = await import('../manager-api.ts')
    return new Api({
      caller: runtime.id,
      observer: this.#options.observer,
      faults: this.#options.faults,
      findService: this.#findService,
      guards: this.#tokens.guards(runtime.plan.sidecar.listenAddresses, this.#pages),
      callerOf: delegation => readCaller(delegation, this.#options.key),
      route,
      warn: text => runtime.logs.sidecar.write(asBytes(`${text}\n`), 'warn')
    })
  }

  /** Creates the workspaces, and opens the manager's port if there is one. */
  async open(port: ManagerPort | undefined): Promise<void> {
    await this.workspaces.open(this.#options.plan.apps)
    if (port !== undefined) await this.#openPort(port)
  }

  /** Reports the manager's address. */
  announce(): void {
    const {plan, emit} = this.#options
    const isUsed = plan.apps.length === 0 || this.versions.runtimes.some(isService)
    if (this.#port === undefined || !isUsed) return
    emit({type: 'manager-opened', url: `http://127.0.0.1:${this.#port.number.toString()}/services/`})
  }

  async #openPort({servers, port}: ManagerPort): Promise<void> {
    const route = await this.#createRoute(({socket}) => isOwnPeer(socket))
    const {openManagerPort} = await import('../manager-api.ts')
    const listener = openManagerPort({
      servers,
      caller: 'external',
      observer: this.#options.observer,
      faults: this.#options.faults,
      findService: this.#findService,
      guards: this.#tokens.guards([], this.#pages),
      route,
      warn: () => undefined // the caller has its response, and the app's exit was reported
    })
    this.#port = {number: port, listener}
  }

  /** Copies of calls for shadows. */
  get copies(): ServiceRouter['copies'] {
    return this.#router.copies
  }

  /** Mirrors calls for an id to its shadows; undefined if it has none. */
  readonly copierOf = (id: string): ((of: CopyOf) => Copy) | undefined => this.#router.copierOf(id)

  /** Calls through the manager's port may finish until `cut` is aborted. */
  async close(cut: AbortSignal): Promise<void> {
    await this.#port?.listener.close(cut)
    for (const folder of await this.workspaces.close())
      this.#options.reporter.warn('workspace-kept', `files were changed in ${folder}: it is kept`)
  }

  readonly #findService: FindService = (name): Service => this.#router.find(name)

  async #createRoute(mayManage: RoutesOptions['mayManage']): Promise<Route> {
    const {createRoutes} = await import('../routes.ts')
    return createRoutes({
      backend: this.#manager.backend,
      notifications: this.#notifications,
      onNotification: (line, notification) => this.#showNotification(line, notification),
      version: VERSION,
      mayManage
    })
  }

  /** For other terminals. */
  get handlers(): Pick<Handlers, 'services' | 'assign' | 'remove' | 'notifications'> {
    return {...this.#manager.handlers, notifications: () => this.#notifications.list()}
  }

  /** Writes one line to stdout, and to the log of the service that it names. */
  #showNotification(line: string, {service_name, service_version}: Notification): void {
    const runtime =
      this.versions.find(`${service_name}_${service_version}`)?.runtime ?? this.versions.find(service_name)?.runtime
    void runtime?.logs.app.sink({app: runtime.id, stream: 'status', text: asBytes(`${line}\n`)})
    if (runtime === undefined || runtime.plan.logs.app === 'file') this.#options.emit({type: 'notified', text: line})
  }

  /** Our Python hook, written when the first service is started. */
  #hook(): string {
    if (this.#hookFolder === '') {
      const folder = this.workspaces.folder('python')
      writeFileSync(join(folder, HOOK_FILE), HOOK_TEXT)
      this.#hookFolder = folder
    }
    return this.#hookFolder
  }
}

/** The host under which an app reaches its own sidecar. */
function hostOf(listenAddresses: readonly string[]): string {
  const [first = '127.0.0.1'] = listenAddresses
  if (['0.0.0.0', '::', '[::]', 'localhost'].includes(first)) return '127.0.0.1'
  return first.includes(':') && !first.startsWith('[') ? `[${first}]` : first
}
