import {messageOf, wholeMessageOf, UserError} from '../../model/errors.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import type {Emit} from '../../model/events.ts'
import type {Hint, Reporter} from '../../model/reporter.ts'
import {systemClock} from '../../platform/clock.ts'
import {FILE_CLOCK_LAG_MS} from '../../platform/paths.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {Apps} from '../apps/apps.ts'
import type {Lifetime} from '../lifetime.ts'
import {editedAtStart, editText, effectOf, planChanges} from './plan-diff.ts'
import {filesOf} from './plan-facts.ts'

export interface TemplateEditsOptions {
  readonly plan: Plan
  readonly lifetime: Pick<Lifetime, 'isOver'>
  readonly emit: Emit
  readonly reporter: Reporter
  /** Returns warnings about the template since the last call. */
  readonly hints?: (() => readonly Hint[]) | undefined
  readonly apps: () => Apps
  /** Reads the template again. Rejects with a `UserError`. */
  readonly reread: () => Promise<Plan>
  /** Watches the files of the plan. Saves after `since` (ms since 1970) count. */
  readonly followFiles: (files: readonly string[], since: number) => Promise<void>
  /** Watches the files that the app's wanted plan names. */
  readonly follow: (runtime: AppRuntime) => void
  /** Opens an app by its wanted plan, which was closed for that. Rejects as the opening does. */
  readonly reopen: (runtime: AppRuntime) => Promise<void>
  /** Asks for a process of the app's wanted plan. */
  readonly exchange: (runtime: AppRuntime) => void
}

/**
 * Applies edits of the template one after the other. Id, version and instance identify an app. An edit sets its wanted plan, for its next
 * start: now, or by the user.
 */
export class TemplateEdits {
  readonly #options: TemplateEditsOptions
  #plan: Plan
  #pending = 0
  /** Files that the last saved template names and that may correct it. Their next save reads the template again. */
  #mendedBy: readonly string[] = []
  /** Lets the run end; while an app could not be opened, the run waits for the next edit. */
  #release = (): void => undefined

  constructor(options: TemplateEditsOptions) {
    this.#options = options
    this.#plan = options.plan
  }

  /** An edit is being applied, or waits for its turn. */
  get arePending(): boolean {
    return this.#pending > 0
  }

  /** The template was saved. Settles when that is applied; processes that are replaced may not be ready yet. Never fails. */
  async saved(): Promise<void> {
    const release = this.#options.apps().hold()
    this.#pending++
    try {
      await this.#edit()
    } catch (error) {
      this.#warnFailed(error)
    } finally {
      this.#pending--
      release()
    }
  }

  async #edit(): Promise<void> {
    const apps = this.#options.apps()
    const {done} = await apps.inTurn(async () => {
      const since = systemClock.date() - FILE_CLOCK_LAG_MS
      const reread = await this.#reread()
      const {isOver} = this.#options.lifetime
      const plan = reread && !isOver ? this.#withStarted(reread) : undefined
      const opened = plan === undefined ? [] : await this.#apply(plan)
      const files = plan === undefined ? this.#awaited : filesOf(plan)
      const following = files && this.#options.followFiles(files, since)
      return {done: Promise.all([following, ...opened.map(async runtime => apps.begin(runtime))])}
    })
    await done
  }

  /** Counts left-out apps that the user has started among the apps of the plan, and the other way around. */
  #withStarted(reread: Plan): Plan {
    const {broughtIn, find} = this.#options.apps()
    const ids = new Set([...reread.apps, ...(reread.leftOut ?? [])].map(({id}) => id))
    this.#plan = withBroughtIn(this.#plan, plan => broughtIn.has(plan.id) && find(plan) !== undefined)
    // an app that returns to the template is left out again
    for (const id of broughtIn) if (!ids.has(id)) broughtIn.delete(id)
    return this.#withoutStopped(withBroughtIn(reread, ({id}) => broughtIn.has(id)))
  }

  /** Leaves out new instances of an app that the user has stopped: it stays stopped as a whole. */
  #withoutStopped(plan: Plan): Plan {
    const apps = this.#options.apps()
    const isHeld = (each: AppPlan): boolean => apps.find(each) === undefined && apps.isWhollyStopped(each)
    const held = plan.apps.filter(isHeld)
    if (held.length === 0) return plan
    return {...plan, apps: plan.apps.filter(each => !held.includes(each)), leftOut: [...(plan.leftOut ?? []), ...held]}
  }

  /** Files to follow after a mistake; undefined for the same as before. */
  get #awaited(): readonly string[] | undefined {
    return this.#mendedBy.length === 0 ? undefined : [...filesOf(this.#plan), ...this.#mendedBy]
  }

  /** The new plan; undefined, after a warning, if the template has a mistake. */
  async #reread(): Promise<Plan | undefined> {
    this.#mendedBy = []
    try {
      return await this.#options.reread()
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      this.#mendedBy = error.mendedBy
      this.#warn(`the edited template has a mistake, so nothing was changed: ${wholeMessageOf(error)}`)
      return undefined
    }
  }

  /** Applies a plan. Returns the opened apps that must be started. Closes all apps before it opens one, as ports may move between them. */
  async #apply(after: Plan): Promise<readonly AppRuntime[]> {
    const apps = this.#options.apps()
    const before = this.#plan
    const {added, removed, changed} = planChanges(before, after)
    for (const plan of [...added, ...changed]) this.#want(plan)
    this.#report(editText(before, after, editedAtStart(this.#options.plan, after)))
    this.#plan = after
    const touched = new Set([...added, ...changed])
    // in the same turn: an app that has taken over its wanted plan would seem unchanged
    const closed = after.apps.filter(plan => touched.has(plan) && this.#isClosed(plan))
    await apps.leaveOut(after.leftOut ?? [])
    try {
      const leaving = [...removed, ...closed].flatMap(plan => apps.find(plan) ?? [])
      // an app that could not be closed is out of use all the same; the edit continues with the others
      const warn = (error: unknown): void => this.#warnFailed(error)
      await apps.closeAll(leaving, closed).catch(warn)
      await Promise.all(removed.map(async plan => this.#remove(plan).catch(warn)))
      apps.arrange(after.apps)
      const opened = await this.#open(closed)
      apps.arrange(after.apps)
      return opened
    } finally {
      await apps.edited()
    }
  }

  /** Reports an edit without mistakes. `text`: its effects on apps; '' without any. */
  #report(text: string): void {
    const {emit, reporter, hints = () => []} = this.#options
    if (text !== '') emit({type: 'template-edited', text})
    for (const {code, text: hint} of hints()) reporter.warn(code, hint)
  }

  /** Applies settings that need no new process, such as recording, before the edit is reported. */
  #want(plan: AppPlan): void {
    const runtime = this.#options.apps().find(plan)
    if (runtime !== undefined) runtime.wanted = plan
  }

  /** Whether the app must be opened, for the first time or again. Otherwise it gets the plan in another way, or at its start. */
  #isClosed(plan: AppPlan): boolean {
    const {follow, exchange} = this.#options
    const apps = this.#options.apps()
    const runtime = apps.find(plan)
    if (runtime === undefined) return true
    if (runtime.isStopped) return false
    const effect = effectOf(runtime.plan, plan)
    if (effect === 'all' || runtime.isGivenUp) return true
    follow(runtime)
    if (effect === 'nothing') runtime.adopt()
    else exchange(runtime)
    return false
  }

  async #remove(plan: AppPlan): Promise<void> {
    const apps = this.#options.apps()
    const runtime = apps.find(plan)
    if (runtime !== undefined) await apps.remove(runtime)
  }

  async #open(plans: readonly AppPlan[]): Promise<readonly AppRuntime[]> {
    const apps = this.#options.apps()
    const opened: AppRuntime[] = []
    const failed = new Set<AppPlan>()
    for (const plan of plans) {
      if (this.#options.lifetime.isOver) return opened
      const index = this.#plan.apps.indexOf(plan)
      try {
        const runtime = apps.find(plan) ?? (await apps.openNew(plan, index))
        if (runtime?.closing === 'reopens') await this.#options.reopen(runtime)
        if (runtime !== undefined) opened.push(runtime)
      } catch (error) {
        failed.add(plan)
        apps.lost = [...apps.lost, plan.id]
        await this.#remove(plan).catch(failure => this.#warnFailed(failure))
        if (error instanceof UserError) this.#warn(wholeMessageOf(error))
        else this.#warnFailed(error)
      }
    }
    this.#release()
    apps.lost = [...failed].map(({id}) => id)
    this.#release = apps.lost.length > 0 ? apps.hold() : () => undefined
    // the next save opens failed apps
    const standing = this.#plan.apps.filter(app => !failed.has(app))
    this.#plan = {...this.#plan, apps: standing}
    return opened
  }

  #warnFailed(error: unknown): void {
    this.#warn(`cannot apply the edit of the template: ${messageOf(error)}`)
  }

  #warn(text: string): void {
    this.#options.reporter.warn('template-edit-failed', text)
  }
}

/** The plan with these of the left-out apps among its apps: the user has started them. */
const withBroughtIn = (plan: Plan, isIn: (app: AppPlan) => boolean): Plan => {
  const {apps, leftOut = []} = plan
  return {...plan, apps: [...apps, ...leftOut.filter(isIn)], leftOut: leftOut.filter(app => !isIn(app))}
}
