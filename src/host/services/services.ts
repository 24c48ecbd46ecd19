import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Reach, Service} from '../../daeploy/admission.ts'
import {ManagerDoor, openManagerPort} from '../../daeploy/door.ts'
import {serviceEnvironment} from '../../daeploy/environment.ts'
import {HOOK_FILE, HOOK_TEXT} from '../../daeploy/hook.ts'
import {Notifications, type Notification} from '../../daeploy/notifications.ts'
import {isOwnPeer} from '../../daeploy/peer.ts'
import {createRoutes, type Route} from '../../daeploy/routes.ts'
import type {Handlers} from '../../control/messages.ts'
import type {Emit} from '../../event.ts'
import {asBytes} from '../../logs/prefix.ts'
import type {AppPlan, Plan} from '../../plan.ts'
import type {Admit} from '../../sidecar/admission.ts'
import {VERSION} from '../../version.ts'
import type {Copy, CopyOf} from '../../wire/mirror.ts'
import {Copies} from './copies.ts'
import type {ManagerPort} from '../ports/manager-port.ts'
import type {Member} from '../member.ts'
import {isService, Managing} from './managing.ts'
import {Reaching} from './reaching.ts'
import {Tokens} from './tokens.ts'
import {Versions} from './versions.ts'

type Shell = Readonly<Record<string, string | undefined>>

export interface ServicesOptions {
  readonly plan: Plan
  readonly shell: Shell
  /** The mark of the run. */
  readonly run: string
  /** Takes calls to what no app of the run is called. */
  readonly elsewhere: Admit
  readonly emit: Emit
  readonly note: (text: string) => void
  /** Ends an app and its door, and takes it out of the run. */
  readonly remove: (member: Member) => Promise<void>
  /** Adds an app to the run and starts it. Throws a UserError. */
  readonly add: (plan: AppPlan) => Promise<void>
}

/**
 * What a run does for Daeploy services: names and versions, copies for shadows, the manager's door, the environment that
 * the SDK reads, and folders to work in. A run without such a service has none of it but the names.
 */
export class Services {
  readonly versions = new Versions<Member>([])
  readonly copies: Copies
  readonly #options: ServicesOptions
  readonly #notifications = new Notifications()
  readonly #tokens: Tokens
  readonly #reaching: Reaching
  readonly #managing: Managing
  #hookFolder = ''
  #port: {readonly number: number; close(): Promise<void>} | undefined

  constructor(options: ServicesOptions) {
    const {shell, run, elsewhere, note} = options
    this.#options = options
    this.copies = new Copies(shell, run)
    this.#tokens = new Tokens(shell)
    this.#reaching = new Reaching({versions: this.versions, elsewhere, warn: note})
    const {versions, copies} = this
    this.#managing = new Managing({...options, versions, copies, shownAs: plan => this.shownAs(plan)})
  }

  /** The run has a Daeploy service, or waits for one. */
  get areWanted(): boolean {
    return this.#options.plan.managerPort !== 'none' || this.versions.members.some(isService)
  }

  add(member: Member): void {
    this.versions.add(member)
    this.#managing.add(member)
  }

  forget(member: Member): void {
    this.versions.remove(member)
    this.#managing.forget(member)
  }

  /** What prefixes and log files call an app: with its version where its id has several. */
  shownAs({id, version}: AppPlan): string {
    const {plan} = this.#options
    const isOneOfMany =
      plan.apps.some(app => app.id === id && app.version !== version) ||
      this.versions.members.some(member => member.id === id && member.plan.version !== version)
    return isOneOfMany ? `${id}_${version}` : id
  }

  /** The environment of one life of an app. */
  environment(
    before: Record<string, string>,
    {plan, appPort, httpPort}: {readonly plan: AppPlan; readonly appPort: number; readonly httpPort: number}
  ): Record<string, string> {
    if (plan.fixedPort === 0) return before
    return serviceEnvironment(before, {
      name: plan.id,
      version: plan.version,
      token: this.#tokens.of(plan),
      managerUrl: `http://${hostOf(plan.door.listenAddresses)}:${httpPort.toString()}`,
      appPort,
      fixedPort: plan.fixedPort,
      hookFolder: this.#hook()
    })
  }

  /** The manager's routes on the door of an app; undefined where the run has no Daeploy service. */
  doorOf(member: Member): ManagerDoor | undefined {
    if (!this.areWanted) return undefined
    return new ManagerDoor({
      caller: member.id,
      reach: this.#reach,
      guards: this.#tokens.guards(member.plan.door.listenAddresses),
      route: this.#routes(() => false),
      warn: text => member.logs.sidecar.write(asBytes(`${text}\n`))
    })
  }

  /** Makes the working copies, and opens the manager's port where there is one. */
  open(port: ManagerPort | undefined): void {
    this.copies.open(this.#options.plan.apps)
    if (port !== undefined) this.#openPort(port)
  }

  /** Tells where the manager is. */
  tell(): void {
    const {plan, emit} = this.#options
    const isTold = plan.apps.length === 0 || this.versions.members.some(isService)
    if (this.#port === undefined || !isTold) return
    emit({type: 'manager-opened', url: `http://127.0.0.1:${this.#port.number.toString()}/services/`})
  }

  #openPort({servers, port}: ManagerPort): void {
    const front = openManagerPort({
      servers,
      caller: 'outside',
      reach: this.#reach,
      guards: this.#tokens.guards([]),
      route: this.#routes(({socket}) => isOwnPeer(socket)),
      warn: () => undefined // the caller has his answer, and the app's end was told
    })
    this.#port = {number: port, close: async () => front.close()}
  }

  /** Takes a copy of a call to an id for its shadows; undefined where it has none. */
  readonly copierOf = (id: string): ((of: CopyOf) => Copy) | undefined => this.#reaching.copierOf(id)

  async close(): Promise<void> {
    await this.#port?.close()
    for (const folder of this.copies.close()) this.#options.note(`files were changed in ${folder}: it is kept`)
  }

  readonly #reach: Reach = (name): Service => this.#reaching.find(name)

  #routes(isManaging: Parameters<typeof createRoutes>[0]['isManaging']): Route {
    return createRoutes({
      managed: this.#managing.managed,
      notifications: this.#notifications,
      notified: (line, notification) => this.#tell(line, notification),
      version: VERSION,
      isManaging
    })
  }

  /** What other terminals ask. */
  get answers(): Pick<Handlers, 'services' | 'assign' | 'remove' | 'notifications'> {
    return {...this.#managing.answers, notifications: () => this.#notifications.list()}
  }

  /** One line on stdout, and in the log of the service that is named. */
  #tell(line: string, {service_name, service_version}: Notification): void {
    const member =
      this.versions.find(`${service_name}_${service_version}`)?.member ?? this.versions.find(service_name)?.member
    void member?.logs.app.sink({app: member.id, stream: 'status', text: asBytes(`${line}\n`)})
    if (member === undefined || member.plan.logs.app === 'file') this.#options.emit({type: 'notified', text: line})
  }

  /** Our Python file, written when the first service is started. */
  #hook(): string {
    if (this.#hookFolder === '') {
      const folder = this.copies.folder('python')
      writeFileSync(join(folder, HOOK_FILE), HOOK_TEXT)
      this.#hookFolder = folder
    }
    return this.#hookFolder
  }
}

/** Where an app reaches its own door. */
function hostOf(listenAddresses: readonly string[]): string {
  const [first = '127.0.0.1'] = listenAddresses
  if (['0.0.0.0', '::', '[::]', 'localhost'].includes(first)) return '127.0.0.1'
  return first.includes(':') && !first.startsWith('[') ? `[${first}]` : first
}
