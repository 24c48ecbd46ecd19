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
  /** Opens an app that the edit has closed, by its wanted plan. Rejects if its ports or its sidecar cannot be opened. */
  readonly reopen: (runtime: AppRuntime) => Promise<void>
  /** Replaces the process of an app by one of its wanted plan. */
  readonly replaceProcess: (runtime: AppRuntime) => void
}

/**
 * Applies saved edits of the template, one after the other: opens added apps, removes others, and updates changed ones. Id, version and
 * instance identify an app. Each app gets its new plan as its wanted plan. A stopped app starts with it when the user starts the app.
 */
export class TemplateEdits {
  readonly #options: TemplateEditsOptions
  /** The plan of the latest edit, without apps that could not be opened. */
  #plan: Plan
  /** Number of edits that are being applied, or wait for their turn. */
  #pending = 0
  /** Files that the last saved template names and that may correct it. Their next save reads the template again. */
  #mendedBy: readonly string[] = []
  /** Ends the hold on the run, which does not end while an app could not be opened: the next edit may correct that. */
  #letRunEnd = (): void => undefined

  constructor(options: TemplateEditsOptions) {
    this.#options = options
    this.#plan = options.plan
  }

  get arePending(): boolean {
    return this.#pending > 0
  }

  /** Called when the template was saved. Settles when the edit is applied; replaced processes may not be ready yet. Never rejects. */
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

  /** Reads the template and applies its plan, then starts the apps that were opened. */
  async #edit(): Promise<void> {
    const apps = this.#options.apps()
    const {done} = await apps.inTurn(async () => {
      const since = systemClock.date() - FILE_CLOCK_LAG_MS
      const reread = await this.#reread()
      const {isOver} = this.#options.lifetime
      const plan = reread && !isOver ? this.#withChoicesOfUser(reread) : undefined
      const opened = plan === undefined ? [] : await this.#apply(plan)
      const files = plan === undefined ? this.#filesAfterMistake : filesOf(plan)
      const following = files && this.#options.followFiles(files, since)
      return {done: Promise.all([following, ...opened.map(async runtime => apps.begin(runtime))])}
    })
    await done
  }

  /** Adds the left-out apps that the user has started to the apps of both plans, and leaves out new instances of stopped apps. */
  #withChoicesOfUser(reread: Plan): Plan {
    const {broughtIn, find} = this.#options.apps()
    const ids = new Set([...reread.apps, ...(reread.leftOut ?? [])].map(({id}) => id))
    this.#plan = withStarted(this.#plan, plan => broughtIn.has(plan.id) && find(plan) !== undefined)
    // an app that returns to the template is left out again
    for (const id of broughtIn) if (!ids.has(id)) broughtIn.delete(id)
    return this.#withoutStopped(withStarted(reread, ({id}) => broughtIn.has(id)))
  }

  /** Leaves out new instances of an app that the user has stopped: it stays stopped as a whole. */
  #withoutStopped(plan: Plan): Plan {
    const apps = this.#options.apps()
    const stopped = plan.apps.filter(each => apps.find(each) === undefined && apps.isWhollyStopped(each))
    if (stopped.length === 0) return plan
    return {
      ...plan,
      apps: plan.apps.filter(each => !stopped.includes(each)),
      leftOut: [...(plan.leftOut ?? []), ...stopped]
    }
  }

  /** The files to follow after a mistake in the template; undefined: the same as before. */
  get #filesAfterMistake(): readonly string[] | undefined {
    return this.#mendedBy.length === 0 ? undefined : [...filesOf(this.#plan), ...this.#mendedBy]
  }

  /** Reads the template. Resolves with its plan; undefined, after a warning: it has a mistake. */
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

  /** Applies a plan. Resolves with the opened apps, which must be started. Closes all apps before it opens one, as ports may move between them. */
  async #apply(after: Plan): Promise<readonly AppRuntime[]> {
    const apps = this.#options.apps()
    const before = this.#plan
    const {added, removed, changed} = planChanges(before, after)
    for (const plan of [...added, ...changed]) this.#setWanted(plan)
    this.#report(editText(before, after, editedAtStart(this.#options.plan, after)))
    this.#plan = after
    const touched = new Set([...added, ...changed])
    // without an await since `planChanges`: an app that starts meanwhile adopts its wanted plan, and would seem unchanged
    const toOpen = after.apps.filter(plan => touched.has(plan) && !this.#updateInPlace(plan))
    await apps.leaveOut(after.leftOut ?? [])
    try {
      const leaving = [...removed, ...toOpen].flatMap(plan => apps.find(plan) ?? [])
      // an app that could not be closed gets no calls either; the edit continues with the others
      const warn = (error: unknown): void => this.#warnFailed(error)
      await apps.closeAll(leaving, toOpen).catch(warn)
      await Promise.all(removed.map(async plan => this.#remove(plan).catch(warn)))
      apps.arrange(after.apps)
      const opened = await this.#open(toOpen)
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

  /** Sets the wanted plan of an existing app. Settings that need no new process, such as recording, count from now on. */
  #setWanted(plan: AppPlan): void {
    const runtime = this.#options.apps().find(plan)
    if (runtime !== undefined) runtime.wanted = plan
  }

  /** Updates an app whose sidecar stays open, and replaces its process if needed. Returns false if the app must be opened, for the first time or again. */
  #updateInPlace(plan: AppPlan): boolean {
    const {follow, replaceProcess, apps} = this.#options
    const runtime = apps().find(plan)
    if (runtime === undefined) return false
    if (runtime.isStopped) return true
    const effect = effectOf(runtime.plan, plan)
    if (effect === 'all' || runtime.isGivenUp) return false
    follow(runtime)
    if (effect === 'nothing') runtime.adopt()
    else replaceProcess(runtime)
    return true
  }

  async #remove(plan: AppPlan): Promise<void> {
    const apps = this.#options.apps()
    const runtime = apps.find(plan)
    if (runtime !== undefined) await apps.remove(runtime)
  }

  /** Opens new apps, and those that were closed. Returns them without apps that could not be opened, which the next save opens. */
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
        apps.failedIds = [...apps.failedIds, plan.id]
        await this.#remove(plan).catch(failure => this.#warnFailed(failure))
        if (error instanceof UserError) this.#warn(wholeMessageOf(error))
        else this.#warnFailed(error)
      }
    }
    this.#letRunEnd()
    apps.failedIds = [...failed].map(({id}) => id)
    this.#letRunEnd = apps.failedIds.length > 0 ? apps.hold() : () => undefined
    this.#plan = {...this.#plan, apps: this.#plan.apps.filter(app => !failed.has(app))}
    return opened
  }

  #warnFailed(error: unknown): void {
    this.#warn(`cannot apply the edit of the template: ${messageOf(error)}`)
  }

  #warn(text: string): void {
    this.#options.reporter.warn('template-edit-failed', text)
  }
}

/** Returns the plan with some left-out apps among its apps: those that the user has started. */
const withStarted = (plan: Plan, isIn: (app: AppPlan) => boolean): Plan => {
  const {apps, leftOut = []} = plan
  return {...plan, apps: [...apps, ...leftOut.filter(isIn)], leftOut: leftOut.filter(app => !isIn(app))}
}
