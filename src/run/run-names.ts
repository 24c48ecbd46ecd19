import {existsSync} from 'node:fs'
import type {IncomingHttpHeaders} from 'node:http'
import type {Server, Socket} from 'node:net'
import {OwnNames, takenNames, type TakenName} from '../control/names.ts'
import type {OnUpgrade} from '../control/server.ts'
import type {RunListing} from '../control/run-control.ts'
import type {RunIdentity} from '../control/run-file.ts'
import {appNames, CALLER, DASHBOARD, type NameSpace, PORT_WANTED, schemeOf, TO_OWN_COPY} from '../model/app-name.ts'
import {authorityOf, reachable} from '../model/address.ts'
import type {AppAddress} from '../model/app-reference.ts'
import {Once} from '../model/once.ts'
import type {AppPlan} from '../model/plan.ts'
import {within} from '../platform/delay.ts'
import {certificatePath, stateFolder} from '../platform/state-folder.ts'
import {release} from '../proxy/net/claimed-server.ts'
import type {Entrance, EntranceCaller} from '../proxy/published/entrance.ts'
import type {PortCaller} from '../proxy/published/published-port.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {RunPublished} from './run-published.ts'
import type {RunContext} from './run-context.ts'
import {inBackground} from './run-reporter.ts'
import {EntrancePorts} from './entrance-ports.ts'
import {RunShow} from './run-show.ts'

export interface RunNamesParts {
  readonly context: RunContext
  readonly published: RunPublished
  readonly runtimes: () => readonly AppRuntime[]
  /** Serves a connection to the dashboard, with its first bytes. */
  readonly serveDashboard: (socket: Socket, early: Buffer) => Promise<void>
  /** Called when the names or the entrance of the run have changed without an edit. */
  readonly changed: (facts: Pick<RunIdentity, 'names' | 'entrance'>) => Promise<void>
}

/** How long a start waits to learn which program has the ports of the entrance, in ms. Start lines show addresses next. */
const HOLDER_KNOWN_MS = 200

/** The host names of a run's apps, such as `shop.localhost`. The run that has the entrance of the machine listens for the names of all runs. The first call loads its code. */
export class RunNames {
  readonly #parts: RunNamesParts
  #leftOut: readonly AppPlan[]
  readonly #closing = new AbortController()
  /** Parts of the names; undefined: the apps of the run have no names, or the next run gets them. */
  #space: NameSpace | undefined
  /** Host names of the apps and of the `DASHBOARD`. */
  readonly #names = new OwnNames()
  /** Names of the main copy that this copy answers (`pillion show`), with the ids of their apps. */
  #mainNames: ReadonlyMap<string, string> = new Map()
  /** The folder in which runs register; '': the apps of the run have no names. */
  #folder = ''
  readonly #ports: EntrancePorts
  /** Whether the first port of the entrance belongs to a program that is not a run of this user. Then no name answers. */
  #isPortForeign = false
  readonly #entrance = new Once<Entrance>()
  /** The part of this run in `pillion show`. */
  readonly show: RunShow

  constructor(parts: RunNamesParts) {
    const {context, changed} = parts
    this.#parts = parts
    this.#leftOut = context.plan.leftOut ?? []
    this.#ports = new EntrancePorts(context.env)
    const answer = (names?: ReadonlyMap<string, string>): void => void changed({names: this.alsoAnswer(names)})
    this.show = new RunShow({...parts, project: () => this.#space?.project, answer})
  }

  /** Facts for the registration of the run: the names that it wants, and its entrance. */
  get asked(): Pick<RunIdentity, 'project' | 'names' | 'entrance'> {
    if (this.#space === undefined) return {}
    return {project: this.#space.project, names: Object.fromEntries(this.#names.all), ...this.#ports.facts}
  }

  /** Returns the URL with the name of an app or of the `DASHBOARD`; '': no such name answers. */
  urlOf(id: string): string {
    const name = this.#names.all.find(([, app]) => app === id)?.[0]
    if (name === undefined || this.#isPortForeign) return ''
    const scheme = schemeOf(name, existsSync(certificatePath(stateFolder(this.#parts.context.env))))
    return `${scheme}://${name}${this.#ports.suffix(scheme, this.#folder)}`
  }

  isDashboard(name: string): boolean {
    return this.#appAt(name) === DASHBOARD
  }

  get facts(): Pick<RunListing, 'answeredBy' | 'answersFor' | 'dashboardUrl'> {
    const dashboardUrl = this.urlOf(DASHBOARD)
    return {...this.show.facts, ...(dashboardUrl !== '' && {dashboardUrl})}
  }

  factsOf(id: string): {readonly nameUrl?: string} {
    const nameUrl = this.urlOf(id)
    return nameUrl === '' ? {} : {nameUrl}
  }

  /** Returns the present address of an app; undefined for an unknown app, or one without an address. */
  readonly addressOf = (id: string): AppAddress | undefined => {
    const runtime = this.#parts.runtimes().find(each => each.id === id)
    const plan = runtime?.plan ?? this.#leftOut.find(each => each.id === id)
    const {published, channel} = plan ?? {}
    const port = published?.number ?? (runtime?.appPort || channel?.port) ?? 0
    if (channel === undefined || port === 0) return undefined
    const [host = ''] = reachable([published?.host || channel.address || 'localhost'])
    const scheme = channel.protocol === 'https' || channel.protocol === 'grpcs' ? 'https' : 'http'
    const url = `${scheme}://${authorityOf(host, port)}`
    return {url, host, port, name: this.urlOf(id) || url}
  }

  /** Finds the names, and binds the entrance, or waits for it if another program has it. `folder`: where runs register. */
  async open(folder: string): Promise<void> {
    const {env, plan} = this.#parts.context
    if (!wantsNames(this.#parts.context)) return
    this.#folder = folder
    const {nameSpaceOf} = await import('../control/space.ts')
    this.#space = nameSpaceOf(env, plan)
    this.#names.wanted = appNames(plan, this.#space)
    if (await this.#bindEntrance()) return
    const {promise, resolve} = Promise.withResolvers<void>()
    void inBackground(this.#parts.context.reporter, 'names do not answer', this.#bindWhenFree(resolve))
    await within(HOLDER_KNOWN_MS, promise)
  }

  /** Answers these names of the main copy besides its own. Omitted: its own names alone. Returns all. */
  alsoAnswer(names: ReadonlyMap<string, string> = new Map()): Readonly<Record<string, string>> {
    this.#mainNames = names
    return Object.fromEntries([...this.#names.all, ...names])
  }

  /** Called when the run has registered. Gives up the names that other runs have. */
  registered(taken: readonly TakenName[]): void {
    const {reporter} = this.#parts.context
    this.#names.taken = new Set([...this.#names.taken, ...taken.map(({name}) => name)])
    for (const {name, app, run, wantedBy} of taken) {
      if (wantedBy === DASHBOARD) continue
      const text = `${name} is ${app} of ${run.templateFile || run.name} (pid ${run.pid}), so "${wantedBy}" has no name: write another name: in this template`
      reporter.warn('name-taken', text)
    }
  }

  /** Called when an edit has set the apps of the run. Returns their names. */
  update(all: readonly {readonly wanted: AppPlan}[], leftOut: readonly AppPlan[]): Pick<RunIdentity, 'names'> {
    this.#leftOut = leftOut
    if (this.#space === undefined) return {}
    const apps = all.map(({wanted}) => wanted)
    const before = this.#names.wanted
    this.#names.wanted = appNames({apps, leftOut}, this.#space)
    const added = [...this.#names.wanted].filter(([name]) => !before.has(name))
    this.registered(takenNames(this.#folder, Object.fromEntries(added)))
    return {names: this.alsoAnswer(this.#mainNames)}
  }

  /** Handles the requests of other runs at the control socket: they ask for a port, or forward a connection to an app of this run. */
  readonly onUpgrade: OnUpgrade = ({headers}, socket, early) =>
    void this.#acceptUpgrade(headers, socket, early).catch(() => socket.destroy())

  async #acceptUpgrade(headers: IncomingHttpHeaders, socket: Socket, early: Buffer): Promise<void> {
    if (headers.upgrade === PORT_WANTED)
      return this.#leavePort(Number(headers['pillion-port']), headers['pillion-when'] === 'now', socket)
    // throws for other protocols, which have no such header
    const caller: unknown = JSON.parse(String(headers[CALLER]))
    if (headers.upgrade === TO_OWN_COPY)
      return this.#parts.published.acceptForwarded(caller as PortCaller, socket, early)
    const entrance = await this.#openEntrance()
    if (this.#closing.signal.aborted) socket.destroy()
    else entrance.take(socket, caller as EntranceCaller, early)
  }

  /** Hands the entrance over to a run that waits for it, before this run ends. */
  async handOver(): Promise<void> {
    if (this.#space !== undefined) await this.#parts.changed({names: {}})
    this.#space = undefined // no edit may register the names again: the next run claims them
    await (await this.#entrance.begun)?.handOver()
    if (this.#ports.bound.length > 0) void this.#parts.changed({entrance: []})
  }

  /** Accepts nothing new. Open calls may finish until `signal` is aborted. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closing.abort()
    const {begun} = this.#entrance
    if (begun === undefined) this.#ports.bound.forEach(release)
    else await (await begun).close(signal)
  }

  /** Returns the app that has a name, or `DASHBOARD`; undefined: none of this run. */
  readonly #appAt = (name: string): string | undefined => {
    if (this.#names.taken.has(name)) this.#claimFreedNames()
    return (this.#names.taken.has(name) ? undefined : this.#names.wanted.get(name)) ?? this.#mainNames.get(name)
  }

  /** Binds the ports of the entrance, of which `bound` listen already. The first call opens it. Resolves with false if its first port is taken. */
  async #bindEntrance(bound: readonly Server[] = []): Promise<boolean> {
    if (!(await this.#ports.bind(this.#parts.context.plan, bound))) return false
    this.#isPortForeign = false
    this.#claimFreedNames()
    void this.#parts.changed(this.#ports.facts)
    const {begun} = this.#entrance
    if (this.#closing.signal.aborted) this.#ports.bound.forEach(release)
    else if (begun !== undefined) (await begun).listen(this.#ports.bound)
    else {
      const open = (): void => void this.#openEntrance().catch(() => undefined)
      for (const claim of this.#ports.bound) claim.on('connection', open)
      if (bound.length > 0) open() // some callers are connected already
    }
    return true
  }

  /** Claims the names of runs that have ended. Called again for each call: a killed process may exist a moment longer than its connections. */
  #claimFreedNames(): void {
    if (this.#names.claimFreed(this.#folder)) void this.#parts.changed({names: this.alsoAnswer(this.#mainNames)})
  }

  /** Binds the ports of the entrance as soon as the run that has them ends. `onKnown`: called when this run knows which program has them. */
  async #bindWhenFree(onKnown: () => void): Promise<void> {
    const {takeInTurn, whySilent} = await import('../control/left-ports.ts')
    const {env, plan, reporter} = this.#parts.context
    await takeInTurn({
      env,
      port: this.#ports.first,
      signal: this.#closing.signal,
      isWanted: (_, port) => this.#ports.without(plan).includes(port),
      isShared: true,
      held: holder => {
        const why = whySilent(holder)
        if (why !== '' && !this.#isPortForeign)
          reporter.warn('entrance-taken', `names do not answer at port ${this.#ports.first}: ${why}`)
        this.#isPortForeign = holder.kind === 'program'
        onKnown()
        return true
      },
      take: async bound => {
        ;(await this.#entrance.begun)?.leave()
        return this.#bindEntrance(bound)
      }
    })
  }

  /** Leaves a port to another run, now or when this run ends. `successor`: the connection of that run, which closes it when it has the port. */
  async #leavePort(port: number, isNow: boolean, successor: Socket): Promise<void> {
    successor.on('error', () => successor.destroy()).resume()
    if (isNow) return this.#leavePortNow(port, successor)
    if (this.#ports.facts.entrance?.includes(port) === true) (await this.#openEntrance()).keepSuccessor(successor)
    else await this.#parts.published.keepSuccessor(port, successor)
  }

  async #leavePortNow(port: number, successor: Socket): Promise<void> {
    const closed = new Promise(resolve => successor.on('close', resolve))
    const onListening = await (await this.#parts.published.templatePorts()).leave(port, successor)
    // without this port no copy can answer for the main one
    if (onListening !== undefined) this.show.leave()
    void closed.then(() => onListening?.())
    const freed = this.#ports.free(port)
    if (freed.length > 0) await (await this.#openEntrance()).free(successor, freed)
    // the other run looks up the free names once its connection ends
    await this.#parts.changed(this.#ports.facts)
    successor.end()
  }

  async #openEntrance(): Promise<Entrance> {
    return this.#entrance.do(async () => {
      const {openEntrance} = await import('./open-entrance.ts')
      const {context, published, serveDashboard} = this.#parts
      const dashboard = (socket: Socket, early: Buffer): void => void serveDashboard(socket, early)
      const at = {...context, appAtName: this.#appAt, serveDashboard: dashboard}
      const entrance = openEntrance({...published.options, ...at})
      entrance.listen(this.#ports.bound)
      return entrance
    })
  }
}

/** Whether the apps of a run have names. In CI they have none unless the template or the environment asks for them, as no browser opens them. */
function wantsNames({env, plan}: Pick<RunContext, 'env' | 'plan'>): boolean {
  const asked = env['PILLION_NAMES']
  if (plan.file === '' || asked === '0' || plan.names === false) return false
  return plan.names === true || asked === '1' || !['true', '1'].includes(env['CI'] ?? '')
}
