import type * as Api from '../model/api.generated.ts'
import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Socket} from 'node:net'
import type {ApiContext, Replays} from '../observe/api/route.ts'
import type {RunControl} from '../control/run-control.ts'
import type {ActorFacts, NotRunning} from '../observe/api/run-facts.ts'
import type {RunEvents} from '../observe/api/events/run-events.ts'
import type {Arrival} from '../observe/api/serve-api.ts'
import {runtimeFolders, usableFolder} from '../control/folder.ts'
import type {WaitOptions} from '../observe/api/wait/wait.ts'
import type {ServeRequest} from '../control/server.ts'
import type {PageListener, Serve} from '../observe/dashboard/listener.ts'
import type {PageTokens} from '../observe/dashboard/tokens.ts'
import type {FaultSwitch} from '../proxy/faults/faults.ts'
import {messageOf, UserError} from '../model/errors.ts'
import type {RunEvent} from '../model/events.ts'
import {Once} from '../model/once.ts'
import {keptPath} from '../model/template-name.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {faultSwitch} from './run-faults.ts'
import type {Apps} from './apps/apps.ts'
import {EarlyEvents} from './early-events.ts'
import type {RunNames} from './run-names.ts'
import type {RunContext} from './run-context.ts'
import type {RunOptions} from './run-options.ts'
import type {RunReplays} from './run-replays.ts'
import type {RunWaits, RunWaitsOptions} from './run-waits.ts'

interface OpenDashboard {
  readonly listener: PageListener
  readonly tokens: PageTokens
}

export interface RunApiOptions extends Omit<RunWaitsOptions, 'events' | 'isStopping'> {
  /** Undefined before the run is registered. */
  readonly control: () => RunControl | undefined
  readonly options: () => RunContext
  readonly actors: ActorFacts
  /** The host names of the run, one of which is the page's. */
  readonly names: () => Pick<RunNames, 'facts' | 'isDashboard'>
}

/** The API of a run; its code is loaded by the first request. */
export class RunApi {
  readonly faults: FaultSwitch
  readonly #options: RunApiOptions
  /** Created by the first replay. */
  #replays: RunReplays | undefined
  #waits: RunWaits | undefined
  #isStopping = false
  #events: RunEvents | undefined
  readonly #openingEvents = new Once<RunEvents>()
  readonly #early = new EarlyEvents()
  readonly #dashboard = new Once<OpenDashboard>()

  constructor(options: RunApiOptions) {
    this.#options = options
    this.faults = faultSwitch(
      () => options.apps().all,
      event => options.options().emit(event)
    )
  }

  readonly control: Pick<RunControl, 'dashboard'> = {dashboard: async port => this.#openDashboard(port)}

  readonly serve: ServeRequest = async (request, response) => this.#serve(request, response, {via: 'socket'})

  /** Waits for conditions of the run. Throws a UserError for unknown apps. */
  async wait(options: WaitOptions): Promise<Api.Waited> {
    const {waitFor} = await import('../observe/api/wait/wait.ts')
    return waitFor(await this.#openWaits(), options)
  }

  /** Opens the listener of the page at the first request. Returns its address. Rejects with a UserError. */
  async #openDashboard(port: number): Promise<Api.Dashboard> {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new UserError(`${port} is not a port`)
    const opened = this.#dashboard.do(async () => this.#open(port))
    const {listener, tokens} = await opened.catch((error: unknown) => {
      throw error instanceof UserError ? error : new UserError(messageOf(error), {cause: error})
    })
    if (port > 0 && port !== listener.port) throw new UserError(`it is open at port ${listener.port} already`)
    const {dashboardUrl: nameUrl} = this.#options.names().facts
    return {
      port: listener.port,
      token: tokens.full,
      readOnlyToken: tokens.readOnly,
      ...(nameUrl !== undefined && {nameUrl})
    }
  }

  /** Serves the dashboard on a connection to its name; `early`: the bytes that were read already. */
  readonly serveDashboard = async (socket: Socket, early: Buffer): Promise<void> => {
    // without a reader, a flowing socket would drop data
    socket.pause().unshift(early)
    try {
      const {listener} = await this.#dashboard.do(async () => this.#open(0))
      listener.accept(socket)
    } catch (error) {
      const why = `the dashboard cannot be opened: ${messageOf(error)}`
      this.#options.options().reporter.warn('background-task-failed', why)
      socket.end(`HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n${why}\n`)
    }
  }

  async #open(port: number): Promise<OpenDashboard> {
    const [{listenForPages: listen}, {readKey, tokensFor}] = await Promise.all([
      import('../observe/dashboard/listener.ts'),
      import('../observe/dashboard/tokens.ts')
    ])
    const {template, folder} = pageOf(this.#options.options())
    const tokens = tokensFor(readKey(folder), template)
    const serve: Serve = async (request, response, body) => this.#serve(request, response, {via: 'page', body})
    const isName = (name: string): boolean => this.#options.names().isDashboard(name)
    return {listener: await listen(template, port, tokens, serve, isName), tokens}
  }

  async #serve(request: IncomingMessage, response: ServerResponse, arrival: Arrival): Promise<void> {
    const control = this.#options.control()
    if (control === undefined) return void response.writeHead(503).end()
    const {serveApi} = await import('../observe/api/serve-api.ts')
    await serveApi(this.#context(control), request, response, arrival)
  }

  noticed(event: RunEvent): void {
    if (event.type === 'stopping') {
      this.#isStopping = true
      this.faults.active?.removeAll()
    }
    this.#replays?.noticed(event)
    ;(this.#events ?? this.#early).noticed(event)
    this.#waits?.noticed(event)
  }

  /** Closes the event streams and the page at the end of the run. */
  async close(): Promise<void> {
    await this.#waits?.close()
    await this.#events?.close()
    const open = await this.#dashboard.begun?.catch(() => undefined) // undefined: the listener could not be opened
    open?.listener.close()
  }

  #context(control: RunControl): ApiContext {
    const {recorder, apps, options, runLog, work, actors} = this.#options
    const {plan, env} = options()
    const {file, overlays = [], shownAs} = plan
    const runtimes = (): readonly AppRuntime[] => apps().all
    return {
      recorder: recorder.calls,
      deaths: recorder.deaths,
      faults: this.faults,
      replays: async () => this.#openReplays(),
      control,
      runLog,
      work: work(),
      actors,
      masked: () => recorder.masked,
      plans: () => runtimes().map(each => each.plan),
      template: {files: file === '' ? [] : [file, ...overlays], isStdin: shownAs === '-', env},
      apps: () => runtimes().map(runtime => notRunning(runtime, apps())),
      leftOut: () =>
        Array.from(apps().leftOut(), ({id, version}) => {
          const reason = whyStopped(id, apps())
          return {id, version, name: id, availability: 'stopped' as const, waiting: 0, reason}
        }),
      portHint: async wanted => {
        const runtime = runtimes().find(({home}) => home === wanted)
        return runtime === undefined ? '' : (await import('../supervisor/messages/port-hint.ts')).portHint(runtime)
      },
      waits: async () => this.#openWaits(),
      events: async () => this.#openEvents(control)
    }
  }

  async #openReplays(): Promise<Replays> {
    const {RunReplays: Created} = await import('./run-replays.ts')
    const {apps, options} = this.#options
    this.#replays ??= new Created({
      ...this.#options,
      runtimes: () => apps().all,
      faults: this.faults,
      emit: event => options().emit(event),
      replayed: replay => this.#events?.replayed(replay)
    })
    return this.#replays.open()
  }

  /** Created by the first wait. */
  async #openWaits(): Promise<RunWaits> {
    const {RunWaits: Waits} = await import('./run-waits.ts')
    const control = this.#options.control()
    if (control === undefined) throw new UserError('the run is starting')
    const events = async (): Promise<RunEvents> => this.#openEvents(control)
    this.#waits ??= new Waits({...this.#options, events, isStopping: this.#isStopping})
    return this.#waits
  }

  async #openEvents(control: RunControl): Promise<RunEvents> {
    return this.#openingEvents.do(async () => this.#createEvents(control))
  }

  /** Creates the event streams for the first reader, with earlier events. */
  async #createEvents(control: RunControl): Promise<RunEvents> {
    const {RunEvents} = await import('../observe/api/events/run-events.ts')
    const events = new RunEvents(() => this.#context(control), this.#options.runLog())
    for (let early = this.#early.take(); early.length > 0; early = this.#early.take()) await events.takeEarly(early)
    this.#events = events
    return events
  }
}

const notRunning = (runtime: AppRuntime, apps: Apps): NotRunning => {
  const {id, name, queue} = runtime
  const stopped = runtime.isStopped ? whyStopped(id, apps) : ''
  return {
    id,
    version: runtime.plan.version,
    name,
    availability: runtime.availability,
    waiting: queue.waiting,
    reason: stopped !== '' ? stopped : queue.isOpen ? '' : queue.reason
  }
}

/** A sentence about an app that the user has stopped, or that no profile has started; '' for others. */
const whyStopped = (id: string, apps: Apps): string => {
  const why = apps.whyStopped(id).replaceAll(/^\[|\]$/g, '')
  return why === '' ? '' : `"${id}" was ${why}`
}

/** Facts of the run for the page, and the folder of the key that signs its tokens. */
const pageOf = ({plan, env}: RunOptions): {readonly template: string; readonly folder: string} => ({
  template: keptPath(plan.file) || plan.name,
  folder: usableFolder(runtimeFolders(env))
})
