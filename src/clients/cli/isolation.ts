import {calledPort, runOfProcess} from '../../control/client.ts'
import {copiesAmong} from '../../control/copies.ts'
import type {RunIdentity} from '../../control/run-file.ts'
import type {App} from '../../model/api.generated.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import type {Hint} from '../../model/reporter.ts'
import {descendantsIn, look} from '../../platform/process-table.ts'
import {isFreePort} from '../../proxy/ports/app-port.ts'
import type {MovedPorts} from '../../model/moved-ports.ts'
import {fixedPorts, isolatedPlan, movedPorts, secondPorts, type HeldPorts} from '../../proxy/ports/isolated-plan.ts'
import type {GivenFlags} from './given-flags.ts'

export interface IsolationOptions {
  readonly living: readonly RunIdentity[]
  /** All ports that the run has moved, from the template's number to the run's. `apply` adds to it; resource files are read with it. */
  readonly movedPorts: Map<number, number>
  /** The plan before an edit: its ports stay. Omitted: the run starts. */
  readonly before?: Plan
}

/** Gives a plan other ports if a copy of its template uses the template's. Each edit of the template keeps them. */
export class Isolation {
  readonly #reason: string
  #moved: MovedPorts
  readonly #all: Map<number, number>
  #hints: readonly Hint[] = []
  readonly #heldByCopy: HeldPorts

  /** Resolves with undefined if the plan keeps its own ports. */
  static async of(plan: Plan, flags: GivenFlags, options: IsolationOptions): Promise<Isolation | undefined> {
    const {living, before} = options
    if (flags.isSet('isolated')) return new Isolation('--isolated', options)
    const own = before === undefined ? NO_PORTS : fixedPorts(before)
    const wanted = [...fixedPorts(plan)].filter(port => !own.has(port))
    const copies = copiesAmong(living, {file: plan.file, copy: plan.copy ?? ''})
    const copy = await holderOf(new Set(wanted), copies, app => before === undefined && listensSoon(app, plan))
    if (copy === undefined) return undefined
    const why = `${copy.name} (pid ${copy.pid}) runs the same template and has its ports`
    return new Isolation(why, options, await heldBelow(copy.pid), own)
  }

  /** `held`: ports at which processes of another copy listen. `own`: ports that the run has already. */
  constructor(
    reason: string,
    {movedPorts: all}: IsolationOptions,
    held: HeldPorts = new Map(),
    own: ReadonlySet<number> = NO_PORTS
  ) {
    this.#heldByCopy = held
    this.#reason = reason
    this.#moved = new Map([...own].map(port => [port, port]))
    this.#all = all
  }

  get hints(): readonly Hint[] {
    return this.#hints
  }

  /** Returns an app that joins the plan later, such as the command's sidecar, with the ports of this run. */
  joined(app: AppPlan, plan: Plan): AppPlan {
    return isolatedPlan({...plan, apps: [app]}, this.#moved).apps[0] ?? app
  }

  /** Returns a plan with ports of its own, and notes the hints about them. */
  async apply(plan: Plan): Promise<Plan> {
    this.#moved = await movedPorts(plan, this.#moved, this.#heldByCopy)
    const isolated = isolatedPlan(plan, this.#moved)
    const {isolationHints} = await import('./isolation-hints.ts')
    this.#hints = await isolationHints(plan, isolated, {
      reason: this.#reason,
      moved: this.#moved,
      heldByCopy: this.#heldByCopy
    })
    // a run keeps the map of its start: an edit adds to it
    for (const [from, to] of isolated.movedPorts ?? []) this.#all.set(from, to)
    return {...isolated, movedPorts: this.#all}
  }
}

const NO_PORTS: ReadonlySet<number> = new Set()

const portsIn = (app: App): readonly number[] => [app.appPort, calledPort(app), app.httpPort, app.grpcPort]

/** Whether an app of a copy, which still waits, will listen at a port that listings do not show, such as that of `ready.tcp`. */
function listensSoon({id, availability, restarts, command}: App, plan: Plan): boolean {
  const own = plan.apps.find(each => each.id === id)
  if (availability !== 'waiting' || restarts > 0 || own?.channel.port !== 0) return false
  const ports = [own.ready.kind === 'tcp' ? own.ready.port : 0, ...secondPorts(own, plan)]
  return ports.some(port => port > 0 && command.includes(`${port}`) === own.command.join(' ').includes(`${port}`))
}

/** Finds the copy that has one of these ports, or will soon. A copy without a listing counts as one; `copies[0]` is a guess. */
async function holderOf(
  fixed: ReadonlySet<number>,
  copies: readonly RunIdentity[],
  mayListenSoon: (app: App) => boolean
): Promise<RunIdentity | undefined> {
  if (copies.length === 0 || fixed.size === 0) return undefined
  const listings = await Promise.all(copies.map(async ({pid}) => (await runOfProcess(process.env, pid))?.listing))
  const having = (has: (app: App) => boolean): RunIdentity | undefined =>
    copies.find((_, at) => listings[at]?.apps.some(has) ?? true)
  const holder = having(app => portsIn(app).some(port => fixed.has(port)))
  // ports that a copy took over from an ended run: it leaves them as soon as another run wants them
  const left = new Set(copies.flatMap(({takenOver = []}) => takenOver))
  const wanted = [...fixed].filter(port => !left.has(port))
  return holder ?? ((await isAnyTaken(wanted)) ? copies[0] : having(mayListenSoon))
}

async function isAnyTaken(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) if (!(await isFreePort(port))) return true
  return false
}

/** Returns the ports at which the apps of a run listen, by app id. `pid`: the process of the run. */
async function heldBelow(pid: number): Promise<HeldPorts> {
  const run = await runOfProcess(process.env, pid)
  const {all} = await look()
  const {portsHeldBy} = await import('../../platform/port-owners.ts')
  const held = new Map<string, ReadonlySet<number>>()
  for (const app of run?.listing.apps ?? []) {
    if (app.pid === 0) continue
    const ports = await portsHeldBy([app.pid, ...descendantsIn(all, [app.pid]).map(each => each.pid)])
    held.set(app.id, new Set([...(held.get(app.id) ?? []), ...(ports ?? [])]))
  }
  return held
}
