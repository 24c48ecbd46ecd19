import {isDeepStrictEqual} from 'node:util'
import {
  BAD_CODE,
  beforeSave,
  either,
  hasFailed,
  isFreelyStopped,
  isIdle,
  isOnly,
  isSurelyAsleep,
  LOOP,
  orStillEnded,
  orWaiting,
  resting,
  settled,
  type App,
  type Phase
} from './app.ts'
import {mayStartEarly} from './early.ts'
import {Starts} from './starts.ts'
import {
  dependsOn,
  isLeftOut,
  namesOf,
  sleeps,
  wholeOf,
  withNeeded,
  withoutUnsaid,
  type Entry,
  type How,
  type Template
} from './template.ts'

/** With these a process of an app may have ended. */
const ANY_CODE = [0, BAD_CODE, 128 + 9, 128 + 12]

/** A run of a template under `up --watch`, as the manual (reload.md, daily.md, template.md, variants.md) describes it. */
export class Model extends Starts {
  /** `pillion up --watch`. */
  up(how: How = {}): void {
    const before = new Map([...this.gone, ...this.apps])
    this.isUp = true
    this.#forgetCommands()
    this.how = how
    this.followed = this.written
    this.apps = new Map()
    for (const entry of this.written.apps)
      for (const name of namesOf(entry)) {
        const {lives, ...app} = this.#begun(name, entry)
        this.apps.set(name, {...app, lives: {...lives, max: lives.max + (before.get(name)?.lives.max ?? 0)}})
      }
    this.gone = new Map([...before].filter(([name]) => !this.apps.has(name)))
    this.release()
  }

  #begun(name: string, entry: Entry): App {
    const others = this.of(entry.id)
    const stopped = others.filter(({phases}) => phases.has('stopped'))
    // an app that was stopped stays stopped, with all its instances; another one of what is left out may have been brought in
    const isLeft = isLeftOut(entry, this.how, this.followed.apps)
    if (isLeft || (others.length > 0 && stopped.length === others.length)) {
      const app = resting(name, entry, 'stopped')
      // what flags left out until now has not been stopped by the user
      const isByUser = this.how.only === undefined && others.every(({entry: {keys}}) => keys.profiles === undefined)
      if ((isLeft || isByUser) && others.every(each => isOnly(each, 'stopped'))) return app
      return sleeps(entry) ? this.opened(app, false) : orWaiting(this.started(app, false))
    }
    if (this.how.except?.includes(entry.id) === true) return resting(name, entry, 'excepted')
    const app = resting(name, entry, 'waiting')
    return dependsOn(entry).length > 0 && !sleeps(entry) ? app : this.opened(app)
  }

  /** The template was saved. Added apps are started, removed ones are stopped, changed ones are restarted; others keep running. */
  edit(after: Template): void {
    this.written = after
    this.isBroken = false
    if (!this.isUp) return
    const {followed: before, hasPendingEdit: mayUndo} = this
    this.followed = after
    this.hasPendingEdit = true
    // what an app depends on has an earlier letter
    for (const entry of after.apps.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
      for (const name of namesOf(entry)) {
        const app = this.apps.get(name)
        const edited = app === undefined ? this.#added(name, entry) : this.#edited(app, entry, {before, after})
        this.apps.set(name, mayUndo ? orStillEnded(edited) : edited)
      }
    const names = new Set(after.apps.flatMap(namesOf))
    for (const [name, app] of this.apps) if (!names.has(name)) this.gone.set(name, app)
    this.apps = new Map([...names].flatMap(name => [...this.apps].filter(([each]) => each === name)))
  }

  #added(name: string, entry: Entry): App {
    const app = this.#begun(name, entry)
    const before = this.gone.get(name)
    // whether an app that comes under --only is one of those is not said
    if (this.how.only !== undefined) return either(app, this.opened(resting(name, entry, 'waiting'), false), before)
    if (before !== undefined) return either(app, before)
    const {min, max} = app.lives
    return {...app, lives: {min: this.least(min), max}}
  }

  #edited(app: App, entry: Entry, {before, after}: {readonly before: Template; readonly after: Template}): App {
    const [was, is] = [wholeOf(app.entry, before, this.how), wholeOf(entry, after, this.how)]
    if (
      isDeepStrictEqual(was, is) &&
      (this.how.only === undefined || isOnly(app, 'stopped') === isLeftOut(entry, this.how, this.followed.apps))
    )
      return {...app, entry}
    const isCertain = !isDeepStrictEqual(withoutUnsaid(was), withoutUnsaid(is))
    const isRolled = namesOf(entry).length > 1 && this.isBad(entry.folder)
    this.wakeNeeded(entry, false) // if it is opened again
    const changed = this.renewed({...app, entry, isReopened: true}, {isCertain: isCertain && !isRolled, isEdit: true})
    if (isRolled) changed.mayBeOld = true
    if (sleeps(entry) && app.phases.has('waiting')) changed.phases = new Set([...changed.phases, 'asleep'])
    const waiting: readonly Phase[] = sleeps(entry) || isIdle(app) || this.standing(entry) === 'met' ? [] : ['waiting']
    // what --only means after an edit of dependencies is not said
    if (isLeftOut(entry, this.how, this.followed.apps))
      return {
        ...changed,
        phases: new Set([...changed.phases, 'stopped', ...waiting]),
        lives: {...changed.lives, min: 0}
      }
    const mayHaveBeenLeftOut = this.how.only !== undefined || app.entry.keys.profiles !== undefined
    if (isOnly(app, 'stopped') && mayHaveBeenLeftOut && this.how.except?.includes(entry.id) === true)
      return {...changed, phases: new Set(['stopped', 'excepted'])}
    if (isOnly(app, 'stopped') && mayHaveBeenLeftOut)
      return sleeps(entry) ? this.opened(changed, false) : orWaiting(this.started(changed, false))
    if (waiting.length === 0) return changed
    return {...changed, phases: new Set([...changed.phases, ...waiting]), lives: {...changed.lives, min: 0}}
  }

  /** Files of this folder have changed `times` apart. */
  saved(folder: string, times = 1): void {
    for (const entry of this.followed.apps.filter(each => each.folder === folder && each.kind !== 'sidecar')) {
      // an instance that tries again wakes the others
      if (this.of(entry.id).some(app => app.phases.has('asleep') && hasFailed(app)))
        for (const app of this.of(entry.id))
          app.lives.max += namesOf(entry).length > 1 ? (this.isBad(folder) ? LOOP : 2) : 0
      this.#rolled(entry, app => {
        // a one-shot app that is done is not done again by a save; one that is under way, or has failed, begins anew
        const isOneShot = entry.kind === 'one-shot'
        const isDone = isOneShot && app.codes.has(0)
        if (isDone && this.steps <= 1 && !('watch' in wholeOf(entry, this.followed, this.how).keys))
          return {...app, lateSaves: app.lateSaves + times}
        const after = this.renewed(app, {isCertain: !isOneShot || (this.steps <= 1 && !isDone)})
        return {...after, lives: {...after.lives, max: after.lives.max + times - 1}}
      })
    }
    // while an edit is being applied, the next one waits: a save acts on an app that this one removes
    if (this.hasPendingEdit && this.steps > 1)
      for (const app of this.gone.values()) if (app.entry.folder === folder) app.lives.max += times
  }

  /** Replaces the instances one after the other; if one does not come up, the rest keep what they have. */
  #rolled(entry: Entry, renew: (app: App) => App): void {
    const all = this.of(entry.id)
    for (const app of all) {
      const after = renew(app)
      // which is the first is not said
      const isUnsure = all.length > 1 && this.isBad(entry.folder) && !isIdle(app)
      const phases = new Set([...app.phases, ...after.phases])
      const lives = {...after.lives, min: 0}
      this.apps.set(app.name, isUnsure ? {...after, phases, lives, mayBeOld: true} : after)
    }
  }

  /** A file of this folder was saved, and holds what it did. Right after a start that is unknown; an app that has ended may start. */
  savedUnchanged(folder: string, isMeant: (entry: Entry) => boolean = () => true): void {
    for (const [name, app] of this.apps)
      if (app.entry.folder === folder && (app.lives.max > 0 || app.phases.has('ended')) && isMeant(app.entry))
        this.apps.set(name, this.renewed(app, {isCertain: false}))
  }

  /** `.env` in this folder was saved. Where the template names it, a comment in it changes nothing. */
  variable(folder: string, {isComment}: {readonly isComment: boolean}): void {
    if (isComment) this.savedUnchanged(folder, ({readsFile}) => readsFile)
    for (const [name, app] of isComment ? [] : this.apps) {
      if (app.entry.folder !== folder || !app.entry.readsFile) continue
      this.hasPendingEdit = true
      this.apps.set(name, {...this.renewed(app, {isEdit: true}), isReopened: true})
    }
    if ([...this.apps.values()].some(({entry}) => entry.folder === folder && !entry.readsFile)) this.saved(folder)
  }

  /** The process of an app has ended by itself. */
  crashed(name: string, code: number): void {
    const app = this.apps.get(name)
    if (app === undefined) return
    // one that is just being replaced does not come up: the others may keep what they have
    for (const other of this.of(app.entry.id))
      if (this.steps > 1 && other !== app && other.lives.max > 0)
        this.apps.set(other.name, {...orStillEnded(other), lives: {...other.lives, min: 0}, mayBeOld: true})
    const isQuiet = app.lives.max === 0
    if (isSurelyAsleep(app)) return
    const mayHaveSlept = this.steps > 1 && app.phases.has('asleep')
    app.codes = new Set([...(isQuiet ? [] : app.codes), ...(mayHaveSlept ? [0] : []), code])
    app.isTouched = true
    if (app.phases.has('asleep')) {
      if (app.entry.keys.restart !== undefined) this.apps.set(name, this.renewed(app))
      else app.lives.min = this.least(app.lives.min)
    } else if (app.entry.keys.restart === undefined) {
      app.phases = new Set([...(isQuiet ? [] : app.phases), 'ended'])
      app.lives.min = 0 // it may have come too soon to be seen
    } else {
      const after = this.renewed({...app, phases: new Set(isQuiet ? ['ended'] : [...app.phases, 'ended'])})
      // one that has kept its process has kept what stood in the template, too
      const more: readonly Phase[] = isQuiet && !app.mayBeOld ? [] : isQuiet ? ['ended'] : [...app.phases, 'ended']
      const lives = app.mayBeOld ? {...after.lives, min: 0} : after.lives
      this.apps.set(name, {...after, lives, phases: new Set([...after.phases, ...more])})
    }
  }

  stop(id: string): void {
    for (const app of this.of(id)) {
      // an app that an edit brings may come after the command
      const mayComeLater = this.hasPendingEdit && (app.isNew || app.lives.max > 0)
      app.phases = new Set(['stopped', ...(mayComeLater ? app.phases : [])])
      app.lives.min = 0
      app.isTouched = true
    }
    // commands for apps that need it may fail
    const {apps} = this.followed
    for (const app of this.apps.values())
      if (app.entry.id !== id && this.underWay.has(app.entry.id) && withNeeded([app.entry.id], apps).has(id))
        app.phases = new Set([...app.phases, ...(this.#beforeCommands?.get(app.name)?.phases ?? [])])
  }

  /** The process of its first instance is ended; the user starts one. */
  debug(id: string): void {
    const app = this.apps.get(id)
    if (app === undefined) return
    app.phases = new Set(['debugged', ...(this.steps > 1 ? app.phases : [])])
    app.lives.min = 0
    app.isTouched = true
  }

  /** First what it depends on, unless it runs. */
  #startNeeded(id: string): void {
    const app = this.of(id)[0]
    // a command may come before the save that starts one that has crashed
    const mayHaveEnded = this.steps > 1 && this.of(id).some(each => each.isTouched && each.lives.max > 0)
    if (app === undefined || (!mayHaveEnded && this.of(id).every(each => isOnly(each, 'up', 'unready')))) return
    for (const [needed, condition] of dependsOn(app.entry)) {
      // one that is asleep is woken when the app starts, after what it needs itself
      if (this.of(needed).every(each => each.phases.has('asleep'))) {
        this.#startNeeded(needed)
        continue
      }
      if (this.of(needed).every(each => this.standingOf(each, condition) === 'met')) {
        // one that has crashed is started before its save is noticed, which then replaces it
        for (const each of this.of(needed))
          if (each.isTouched && each.lives.max > 0) each.lives = beforeSave(each, this.steps)
        continue
      }
      this.#startNeeded(needed)
      // before a save is noticed the app still runs, and needs nothing
      // a lazy app that is still awake needs nothing
      const mayBeUp = this.of(id).some(each => each.phases.has('up'))
      const isSure = this.steps <= 1 && !mayBeUp && this.of(needed).every(isFreelyStopped)
      for (const each of this.of(needed))
        if (!isOnly(each, 'up', 'unready', 'asleep')) this.apps.set(each.name, this.started(each, isSure))
    }
  }

  /** One for an app that an edit brings may come before the edit is noticed. */
  command(verb: 'start' | 'restart', id: string): void {
    const before = this.of(id).filter(({isNew}) => isNew && this.hasPendingEdit && this.steps > 1)
    if (verb === 'start') this.#start(id)
    else this.#restart(id)
    if (this.hasPendingEdit && this.steps > 1)
      mayStartEarly(id, this.before, [...this.apps.values(), ...this.gone.values()], folder => this.isBad(folder))
    for (const {name, phases} of before) {
      const app = this.apps.get(name)
      if (app === undefined) continue
      app.phases = new Set([...app.phases, ...phases])
      app.lives.min = 0
    }
  }

  #start(id: string): void {
    this.#startNeeded(id)
    for (const app of this.of(id)) {
      const {entry, name, phases} = app
      if (phases.has('asleep') && isOnly(app, 'up', 'asleep')) {
        this.wake(app)
        continue
      }
      if (isOnly(app, 'up', 'unready')) {
        if (app.lives.max > 0) app.lives = beforeSave(app, this.steps)
        continue
      }
      if (isOnly(app, 'waiting')) continue
      const isMet = this.standing(entry) === 'met'
      const mayRun = this.steps > 1 && phases.has('ended') && entry.kind !== 'one-shot'
      const after = this.started({...app, phases: new Set()}, isMet)
      this.apps.set(name, {
        ...after,
        phases: new Set([...after.phases, ...(mayRun ? phases : []), ...(isMet ? [] : ['waiting' as const])]),
        codes: new Set([...after.codes, ...(mayRun ? app.codes : [])]),
        lives: beforeSave(after, this.steps)
      })
    }
  }

  #restart(id: string): void {
    this.#startNeeded(id)
    const entry = this.of(id)[0]?.entry
    // one that has ended is started, after what it depends on
    if (entry !== undefined && this.of(id).some(app => app.phases.has('ended'))) this.wakeNeeded(entry, false)
    if (entry !== undefined)
      this.#rolled(entry, app => {
        if (isSurelyAsleep(app)) {
          this.wake(app)
          return app
        }
        const isStart = isOnly(app, 'stopped')
        // whether a restart of all starts the instance that was stopped alone is not said
        const isCertain = this.of(id).every(each => isOnly(each, 'stopped')) && this.standing(entry) === 'met'
        const after = isStart
          ? this.started(app, isCertain)
          : this.renewed({...app, phases: new Set([...app.phases].map(each => (each === 'stopped' ? 'up' : each)))})
        return {
          ...after,
          lives: beforeSave(after, this.steps),
          isTouched: after.isTouched || app.isTouched || !isOnly(app, 'up')
        }
      })
  }

  /** The ids of commands that may be under way, of what these need and of what needs them. */
  underWay = new Set<string>()

  /** The apps before the first of these commands. */
  #beforeCommands: ReadonlyMap<string, App> | undefined

  /** A command for an app was begun, and nobody waits for its end. */
  leave(id: string, before: ReadonlyMap<string, App>): void {
    const {apps} = this.followed
    this.#beforeCommands ??= before
    for (const needed of withNeeded([id], apps)) this.underWay.add(needed)
    for (const {id: each} of apps) if (withNeeded([each], apps).has(id)) this.underWay.add(each)
  }

  #forgetCommands(): void {
    this.underWay.clear()
    this.#beforeCommands = undefined
  }

  /** The apps as they are now, whatever becomes of them. */
  copy(): ReadonlyMap<string, App> {
    return new Map([...this.apps].map(([name, app]) => [name, {...app, lives: {...app.lives}}]))
  }

  /** What a step did may have come before or after what commands do that are under way, or in between. */
  blur(before: ReadonlyMap<string, App>): void {
    for (const [name, app] of this.apps) {
      if (!this.underWay.has(app.entry.id)) continue
      const after = orWaiting(either(app, before.get(name)))
      const codes = new Set([...after.codes, ...ANY_CODE])
      this.apps.set(name, {...after, codes, lives: {min: 0, max: Infinity}, isTouched: true})
    }
  }

  /** What was seen is taken as what is: the next step begins from there. */
  settle(seen: (app: App) => {readonly phase: Phase; readonly code: number}): void {
    this.steps = 0
    this.#forgetCommands()
    this.before = this.followed
    this.hasPendingEdit = false
    this.gone = new Map()
    this.called = new Set()
    for (const app of this.apps.values()) settled(app, seen(app))
  }
}
