import {isDeepStrictEqual} from 'node:util'
import type {Entry, Template} from './template.ts'

/**
 * `up`: it runs and is ready. `ended`: its process has ended by itself, and none follows until something changes. `stopped`:
 * by `pillion stop`.
 */
export type Phase = 'up' | 'ended' | 'stopped'

/** What must be true of an app of the run. */
export interface App {
  readonly entry: Entry
  /** Without a rest between two steps more than one may be right; what is seen then decides. */
  phases: ReadonlySet<Phase>
  /** How many processes of it may have begun since the last look. */
  lives: {min: number; max: number}
  /** Exit codes with which its last process may have ended. */
  codes: ReadonlySet<number>
  /** Since the last look its sidecar was opened or closed, or its process ended by itself. */
  isTouched: boolean
  /** An edit has added it since the last look. */
  isNew: boolean
}

/** A run of a template under `up --watch`, as the manual (reload.md, daily.md, template.md) describes it. */
export class Model {
  /** The template as it stands in its file. */
  written: Template
  /** The file has a mistake. */
  isBroken = false
  /** The template that the run follows: the last one without a mistake. */
  followed: Template
  apps = new Map<string, App>()
  /** Apps that edits have removed since the last look: they may come back before anybody has noticed. */
  gone = new Map<string, App>()
  isUp = false
  /** Steps were made since the last look. */
  steps = 0
  /** An edit of the template may not be noticed yet. */
  hasPendingEdit = false
  /** The text of `version.txt` in each folder, and of the variable in `.env`. */
  readonly texts = new Map<string, number>()
  readonly variables = new Map<string, number>()
  #count = 0

  constructor(template: Template) {
    this.written = template
    this.followed = template
    for (const {folder} of template.apps) this.texts.set(folder, 0)
    for (const {folder} of template.apps) this.variables.set(folder, 0)
  }

  /** A number that was not there before. */
  next(): number {
    return ++this.#count
  }

  /** `pillion up --watch`. */
  up(): void {
    const before = new Map([...this.gone, ...this.apps])
    this.isUp = true
    this.followed = this.written
    this.apps = new Map(
      this.written.apps.map(entry => {
        const app = begun(entry)
        const {min, max} = app.lives
        return [entry.id, {...app, lives: {min, max: max + (before.get(entry.id)?.lives.max ?? 0)}}]
      })
    )
    this.gone = new Map([...before].filter(([id]) => !this.apps.has(id)))
  }

  /** The template was saved. Added apps are started, removed ones are stopped, changed ones are restarted; others keep running. */
  edit(after: Template): void {
    this.written = after
    this.isBroken = false
    if (!this.isUp) return
    const before = this.followed
    this.followed = after
    this.hasPendingEdit = true
    const left = new Map<string, App>()
    for (const entry of after.apps) {
      const app = this.apps.get(entry.id)
      left.set(entry.id, app === undefined ? this.#added(entry) : this.#edited(app, entry, {before, after}))
    }
    for (const [id, app] of this.apps) if (!left.has(id)) this.gone.set(id, app)
    this.apps = left
  }

  #added(entry: Entry): App {
    const app = begun(entry)
    const before = this.gone.get(entry.id)
    if (before === undefined) return {...app, lives: {min: this.#least(app.lives.max), max: app.lives.max}}
    return {
      ...app,
      phases: new Set([...app.phases, ...before.phases]),
      lives: {min: 0, max: before.lives.max + app.lives.max},
      codes: new Set([...app.codes, ...before.codes])
    }
  }

  #edited(app: App, entry: Entry, {before, after}: {readonly before: Template; readonly after: Template}): App {
    const [was, is] = [wholeOf(app.entry, before), wholeOf(entry, after)]
    if (isDeepStrictEqual(was, is)) return {...app, entry}
    const changed = {...app, entry, isTouched: true}
    return this.#renewed(changed, {isCertain: !isDeepStrictEqual(withoutWatch(was), withoutWatch(is))})
  }

  /** A new process, unless the app is stopped. */
  #renewed(app: App, {isCertain = true}: {readonly isCertain?: boolean} = {}): App {
    if (isOnly(app, 'stopped') || app.entry.kind === 'sidecar') return app
    const {lives, phases} = app
    const fresh = freshOf(app.entry)
    const max = lives.max + 1
    return {
      ...app,
      isTouched: app.isTouched || !isOnly(app, 'up'),
      lives: {min: isCertain && !phases.has('stopped') ? this.#least(max) : lives.min, max},
      phases: new Set([
        ...(isCertain ? [fresh] : [...phases, fresh]),
        ...(phases.has('stopped') ? ['stopped' as const] : [])
      ]),
      codes: app.entry.kind === 'job' ? new Set([...app.codes, 0]) : app.codes
    }
  }

  /** With a rest after each step each cause has its process; without one, several causes may share one. */
  #least(max: number): number {
    return this.steps <= 1 ? max : 0
  }

  /** Files of this folder have changed `times` apart. */
  saved(folder: string, times = 1): void {
    for (const [id, app] of this.apps)
      if (app.entry.folder === folder && !isOnly(app, 'stopped') && app.entry.kind !== 'sidecar') {
        // a job that is done is not done again by a save; one that is under way begins anew
        const isDone = app.entry.kind === 'job'
        if (isDone && this.steps <= 1 && !('watch' in app.entry.keys || 'watch' in this.followed.commonKeys)) continue
        const after = this.#renewed(app, {isCertain: !isDone})
        const {min, max} = after.lives
        this.apps.set(id, {...after, lives: {min, max: max + times - 1}})
      }
  }

  /** `.env` in this folder was saved. Where the template names it, a comment in it changes nothing. */
  variable(folder: string, {isComment}: {readonly isComment: boolean}): void {
    for (const [id, app] of this.apps) {
      if (app.entry.folder !== folder || (app.entry.readsFile && isComment)) continue
      if (app.entry.readsFile) this.hasPendingEdit = true
      if (app.entry.readsFile) this.apps.set(id, {...this.#renewed(app), isTouched: true})
    }
    if ([...this.apps.values()].some(({entry}) => entry.folder === folder && !entry.readsFile)) this.saved(folder)
  }

  /** The process of an app has ended by itself. */
  crashed(id: string, code: number): void {
    const app = this.apps.get(id)
    if (app === undefined) return
    const wasQuiet = app.lives.max === 0
    app.phases = wasQuiet ? new Set(['ended']) : new Set([...app.phases, 'ended'])
    app.codes = new Set([...(wasQuiet ? [] : app.codes), code])
    app.lives.min = 0 // it may have come too soon to be seen
    app.isTouched = true
  }

  stop(id: string): void {
    const app = this.apps.get(id)
    if (app === undefined) return
    // an app that an edit brings may come after the command
    app.phases = new Set(['stopped', ...(this.hasPendingEdit && app.lives.max > 0 ? app.phases : [])])
    app.lives.min = 0
    app.isTouched = true
  }

  start(id: string): void {
    const app = this.apps.get(id)
    if (app === undefined) return
    if (isOnly(app, 'up')) {
      if (app.lives.max > 0) app.lives = this.#beforeSave(app)
      return
    }
    const mayRun = this.steps > 1 && app.phases.has('ended') && app.entry.kind !== 'job'
    const after = this.#renewed({...app, phases: new Set(['up'])})
    this.apps.set(id, {
      ...after,
      phases: mayRun ? new Set([...after.phases, ...app.phases]) : after.phases,
      lives: this.#beforeSave(after),
      isTouched: true
    })
  }

  restart(id: string): void {
    const app = this.apps.get(id)
    if (app === undefined) return
    const after = this.#renewed({...app, phases: new Set(['up'])})
    const isTouched = app.isTouched || !isOnly(app, 'up')
    this.apps.set(id, {...after, lives: this.#beforeSave(after), isTouched})
  }

  /** What is started before a save is noticed may be started by the save again. */
  #beforeSave({lives: {min, max}}: App): App['lives'] {
    return {min, max: this.steps > 1 ? max + 1 : max}
  }

  /** What was seen is taken as what is: the next step begins from there. */
  settle(seen: (id: string) => Phase): void {
    this.steps = 0
    this.hasPendingEdit = false
    this.gone = new Map()
    for (const [id, app] of this.apps) {
      app.phases = new Set([seen(id)])
      app.lives = {min: 0, max: 0}
      app.isTouched = false
      app.isNew = false
    }
  }

  /** Apps that surely keep the run alive: neither stopped nor done. A watched one that has crashed has not ended. */
  get living(): readonly App[] {
    return [...this.apps.values()].filter(({entry, phases}) => !phases.has('stopped') && entry.kind !== 'job')
  }
}

export const isOnly = ({phases}: App, phase: Phase): boolean => phases.size === 1 && phases.has(phase)

const freshOf = ({kind}: Entry): Phase => (kind === 'job' ? 'ended' : 'up')

const begun = (entry: Entry): App => ({
  entry,
  phases: new Set([freshOf(entry)]),
  lives: entry.kind === 'sidecar' ? {min: 0, max: 0} : {min: 1, max: 1},
  codes: new Set([0]),
  isTouched: true,
  isNew: true
})

/** An entry with what `common` gives it. */
const wholeOf = (entry: Entry, {common, commonKeys}: Template): Entry => ({
  ...entry,
  env: {...common, ...entry.env},
  keys: {...commonKeys, ...entry.keys}
})

/** Whether an edit of `watch` alone restarts an app is not said. */
const withoutWatch = (entry: Entry): Entry => ({...entry, keys: {...entry.keys, watch: undefined}})
