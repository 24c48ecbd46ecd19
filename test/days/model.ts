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
    this.isUp = true
    this.followed = this.written
    this.apps = new Map(this.written.apps.map(entry => [entry.id, begun(entry)]))
  }

  /** Nothing of the run is left, however it ended. */
  over(): void {
    this.isUp = false
    this.apps = new Map()
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
      if (app.entry.folder === folder) {
        const after = this.#renewed(app)
        const {min, max} = after.lives
        const isStill = isOnly(app, 'stopped') || app.entry.kind === 'sidecar'
        this.apps.set(id, isStill ? after : {...after, lives: {min, max: max + times - 1}})
      }
  }

  /** `.env` in this folder was saved. Where the template names it, a comment in it changes nothing. */
  variable(folder: string, {isComment}: {readonly isComment: boolean}): void {
    for (const [id, app] of this.apps) {
      if (app.entry.folder !== folder || (app.entry.readsFile && isComment)) continue
      if (app.entry.readsFile) this.hasPendingEdit = true
      this.apps.set(id, {...this.#renewed(app), isTouched: app.isTouched || app.entry.readsFile})
    }
  }

  /** The process of an app has ended by itself. */
  crashed(id: string, code: number): void {
    const app = this.apps.get(id)
    if (app === undefined) return
    const wasQuiet = app.lives.max === 0
    app.phases = wasQuiet ? new Set(['ended']) : new Set([...app.phases, 'ended'])
    app.codes = new Set([...(wasQuiet ? [] : app.codes), code])
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
    if (app === undefined || isOnly(app, 'up')) return
    const isEither = this.steps > 1 && app.phases.has('ended')
    const phases = app.phases
    this.apps.set(id, {...this.#renewed({...app, phases: new Set(['up'])}), isTouched: true})
    const after = this.apps.get(id)
    if (after !== undefined && isEither && app.entry.kind !== 'job')
      after.phases = new Set([...after.phases, ...phases])
  }

  restart(id: string): void {
    const app = this.apps.get(id)
    if (app === undefined) return
    const wasDown = !isOnly(app, 'up')
    this.apps.set(id, {...this.#renewed({...app, phases: new Set(['up'])}), isTouched: app.isTouched || wasDown})
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

  /** Apps that are surely not stopped: without any the run ends. */
  get living(): readonly App[] {
    return [...this.apps.values()].filter(app => !app.phases.has('stopped'))
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
