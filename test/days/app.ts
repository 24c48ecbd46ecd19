import {dependsOn, isNeverReady, sleeps, type Entry} from './template.ts'

/**
 * `up`: it runs and is ready; `unready`: it runs and is not. `ended`: its process has ended by itself, and none follows until
 * something changes. `waiting` for what it depends on. `stopped` by `pillion stop`, or left out of the run. `debugged`: the
 * user starts it, after `pillion debug`; `excepted`: after `up --except`. `asleep`: something that needs it starts it; at the next look it
 * has fallen asleep again.
 */
export type Phase = 'up' | 'asleep' | 'unready' | 'ended' | 'waiting' | 'stopped' | 'debugged' | 'excepted'

/** What must be true of an app of the run: of one instance, where it has several. */
export interface App {
  /** `a`, and `a.2` for its second instance. */
  readonly name: string
  readonly entry: Entry
  /** Without a rest between two steps more than one may be right; what is seen then decides. */
  phases: ReadonlySet<Phase>
  /** How many processes of it may have begun since the last look. */
  lives: {min: number; max: number}
  /** Exit codes with which its last process may have ended. */
  codes: ReadonlySet<number>
  /** Its process may have what stood in files and template before: the next one did not come up. */
  mayBeOld: boolean
  /** Since the last look its sidecar was opened or closed for good, or its process ended by itself. */
  isTouched: boolean
  /** Since the last look an edit may have closed it and opened it again: calls wait, streams end. */
  isReopened: boolean
  /** Its process had ended before what should start it: an edit may be undone before it is noticed, and a turn may not come. */
  hadEnded: boolean
  /** Saves since the last look while it was a one-shot app that is done: noticed after what comes next, they are for its next process. */
  lateSaves: number
  /** An edit has added it since the last look. */
  isNew: boolean
  /** It is asleep, was needed, and may wait for what it depends on. */
  mayWait: boolean
}

/** 16 short-lived processes in a row, and it is given up. */
export const LOOP = 16
/** What its folder makes of a process at once: it exits with this code. */
export const BAD_CODE = 3

/** Phases without a process of ours: a save or an edit starts nothing. */
const IDLE: ReadonlySet<Phase> = new Set<Phase>(['stopped', 'debugged', 'excepted', 'waiting'])

export const isOnly = ({phases}: App, ...all: readonly Phase[]): boolean =>
  [...phases].every(each => all.includes(each))

/** Stopped, and nothing keeps it from being started. */
export const isFreelyStopped = (app: App): boolean => isOnly(app, 'stopped') && dependsOn(app.entry).length === 0

/** It has had no process since the last look. */
export const isSurelyAsleep = (app: App): boolean => isOnly(app, 'asleep') && app.lives.max === 0

/** Its last process may have failed. */
export const hasFailed = ({codes}: App): boolean => [...codes].some(code => code !== 0)

export const isIdle = (app: App): boolean => isOnly(app, ...IDLE)

export const idlePhases = ({phases}: App): readonly Phase[] => [...phases].filter(each => IDLE.has(each))

/** An app without a process, in this phase. */
export const resting = (name: string, entry: Entry, phase: Phase): App => ({
  name,
  entry,
  phases: new Set([phase]),
  lives: {min: 0, max: 0},
  codes: new Set([0]),
  mayBeOld: false,
  isTouched: true,
  isReopened: false,
  hadEnded: false,
  lateSaves: 0,
  isNew: true,
  mayWait: false
})

/** What should have started it may come to nothing. */
export const orStillEnded = (app: App): App =>
  app.hadEnded ? {...app, phases: new Set([...app.phases, 'ended']), lives: {...app.lives, min: 0}} : app

/** If it is started at all, it may have to wait for what it depends on. */
export const orWaiting = (app: App): App =>
  dependsOn(app.entry).length === 0 ? app : {...app, phases: new Set([...app.phases, 'waiting'])}

/** What was seen is what is. */
export function settled(app: App, {phase, code}: {readonly phase: Phase; readonly code: number}): void {
  // one that is awake for others falls asleep when these need it no more
  app.phases = new Set(phase === 'up' && sleeps(app.entry) ? ['up', 'asleep'] : [phase])
  if (phase === 'ended') app.codes = new Set([code])
  if (phase === 'asleep') app.codes = new Set([Math.max(0, code)])
  app.lives = {min: 0, max: 0}
  app.isTouched = false
  app.isReopened = false
  app.hadEnded = false
  app.lateSaves = 0
  app.isNew = false
}

/** What is started before a save is noticed may be started by the save again. */
export const beforeSave = ({lives: {min, max}}: App, steps: number): App['lives'] => ({
  min,
  max: steps > 1 ? max + 1 : max
})

/** What a new process of it becomes. */
export interface Fresh {
  readonly phase: Phase
  readonly code: number
  /** The least and the most processes that this takes. */
  readonly min: number
  readonly max: number
}

/** `isBad`: what its folder has lets each process exit at once. */
export function freshOf(entry: Entry, isBad: boolean): Fresh {
  const {kind, keys} = entry
  if (kind === 'sidecar') return {phase: 'up', code: 0, min: 0, max: 0}
  const resting = sleeps(entry) ? 'asleep' : 'up'
  if (isBad)
    return {
      phase: sleeps(entry) ? 'asleep' : 'ended',
      code: BAD_CODE,
      min: 1,
      max: keys.restart === undefined ? 1 : LOOP
    }
  if (kind === 'one-shot') return {phase: 'ended', code: 0, min: 1, max: 1}
  return {phase: isNeverReady(entry) ? 'unready' : resting, code: 0, min: 1, max: 1}
}

/** Whether all, none or some of what may be true meets what an app waits for. */
export type Standing = 'met' | 'unmet' | 'maybe'

const PHASES_MEETING: Readonly<Record<string, readonly Phase[]>> = {started: ['up', 'unready'], ready: ['up']}
/** They may have met it before, or be started again. */
const PHASES_UNSURE: readonly Phase[] = ['ended', 'stopped', 'debugged', 'excepted']

/** Whether an app meets the condition of another one that depends on it. */
export function standingOf(app: App, condition: string): Standing {
  const {phases, codes} = app
  if (condition === 'completed') {
    if (!phases.has('ended')) return isOnly(app, 'stopped') ? 'maybe' : 'unmet'
    if (phases.size > 1 || (codes.size > 1 && codes.has(0))) return 'maybe'
    return codes.has(0) ? 'met' : 'unmet'
  }
  const meeting = PHASES_MEETING[condition] ?? []
  if (isOnly(app, ...meeting)) return 'met'
  return [...phases].some(each => meeting.includes(each) || PHASES_UNSURE.includes(each)) ? 'maybe' : 'unmet'
}

/** What may be as any of these says, with the processes of all: the entry is that of the first. */
export function either(app: App, ...others: readonly (App | undefined)[]): App {
  const all = [app, ...others.filter(other => other !== undefined)]
  return {
    ...app,
    phases: new Set(all.flatMap(({phases}) => [...phases])),
    codes: new Set(all.flatMap(({codes}) => [...codes])),
    lives: {min: 0, max: all.reduce((sum, {lives}) => sum + lives.max, 0)}
  }
}

export const worstOf = (all: readonly Standing[]): Standing =>
  all.includes('unmet') ? 'unmet' : all.includes('maybe') ? 'maybe' : 'met'

/** Why an app may have another process: for sure, and by an edit of the template. */
export interface Renewal {
  readonly isCertain?: boolean
  readonly isEdit?: boolean
}
