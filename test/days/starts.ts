import {
  freshOf,
  hasFailed,
  idlePhases,
  isIdle,
  isOnly,
  isSurelyAsleep,
  standingOf,
  worstOf,
  type App,
  type Phase,
  type Renewal,
  type Standing
} from './app.ts'
import {dependsOn, isNeverReady, sleeps, type Entry, type How, type Template} from './template.ts'

/** The apps of a run, and what gives them processes: their start, what others need of them, a change. */
export class Starts {
  /** The template as it stands in its files. */
  written: Template
  /** The file has a mistake. */
  isBroken = false
  /** The template that the run follows: the last one without a mistake. */
  followed: Template
  /** As it stood at the last look. */
  protected before: Template
  how: How = {}
  apps = new Map<string, App>()
  /** Apps that edits have removed since the last look: they may come back before anybody has noticed. */
  gone = new Map<string, App>()
  isUp = false
  /** Steps were made since the last look. */
  steps = 0
  /** An edit of the template may not be noticed yet. */
  hasPendingEdit = false
  /** Ids that were called since the last look. */
  called = new Set<string>()
  /** The text of `version.txt` in each folder, and of the variable in `.env`. */
  readonly texts = new Map<string, string>()
  readonly variables = new Map<string, number>()
  #count = 0

  constructor(template: Template) {
    this.written = template
    this.followed = template
    this.before = template
    for (const {folder} of template.apps) this.hasFolder(folder)
  }

  hasFolder(folder: string): void {
    this.texts.set(folder, '0')
    this.variables.set(folder, 0)
  }

  /** A number that was not there before. */
  next(): number {
    return ++this.#count
  }

  /** Processes in this folder exit at once. */
  isBad(folder: string): boolean {
    return this.texts.get(folder)?.startsWith('bad') === true
  }

  /** The instances of an id. */
  of(id: string): readonly App[] {
    return [...this.apps.values()].filter(({entry}) => entry.id === id)
  }

  /** With its first process, where it had none. */
  protected started(app: App, isCertain = true): App {
    const {phase, code, min, max} = freshOf(app.entry, this.isBad(app.entry.folder))
    const {lives, phases, codes} = app
    this.wakeNeeded(app.entry, isCertain)
    return {
      ...app,
      phases: new Set(isCertain ? [phase] : [...phases, phase]),
      lives: {min: isCertain ? this.least(lives.min + min) : lives.min, max: lives.max + max + app.lateSaves},
      codes: new Set(isCertain ? [code] : [...codes, code]),
      mayBeOld: app.mayBeOld && (!isCertain || this.steps > 1), // a command may come before the save is noticed
      isTouched: true
    }
  }

  /** With a rest after each step each cause has its process; without one, several causes may share one. */
  protected least(min: number): number {
    return this.steps <= 1 ? min : 0
  }

  /** After a step: what waits is started where all that it needs is there now. Those that need others have later letters. */
  after(): void {
    if (this.steps > 1)
      // what they need may have gone again before they were started
      for (const app of this.apps.values())
        if (
          (app.lives.max > 0 || (app.entry.kind === 'sidecar' && (app.isTouched || app.isReopened))) &&
          dependsOn(app.entry).length > 0
        ) {
          app.phases = new Set([...app.phases, 'waiting'])
          app.lives.min = 0
        }
    this.release()
  }

  protected release(): void {
    for (const [name, app] of [...this.apps].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (app.mayWait && app.phases.has('asleep') && this.standing(app.entry) !== 'unmet') this.wake(app, false)
      // the user starts it, once what it needs is there
      if (app.phases.has('excepted') || app.phases.has('debugged')) this.wakeNeeded(app.entry, false)
      if (!app.phases.has('waiting')) continue
      const standing = this.standing(app.entry)
      if (standing === 'unmet') {
        this.wakeNeeded(app.entry, false)
        continue
      }
      this.apps.set(name, this.started(app, standing === 'met' && isOnly(app, 'waiting') && this.steps <= 1))
    }
  }

  /** Whether all that an app depends on is there, or will be once it is woken. */
  standing(entry: Entry): Standing {
    return worstOf(
      dependsOn(entry).flatMap(([id, condition]) => this.of(id).map(app => this.standingOf(app, condition)))
    )
  }

  protected standingOf(app: App, condition: string): Standing {
    const {entry, phases} = app
    if (!phases.has('asleep')) return standingOf(app, condition)
    // what waits for one that has failed is given up until it is woken
    if (this.isBad(entry.folder) || hasFailed(app) || !isOnly(app, 'asleep', 'up')) return 'maybe'
    return condition === 'ready' && isNeverReady(entry) ? 'unmet' : this.standing(entry)
  }

  /** Something needs an app: one that is asleep has a process then, once what it depends on is there. */
  wake(app: App, isCertain = true): void {
    if (!app.phases.has('asleep')) return
    const isSure = isCertain && this.steps <= 1 && isSurelyAsleep(app) && !this.#isOtherAwake(app)
    const standing = this.standing(app.entry)
    this.wakeNeeded(app.entry, isSure)
    app.mayWait = standing !== 'met' || !isSure
    if (standing === 'unmet') return
    const isBad = this.isBad(app.entry.folder)
    const {phase, code, min, max} = freshOf(app.entry, isBad)
    const {lives, phases, codes} = app
    app.phases = new Set(isSure && standing === 'met' ? [phase] : [...phases, phase])
    app.codes = new Set(isSure && standing === 'met' ? [code] : [...codes, code])
    app.lives = {min: lives.min + (isSure && standing === 'met' ? min : 0), max: lives.max + max + app.lateSaves}
    app.isTouched ||= isBad
  }

  /** Another instance of it may be awake, and take what it is needed for. */
  #isOtherAwake({entry, name}: App): boolean {
    return this.of(entry.id).some(each => each.name !== name && each.phases.has('up'))
  }

  /** What an app that starts depends on is woken first. */
  protected wakeNeeded(entry: Entry, isCertain: boolean): void {
    for (const [id] of dependsOn(entry)) for (const needed of this.of(id)) this.wake(needed, isCertain)
  }

  /** Opened by the start of the run, or by an edit: started, or asleep. */
  protected opened(app: App, isCertain = true): App {
    if (!sleeps(app.entry)) return this.started(app, isCertain)
    const codes = new Set([...(isCertain ? [] : app.codes), 0])
    const slept = {...app, phases: new Set<Phase>([...(isCertain ? [] : app.phases), 'asleep']), codes, isTouched: true}
    if (this.of(app.entry.id).every(each => each.name === app.name || isSurelyAsleep(each))) return slept
    // instances sleep and wake together
    this.wake(slept, false)
    return slept
  }

  /** A new process, unless the user has to start it. */
  protected renewed(app: App, {isCertain = true, isEdit = false}: Renewal = {}): App {
    const {entry, lives, phases, codes} = app
    if (isIdle(app) || entry.kind === 'sidecar') return app
    if (phases.has('asleep')) return this.#renewedSleeper(app, {isCertain, isEdit})
    const isBad = this.isBad(entry.folder)
    const fresh = freshOf(entry, isBad)
    // with `overlap` the old process goes on where the new one does not come up; whether that counts for edits is not said
    const isKept = isBad && entry.keys.reload === 'overlap' && phases.has('up')
    const isSurelyKept = isKept && !isEdit && isOnly(app, 'up') && this.steps <= 1
    const max = lives.max + fresh.max + app.lateSaves
    const after = {
      ...app,
      mayBeOld: isKept || (app.mayBeOld && !isCertain),
      hadEnded: app.hadEnded || phases.has('ended'),
      isTouched: app.isTouched || !isOnly(app, 'up') || (fresh.phase !== 'up' && !isSurelyKept),
      lives: {min: isCertain && idlePhases(app).length === 0 ? this.least(lives.min + fresh.min) : lives.min, max},
      phases: new Set<Phase>([
        ...idlePhases(app),
        ...(isCertain ? [] : phases),
        ...(isKept ? (['up'] as const) : []),
        ...(isSurelyKept ? [] : [fresh.phase])
      ]),
      codes: new Set([...codes, fresh.code])
    }
    if (!isEdit || !sleeps(entry)) return after
    // an edit that opens it again lets it sleep
    return {
      ...after,
      phases: new Set([...after.phases, 'asleep']),
      codes: new Set([...after.codes, 0]),
      lives: {min: 0, max}
    }
  }

  /** A change costs an app that is asleep nothing; one that has failed to start tries again, and one that is awake gets a new process. */
  #renewedSleeper(app: App, {isCertain = true, isEdit = false}: Renewal): App {
    const after = {...app, lateSaves: app.lateSaves + 1}
    const isSure = isSurelyAsleep(app)
    if (isSure && !hasFailed(app)) return after
    if (isSure && !isEdit) {
      this.wake(after, isCertain && !app.codes.has(0))
      return after
    }
    const isBad = this.isBad(app.entry.folder)
    const {phase, code, max} = freshOf(app.entry, isBad)
    // an earlier step may have started a process that is ready before the save is noticed
    after.mayBeOld ||= isBad && app.entry.keys.reload === 'overlap' && !isSure
    after.phases = new Set([...app.phases, phase])
    after.codes = new Set([...app.codes, code, 0])
    after.lives = {min: this.least(app.lives.min), max: app.lives.max + max + app.lateSaves}
    after.isTouched ||= isEdit || hasFailed(after)
    return after
  }
}
