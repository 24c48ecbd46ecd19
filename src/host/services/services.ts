import {randomBytes} from 'node:crypto'
import {writeFileSync} from 'node:fs'
import {homedir} from 'node:os'
import {join} from 'node:path'
import type {Reach, Service} from '../../daeploy/admission.ts'
import {ManagerDoor, openManagerPort} from '../../daeploy/door.ts'
import {serviceEnvironment} from '../../daeploy/environment.ts'
import {HOOK_FILE, HOOK_TEXT} from '../../daeploy/hook.ts'
import type {Deployment} from '../../daeploy/deployment.ts'
import {whyNotAssigned, whyNotRemoved, type Instance, type Managed} from '../../daeploy/management.ts'
import {Notifications, type Notification} from '../../daeploy/notifications.ts'
import {isOwnPeer} from '../../daeploy/peer.ts'
import {createRoutes, type Route} from '../../daeploy/routes.ts'
import type {Handlers} from '../../control/messages.ts'
import {messageOf} from '../../errors.ts'
import type {Emit} from '../../event.ts'
import {asBytes} from '../../logs/prefix.ts'
import type {AppPlan, Plan} from '../../plan.ts'
import type {Admit} from '../../sidecar/admission.ts'
import {hostGuard, isToken} from '../../sidecar/guard.ts'
import {deployedPlan} from '../../template/deployed.ts'
import {VERSION} from '../../version.ts'
import type {Copy, CopyOf} from '../../wire/mirror.ts'
import {Copies} from './copies.ts'
import type {ManagerPort} from '../ports/manager-port.ts'
import type {Member} from '../member.ts'
import {Reaching} from './reaching.ts'
import {Recent} from './recent.ts'
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

/** What is known of a Daeploy service beside the member. */
interface Known {
  readonly token: string
  readonly recent: Recent
  startedAt: Date | undefined
  finishedAt: Date | undefined
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
  readonly #known = new Map<Member, Known>()
  /** By plan, for those whose member is not made yet. */
  readonly #tokens = new Map<string, string>()
  readonly #reaching: Reaching
  #hookFolder = ''
  #port: {readonly number: number; close(): Promise<void>} | undefined

  constructor(options: ServicesOptions) {
    const {shell, run, elsewhere, note} = options
    this.#options = options
    this.copies = new Copies(shell, run)
    this.#reaching = new Reaching({versions: this.versions, elsewhere, warn: note})
  }

  /** The run has a Daeploy service, or waits for one. */
  get areWanted(): boolean {
    return this.#options.plan.managerPort !== 'none' || this.versions.members.some(isService)
  }

  add(member: Member): void {
    this.versions.add(member)
    if (!isService(member)) return
    const known: Known = {
      token: this.#tokenOf(member.plan),
      recent: new Recent(this.shownAs(member.plan), member.logs.app.record),
      startedAt: undefined,
      finishedAt: undefined
    }
    this.#known.set(member, known)
    member.onMove(() => {
      const {phase} = member.app.state
      if (phase === 'starting') known.startedAt = new Date()
      if (phase === 'exited' || phase === 'backoff') known.finishedAt = new Date()
    })
  }

  forget(member: Member): void {
    this.versions.remove(member)
    this.#known.delete(member)
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
      token: this.#tokenOf(plan),
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
      guards: this.#guards(member.plan.door.listenAddresses),
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
      guards: this.#guards([]),
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
      managed: this.#managed,
      notifications: this.#notifications,
      notified: (line, notification) => this.#tell(line, notification),
      version: VERSION,
      isManaging
    })
  }

  /** What those who manage ask of the run. */
  get #managed(): Managed {
    const {remove} = this.#options
    const find = (name: string, version: string): Member | undefined => this.versions.find(`${name}_${version}`)?.member
    return {
      list: () => this.versions.members.filter(isService).map(member => this.#instance(member)),
      assign: (name, version) => this.versions.assign(name, version),
      remove: async (name, version) => {
        const member = find(name, version)
        if (member !== undefined) await remove(member)
      },
      logs: (name, version, wanted, gone) => {
        const member = find(name, version)
        const recent = member === undefined ? undefined : this.#known.get(member)?.recent
        return recent?.read(wanted, gone) ?? nothing()
      },
      deploy: async deployment => this.#deploy(deployment)
    }
  }

  /** What other terminals ask. */
  get answers(): Pick<Handlers, 'services' | 'assign' | 'remove' | 'notifications'> {
    const {list, assign, remove} = this.#managed
    return {
      services: () =>
        list().map(({startedAt, finishedAt, ...instance}) => ({
          ...instance,
          startedAt: startedAt?.getTime() ?? 0,
          finishedAt: finishedAt?.getTime() ?? 0
        })),
      assign: (name, version) => {
        const why = whyNotAssigned(list(), name, version)
        if (why === '') assign(name, version)
        return why
      },
      remove: async (name, version) => {
        const why = whyNotRemoved(list(), name, version)
        if (why === '') await remove(name, version)
        return why
      },
      notifications: () => this.#notifications.list()
    }
  }

  /** Why it could not be started, '' when its process runs. */
  async #deploy({name, version, port, env, entries}: Deployment): Promise<string> {
    const {shell, add} = this.#options
    const folderName = `${name}_${version}`
    try {
      const folder = await this.copies.unpack(folderName, entries)
      const home = shell['HOME'] || homedir()
      await add(deployedPlan({name, version, folder, fixedPort: port, env}, {home, env: shell}))
      return ''
    } catch (error) {
      await this.copies.drop(folderName)
      return messageOf(error)
    }
  }

  #instance(member: Member): Instance {
    const {startedAt, finishedAt} = this.#known.get(member) ?? {startedAt: undefined, finishedAt: undefined}
    return {
      name: member.id,
      version: member.plan.version,
      isMain: this.versions.isMain(member),
      status: STATUS[member.app.state.phase],
      startedAt,
      finishedAt
    }
  }

  /** One line on stdout, and in the log of the service that is named. */
  #tell(line: string, {service_name, service_version}: Notification): void {
    const member =
      this.versions.find(`${service_name}_${service_version}`)?.member ?? this.versions.find(service_name)?.member
    void member?.logs.app.sink({app: member.id, stream: 'status', text: asBytes(`${line}\n`)})
    if (member === undefined || member.plan.logs.app === 'file') this.#options.emit({type: 'notified', text: line})
  }

  #guards(listenAddresses: readonly string[]): {
    isOurs: (authority: string) => boolean
    isLetIn: (apiToken: string, authorization: string) => boolean
  } {
    const token = this.#options.shell['DAPR_API_TOKEN'] ?? ''
    return {
      isOurs: hostGuard(listenAddresses),
      isLetIn: (apiToken, authorization) => token === '' || isToken(apiToken, token) || this.#isBearer(authorization)
    }
  }

  #isBearer(authorization: string): boolean {
    const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? ''
    return [...this.#tokens.values()].some(token => isToken(bearer, token))
  }

  #tokenOf({id, version}: AppPlan): string {
    const key = `${id}_${version}`
    const token = this.#tokens.get(key) ?? randomBytes(32).toString('hex')
    this.#tokens.set(key, token)
    return token
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

const isService = ({plan}: Pick<Member, 'plan'>): boolean => plan.fixedPort > 0

/** Where an app reaches its own door. */
function hostOf(listenAddresses: readonly string[]): string {
  const [first = '127.0.0.1'] = listenAddresses
  if (['0.0.0.0', '::', '[::]', 'localhost'].includes(first)) return '127.0.0.1'
  return first.includes(':') && !first.startsWith('[') ? `[${first}]` : first
}

/** Docker's words for the phases of an app. */
const STATUS = {
  idle: 'created',
  starting: 'running',
  running: 'running',
  stopping: 'running',
  backoff: 'restarting',
  exited: 'exited'
} as const

async function* nothing(): AsyncGenerator<string> {
  // it has left the run meanwhile
}
