import type {Guardian} from '../app/guardian.ts'
import {Console} from '../logs/console.ts'
import type {AppPlan} from '../plan.ts'
import type {Visit} from './calls/gate.ts'
import {environmentOf} from './environment.ts'
import type {Logs} from './chronicle.ts'
import {Member, type MemberOptions} from './member.ts'
import {openLogs} from './open-logs.ts'
import type {DoorPorts} from './ports/ports.ts'
import type {RunOptions} from './run-options.ts'
import {bypassHint, importHint} from './services/hints.ts'
import type {Services} from './services/services.ts'
import {noteText} from './words/notes.ts'

export interface MusterOptions extends RunOptions {
  /** The mark of the run. */
  readonly run: string
  readonly services: Services
  readonly guardian: Guardian
  /** False: the run is about to end. */
  readonly maySpawn: () => boolean
  /** What a call to an app that has waited in vain hears besides. */
  readonly explain: (id: string, visit: Visit) => string
  /** One of them made a move. */
  readonly moved: () => void
  /** A life whose strays live on when the run has ended. */
  readonly spare: (life: string) => void
  readonly note: (text: string) => void
}

/** Makes the members of a run: each with its logs, its environment, its marks, and what is told about it. */
export class Muster {
  readonly #options: MusterOptions
  readonly #console: Console
  #lives = 0

  constructor(options: MusterOptions) {
    this.#options = options
    this.#console = new Console({output: options.output})
  }

  /** One for each app of the plan, in its order. */
  async all(ports: readonly DoorPorts[]): Promise<readonly Member[]> {
    return Promise.all(this.#options.plan.apps.map(async (app, index) => this.one(app, ports[index], index)))
  }

  /** `index`: its place in the template. */
  async one(app: AppPlan, ports: DoorPorts | undefined, index: number): Promise<Member> {
    if (ports === undefined) throw new Error(`no ports for ${app.id}`)
    const {services, note} = this.#options
    const name = services.shownAs(app)
    return this.#make(
      app,
      ports,
      await openLogs(app, {...this.#options, console: this.#console, name, index, warn: note})
    )
  }

  #make(plan: AppPlan, ports: DoorPorts, logs: Logs): Member {
    const {shell, form, emit, services, guardian, maySpawn, explain, moved, note} = this.#options
    const member = new Member({
      explain: visit => explain(plan.id, visit),
      plan,
      ports,
      logs,
      environment: this.#environmentOf(plan, ports),
      nextLife: () => this.#nextLife(plan),
      folderOf: app => services.copies.folderOf(app),
      maySpawn,
      guardian,
      token: shell['APP_API_TOKEN'] ?? '',
      single: form.kind === 'single' ? {input: form.input} : undefined,
      moved,
      ended: exit => {
        emit({type: 'app-ended', id: plan.id, exit})
        importHint(member, note)
      },
      noted: news => {
        note(typeof news === 'string' ? news : noteText(plan.id, news))
        if (typeof news !== 'string' && news.type === 'not-ready') void bypassHint(member, note)
      }
    })
    return member
  }

  #environmentOf({logs}: AppPlan, ports: DoorPorts): MemberOptions['environment'] {
    const {shell, isTerminal, form, run, services} = this.#options
    const isColoured = form.kind === 'template' && isTerminal && logs.app !== 'file'
    return (life, plan, appPort) =>
      services.environment(environmentOf({plan, ports: {...ports, appPort}, shell, marks: {run, life}, isColoured}), {
        plan,
        appPort,
        httpPort: ports.httpPort
      })
  }

  #nextLife({stop}: AppPlan): string {
    const {run, spare} = this.#options
    const life = `${run}-${(++this.#lives).toString()}`
    if (stop.scope === 'group') spare(life)
    return life
  }
}
