import {calledPort, runOfProcess} from '../../control/client.ts'
import {copiesAmong} from '../../control/copies.ts'
import type {RunIdentity} from '../../control/run-file.ts'
import type {App} from '../../model/api.generated.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import type {Hint} from '../../model/reporter.ts'
import {descendantsIn, look} from '../../platform/process-table.ts'
import {isFreePort} from '../../proxy/ports/app-port.ts'
import type {MovedPorts} from '../../model/moved-ports.ts'
import {
  fixedPorts,
  isolatedPlan,
  movedPorts,
  portReaders,
  portsAsked,
  secondPorts,
  unnamedPorts,
  type HeldPorts
} from '../../proxy/ports/isolated-plan.ts'
import type {GivenFlags} from './given-flags.ts'

export interface IsolationOptions {
  readonly living: readonly RunIdentity[]
  /** Numbers that the run has moved, for its resources. */
  readonly movedPorts: Map<number, number>
  /** The plan before an edit: its ports stay. Left out: the run starts. */
  readonly before?: Plan
}

/** Gives a plan ports of its own where a copy of its template has them; the same ones after each edit. */
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

  /** `held`: at which processes of another copy listen; `own`: ports that the run has already. */
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

  /** The hints about the latest plan. */
  get hints(): readonly Hint[] {
    return this.#hints
  }

  /** An app that joins the plan later, as of a command. */
  joined(app: AppPlan, plan: Plan): AppPlan {
    return isolatedPlan({...plan, apps: [app]}, this.#moved).apps[0] ?? app
  }

  async apply(plan: Plan): Promise<Plan> {
    this.#moved = await movedPorts(plan, this.#moved, this.#heldByCopy)
    const isolated = isolatedPlan(plan, this.#moved)
    const moved = plan.apps.flatMap((app, at) => {
      const now = portsOf(isolated.apps[at])
      return portsOf(app).flatMap((port, index) => (port === now[index] ? [] : [`${app.id} ${port} → ${now[index]}`]))
    })
    const besides = plan.apps.flatMap(app =>
      secondPorts(app, plan, this.#heldByCopy)
        .filter(port => isMoved(port, this.#moved))
        .map(port => `${app.id} ${port} → ${this.#moved.get(port)}`)
    )
    const readers = portReaders(plan, isolated).map(({id}) => id)
    const untold =
      readers.length === 0
        ? ''
        : `. Nothing in the template gives ${readers.join(', ')} the number: there PORT has to count, or a variable of the template`
    const called = [
      ...new Set(unnamedPorts(plan, process.platform === 'linux').map(({id, port}) => `${id} at ${port}`))
    ]
    const elsewhere =
      called.length === 0
        ? ''
        : `. What has the number of ${called.join(', ')} in its code or its files calls the other copy: a variable of the template has to name it`
    const apps = moved.length + besides.length === 0 ? ['the sidecars have others'] : [...moved, ...besides]
    const text = `other ports: ${this.#reason}: ${[...new Set(apps)].join(', ')}${untold}${elsewhere}`
    this.#hints = isAnyOther(this.#moved) ? [{code: 'ports-moved', text}, ...(await fileHints(plan, this.#moved))] : []
    // a run keeps the map of its start: an edit adds to it
    for (const [from, to] of isolated.movedPorts ?? []) this.#all.set(from, to)
    return {...isolated, movedPorts: this.#all}
  }
}

/** The ports at which an app listens, each number once. */
const portsOf = (app: AppPlan | undefined): readonly number[] =>
  [
    ...new Set(app && [app.published?.number ?? 0, app.channel.port, app.ready.kind === 'tcp' ? app.ready.port : 0])
  ].filter(port => port > 0)

const isMoved = (port: number, moved: MovedPorts): boolean => (moved.get(port) ?? port) !== port

const isAnyOther = (moved: MovedPorts): boolean => [...moved.keys()].some(port => isMoved(port, moved))

const NO_PORTS: ReadonlySet<number> = new Set()

const portsIn = (app: App): readonly number[] => [app.appPort, calledPort(app), app.httpPort, app.grpcPort]

/** Whether a waiting app of a copy will listen at a port outside its listing, as of `ready.tcp`. */
function listensSoon({id, availability, restarts, command}: App, plan: Plan): boolean {
  const own = plan.apps.find(each => each.id === id)
  if (availability !== 'waiting' || restarts > 0 || own?.channel.port !== 0) return false
  const ports = [own.ready.kind === 'tcp' ? own.ready.port : 0, ...secondPorts(own, plan)]
  return ports.some(port => port > 0 && command.includes(`${port}`) === own.command.join(' ').includes(`${port}`))
}

/** Finds the copy that has one of these ports, or starts. */
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
  return holder ?? ((await isAnyTaken(fixed)) ? copies[0] : having(mayListenSoon))
}

async function isAnyTaken(ports: ReadonlySet<number>): Promise<boolean> {
  for (const port of ports) if (!(await isFreePort(port))) return true
  return false
}

/** At which ports the apps of a run listen. */
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

const MAX_PLACES = 5

/** Numbers of the template in files that programs read, and servers that no key of the template gives a port. */
async function fileHints(plan: Plan, moved: MovedPorts): Promise<readonly Hint[]> {
  const {numbersInFiles} = await import('../../files/config/numbers-in-files.ts')
  const asked = plan.apps.flatMap(({ready, env}) =>
    ready.kind === 'command' ? [...portsAsked(ready.command, env)].filter(port => !moved.has(port)) : []
  )
  // on Linux a `port` in the code of an app means its own copy
  const called = new Set(process.platform === 'linux' ? plan.apps.map(({published}) => published?.number) : [])
  const others = [...moved].flatMap(([from, to]) => (from === to || called.has(from) ? [] : [from]))
  const found = numbersInFiles(plan, new Set([...others, ...asked]))
  if (found.length === 0) return []
  const shown = found.slice(0, MAX_PLACES).map(({place, port}) => `${place} (${port})`)
  const more = found.length > shown.length ? ` and ${found.length - shown.length} more` : ''
  const advice = 'write $APP_PORT there, or a variable of env, and the number itself as port or appPort in the template'
  return [
    {code: 'ports-moved', text: `numbers in files stay as they are in each copy: ${shown.join(', ')}${more}: ${advice}`}
  ]
}
