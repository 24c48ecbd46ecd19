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

/** How long a start waits to learn which program has the entrance, in ms. */
const HELD_MS = 200

/** The names of the apps of a run, and the entrance of the machine if this run has it. A call loads the code that serves it. */
export class RunNames {
  readonly #parts: RunNamesParts
  /** The apps that the run leaves out. */
  #leftOut: readonly AppPlan[]
  readonly #over = new AbortController()
  /** Parts of the names. Undefined if the apps of the run have none. */
  #space: NameSpace | undefined
  /** The host names of the apps, and of the `DASHBOARD`. */
  readonly #names = new OwnNames()
  /** The names of the main copy while this one answers them, with the ids of its apps. */
  #mainNames: ReadonlyMap<string, string> = new Map()
  #folder = ''
  readonly #ports: EntrancePorts
  /** A program that is not a run of this user has the port. */
  #isForeign = false
  readonly #entrance = new Once<Entrance>()
  /** Calls of another copy that this run answers, or that another copy answers for it. */
  readonly show: RunShow

  constructor(parts: RunNamesParts) {
    const {context, changed} = parts
    this.#parts = parts
    this.#leftOut = context.plan.leftOut ?? []
    this.#ports = new EntrancePorts(context.env)
    const answer = (names?: ReadonlyMap<string, string>): void => void changed({names: this.alsoAnswer(names)})
    this.show = new RunShow({...parts, project: () => this.#space?.project, answer})
  }

  /** The names that the run asks for, and its entrance. */
  get asked(): Pick<RunIdentity, 'project' | 'names' | 'entrance'> {
    if (this.#space === undefined) return {}
    return {project: this.#space.project, names: Object.fromEntries(this.#names.all), ...this.#ports.facts}
  }

  /** The URL of an app, or of the `DASHBOARD`, by its name; '': it has none that answers. */
  urlOf(id: string): string {
    const name = this.#names.all.find(([, app]) => app === id)?.[0]
    if (name === undefined || this.#isForeign) return ''
    const scheme = schemeOf(name, existsSync(certificatePath(stateFolder(this.#parts.context.env))))
    return `${scheme}://${name}${this.#ports.suffix(scheme, this.#folder)}`
  }

  isDashboard(name: string): boolean {
    return this.#appAt(name) === DASHBOARD
  }

  /** Facts for the listing of the run. */
  get facts(): Pick<RunListing, 'answeredBy' | 'answersFor' | 'dashboardUrl'> {
    const dashboardUrl = this.urlOf(DASHBOARD)
    return {...this.show.facts, ...(dashboardUrl !== '' && {dashboardUrl})}
  }

  /** Returns the name of an app for its listing. */
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

  /** Finds the names, and opens the entrance if no other program has. `folder`: where runs register. */
  async open(folder: string): Promise<void> {
    const {env, plan} = this.#parts.context
    if (!wantsNames(this.#parts.context)) return
    this.#folder = folder
    const {nameSpaceOf} = await import('../control/space.ts')
    this.#space = nameSpaceOf(env, plan)
    this.#names.wanted = appNames(plan, this.#space)
    if (await this.#take()) return
    const {promise, resolve} = Promise.withResolvers<void>()
    void inBackground(this.#parts.context.reporter, 'names do not answer', this.#wait(resolve))
    await within(HELD_MS, promise) // addresses are shown next
  }

  /** Answers these names, too; omitted: only its own. Returns all. */
  alsoAnswer(names: ReadonlyMap<string, string> = new Map()): Readonly<Record<string, string>> {
    this.#mainNames = names
    return Object.fromEntries([...this.#names.all, ...names])
  }

  /** Gives up the names that other runs have. */
  registered(taken: readonly TakenName[]): void {
    const {reporter} = this.#parts.context
    this.#names.lost = new Set([...this.#names.lost, ...taken.map(({name}) => name)])
    for (const {name, app, run, wantedBy} of taken) {
      if (wantedBy === DASHBOARD) continue
      const text = `${name} is ${app} of ${run.templateFile || run.name} (pid ${run.pid}), so "${wantedBy}" has no name: write another name: in this template`
      reporter.warn('name-taken', text)
    }
  }

  /** The apps of the run are these from now on. Returns their names. */
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

  /** Takes a connection that another run passes on: the one with the entrance, or a copy whose number it asked for. */
  readonly onUpgrade: OnUpgrade = ({headers}, socket, early) =>
    void this.#upgraded(headers, socket, early).catch(() => socket.destroy())

  async #upgraded(headers: IncomingHttpHeaders, socket: Socket, early: Buffer): Promise<void> {
    if (headers.upgrade === PORT_WANTED)
      return this.#leave(Number(headers['pillion-port']), headers['pillion-when'] === 'now', socket)
    // fails for protocols of others
    const caller: unknown = JSON.parse(String(headers[CALLER]))
    if (headers.upgrade === TO_OWN_COPY) return this.#parts.published.take(caller as PortCaller, socket, early)
    const entrance = await this.#serve()
    if (this.#over.signal.aborted) socket.destroy()
    else entrance.take(socket, caller as EntranceCaller, early)
  }

  /** Leaves the entrance to a run that waits for it. */
  async handOver(): Promise<void> {
    if (this.#space !== undefined) await this.#parts.changed({names: {}})
    this.#space = undefined // an edit registers no names any more: the next run takes them with the entrance
    await (await this.#entrance.begun)?.handOver()
    if (this.#ports.bound.length > 0) void this.#parts.changed({entrance: []})
  }

  async close(cut: AbortSignal): Promise<void> {
    this.#over.abort()
    const {begun} = this.#entrance
    if (begun === undefined) this.#ports.bound.forEach(release)
    else await (await begun).close(cut)
  }

  readonly #appAt = (name: string): string | undefined => {
    if (this.#names.lost.has(name)) this.#takeLost()
    return (this.#names.lost.has(name) ? undefined : this.#names.wanted.get(name)) ?? this.#mainNames.get(name)
  }

  /** Binds the entrance; false: its port is taken. */
  async #take(bound: readonly Server[] = []): Promise<boolean> {
    if (!(await this.#ports.bind(this.#parts.context.plan, bound))) return false
    this.#isForeign = false
    this.#takeLost()
    void this.#parts.changed(this.#ports.facts)
    const {begun} = this.#entrance
    if (this.#over.signal.aborted) this.#ports.bound.forEach(release)
    else if (begun !== undefined) (await begun).listen(this.#ports.bound)
    else {
      const serve = (): void => void this.#serve().catch(() => undefined)
      for (const claim of this.#ports.bound) claim.on('connection', serve)
      if (bound.length > 0) serve() // some callers are connected already
    }
    return true
  }

  /** Takes the names whose runs have ended since. A process that was killed may exist a moment longer than its connections. */
  #takeLost(): void {
    if (this.#names.takeFree(this.#folder)) void this.#parts.changed({names: this.alsoAnswer(this.#mainNames)})
  }

  /** Opens the entrance as soon as the run that has it ends. */
  async #wait(known: () => void): Promise<void> {
    const {takeInTurn, whySilent} = await import('../control/left-ports.ts')
    const {env, plan, reporter} = this.#parts.context
    await takeInTurn({
      env,
      port: this.#ports.first,
      signal: this.#over.signal,
      isWanted: (_, port) => this.#ports.without(plan).includes(port),
      isShared: true,
      held: holder => {
        const why = whySilent(holder)
        if (why !== '' && !this.#isForeign)
          reporter.warn('entrance-taken', `names do not answer at port ${this.#ports.first}: ${why}`)
        this.#isForeign = holder.kind === 'program'
        known()
        return true
      },
      take: async bound => {
        ;(await this.#entrance.begun)?.leave()
        return this.#take(bound)
      }
    })
  }

  /** Leaves a port to another run, now or when this run ends. That run closes its connection when it has the port. */
  async #leave(port: number, isNow: boolean, successor: Socket): Promise<void> {
    successor.on('error', () => successor.destroy()).resume()
    if (isNow) return this.#leaveNow(port, successor)
    if (this.#ports.facts.entrance?.includes(port) === true) (await this.#serve()).keepSuccessor(successor)
    else await this.#parts.published.keepSuccessor(port, successor)
  }

  async #leaveNow(port: number, successor: Socket): Promise<void> {
    const closed = new Promise(resolve => successor.on('close', resolve))
    const left = await (await this.#parts.published.written()).leave(port, successor)
    // the copy that is shown until now has the numbers no longer
    if (left !== undefined) this.show.leave()
    void closed.then(() => left?.())
    const freed = this.#ports.free(port)
    if (freed.length > 0) await (await this.#serve()).free(successor, freed)
    // the other run reads then which names are free
    await this.#parts.changed(this.#ports.facts)
    successor.end()
  }

  async #serve(): Promise<Entrance> {
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

/** Whether the apps of a run have names. In CI no browser opens them, unless the template or the caller asks for them. */
function wantsNames({env, plan}: Pick<RunContext, 'env' | 'plan'>): boolean {
  const asked = env['PILLION_NAMES']
  if (plan.file === '' || asked === '0' || plan.names === false) return false
  return plan.names === true || asked === '1' || !['true', '1'].includes(env['CI'] ?? '')
}
