import {messageOf, UserError} from '../../errors.ts'
import type {Emit} from '../../event.ts'
import type {AppPlan, Plan} from '../../plan.ts'
import {circleWords} from './circle.ts'
import type {Visit} from '../calls/gate.ts'
import type {Member} from '../member.ts'
import {planChanges} from './plan-changes.ts'
import {Reloads} from './reload.ts'
import type {Watching} from './watching.ts'

export interface ChangesOptions {
  readonly plan: Plan
  /** When the run began, in ms since 1970. */
  readonly since: number
  /** Reads the template again; undefined: its edits are not followed. Throws a `UserError`. */
  readonly reread: (() => Plan) | undefined
  /** Those whose door is open. */
  readonly members: () => readonly Member[]
  readonly emit: Emit
  /** Ports, door and logs of an app that has come to the template, and its start. Throws a `UserError`. */
  readonly open: (plan: AppPlan, index: number) => Promise<void>
  readonly close: (member: Member) => Promise<void>
}

/** What may change while a run lives: the files of its apps, their processes, the template. */
export class Changes {
  readonly #options: ChangesOptions
  readonly #reloads = new Map<Member, Reloads>()
  #plan: Plan
  #watching: Watching<Member> | undefined
  /** One edit after the other. */
  #edits: Promise<void> = Promise.resolve()
  #isOver = false

  constructor(options: ChangesOptions) {
    this.#options = options
    this.#plan = options.plan
  }

  /** Follows what is to be followed; to be called when the start lines are out. What is not asked for is not even loaded. */
  async begin(): Promise<void> {
    const {members, reread, since} = this.#options
    const isWatched = this.#plan.apps.some(({watch}) => watch.paths.length > 0)
    if (this.#isOver || (!isWatched && reread === undefined)) return
    const {Watching} = await import('./watching.ts')
    this.#watching = new Watching({
      since,
      templateFiles: reread === undefined ? [this.#plan.file] : this.#templateFiles,
      reload: member => void this.#reloadsOf(member).ask('watch'),
      warn: text => this.#warn(text)
    })
    await Promise.all([...members().map(async member => this.#watching?.add(member)), this.#followTemplate()])
    if (this.#isOver) await this.#watching.close()
  }

  /** Exchanges the processes of apps as somebody asked for it; settles when the new ones are there, or will not be. */
  async restart(members: readonly Member[]): Promise<void> {
    for (const member of members) this.#watching?.lift(member)
    await Promise.all(
      members.map(async member => {
        const begun = Promise.withResolvers<void>()
        const off = member.onMove(() => {
          if (member.app.state.phase === 'starting') begun.resolve()
        })
        await Promise.race([begun.promise, this.#reloadsOf(member).ask('user')])
        off()
      })
    )
  }

  /** An app leaves the run: nothing of it is started any more. */
  leave(member: Member): void {
    this.#reloads.get(member)?.end()
    void this.#watching?.remove(member)
  }

  /** The run ends: nothing is started any more. */
  end(): void {
    this.#isOver = true
    for (const reloads of this.#reloads.values()) reloads.end()
    void this.#watching?.close()
  }

  /** What a call that waits in vain for an app hears besides. */
  circle(callee: string, {caller}: Visit): string {
    const callers = new Map(
      this.#options.members().map(({id, gate}) => {
        const visits = [...gate.inside.keys(), ...gate.held]
        return [id, new Set(visits.map(visit => visit.caller))]
      })
    )
    return circleWords(caller, callee, callers)
  }

  #reloadsOf(member: Member): Reloads {
    const reloads =
      this.#reloads.get(member) ??
      new Reloads({
        member,
        reloaded: what => this.#options.emit({type: 'reloaded', ...what}),
        warn: text => this.#warn(text),
        circle: visit => this.circle(member.id, visit)
      })
    this.#reloads.set(member, reloads)
    if (this.#isOver) reloads.end()
    return reloads
  }

  get #templateFiles(): readonly string[] {
    return [this.#plan.file, ...new Set(this.#plan.apps.flatMap(({envFiles}) => envFiles))]
  }

  async #followTemplate(): Promise<void> {
    if (this.#options.reread === undefined) return
    await this.#watching?.followTemplate(this.#templateFiles, () => {
      this.#edits = this.#edits.then(async () => this.#edit())
    })
  }

  async #edit(): Promise<void> {
    const after = this.#reread()
    if (after === undefined || this.#isOver) return
    const before = this.#plan
    this.#plan = after
    const {added, removed, changed} = planChanges(before, after)
    await Promise.all([
      ...removed.map(async plan => this.#remove(plan)),
      ...changed.map(async ({before: old, after: plan}) => this.#change(old, plan))
    ])
    for (const {plan, index} of added) await this.#add(plan, index)
    await this.#followTemplate()
  }

  /** The new plan; undefined where the template cannot be read: what is wrong and where has been told. */
  #reread(): Plan | undefined {
    try {
      return this.#options.reread?.()
    } catch (error) {
      const where = error instanceof UserError && error.explanation !== '' ? `\n${error.explanation}` : ''
      this.#warn(`the template was edited, and nothing is changed: ${messageOf(error)}${where}`)
      return undefined
    }
  }

  async #remove(plan: AppPlan): Promise<void> {
    const member = this.#memberOf(plan)
    if (member !== undefined) await this.#options.close(member)
  }

  async #change(before: AppPlan, after: AppPlan): Promise<void> {
    const member = this.#memberOf(before)
    if (member === undefined) return this.#add(after, this.#plan.apps.indexOf(after))
    await this.#watching?.remove(member)
    await this.#reloadsOf(member).ask('watch', after)
    if (!this.#isOver) await this.#watching?.add(member)
  }

  async #add(plan: AppPlan, index: number): Promise<void> {
    if (this.#isOver) return
    try {
      await this.#options.open(plan, index)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      return this.#warn(`${error.message}${error.explanation === '' ? '' : `\n${error.explanation}`}`)
    }
    const member = this.#memberOf(plan)
    if (member !== undefined) await this.#watching?.add(member)
  }

  #memberOf(plan: AppPlan): Member | undefined {
    return this.#options.members().find(member => member.plan === plan)
  }

  #warn(text: string): void {
    this.#options.emit({type: 'warned', text})
  }
}
