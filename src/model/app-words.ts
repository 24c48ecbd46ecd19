import type {App} from './api.generated.ts'
import {isUsable} from './availability.ts'
import {loopText, WAITS_FOR_SAVE} from './exit-text.ts'

/**
 * Words for an app's state that terminal, page, events and agents share, each with a sign, so that no colour is needed, and with
 * a judgement. Trouble comes first: lists of apps have this order (docs/states.md).
 */
export const STATES = {
  looping: ['▲', 'bad'],
  down: ['✕', 'bad'],
  restarting: ['▲', 'bad'],
  'not ready': ['◐', 'busy'],
  stopping: ['↻', 'busy'],
  starting: ['◐', 'busy'],
  waiting: ['◌', 'busy'],
  'in debugger': ['◆', 'off'],
  ready: ['●', 'good'],
  asleep: ['◌', 'off'],
  finished: ['○', 'off'],
  stopped: ['■', 'off']
} as const satisfies Record<string, readonly [sign: string, tone: 'bad' | 'busy' | 'good' | 'off']>

export type StateWord = keyof typeof STATES

type Judged = Pick<App, 'state' | 'isReady' | 'availability' | 'exitCode' | 'exit' | 'restartsAt' | 'waitsFor' | 'loop'>

export function stateWord({state, isReady, availability, exitCode, restartsAt, loop}: Judged): StateWord {
  if (loop !== null) return 'looping'
  switch (state) {
    case 'idle':
      return 'waiting'
    case 'running':
      return isReady ? 'ready' : 'not ready'
    case 'backoff':
      if (restartsAt !== null) return 'restarting'
      return availability === 'finished' ? 'finished' : 'down'
    case 'exited':
      if (availability === 'finished') return 'finished'
      return exitCode === null || exitCode === 0 ? 'stopped' : 'down'
    case 'debugging':
      return 'in debugger'
    case 'removed':
      return 'stopped'
    case 'starting':
    case 'stopping':
    case 'asleep':
    case 'stopped':
      return state
  }
}

const ORDER = Object.keys(STATES)

/** Returns the place of a state in lists of apps. */
export const rankOf = (word: StateWord): number => ORDER.indexOf(word)

/** Sorts apps in a bad state first, the worst before others. Other apps keep their order, so that a restart does not move rows. */
export function troubleFirst<T>(rows: readonly T[], wordOf: (row: T) => StateWord): readonly T[] {
  const placeOf = (row: T): number => (STATES[wordOf(row)][1] === 'bad' ? rankOf(wordOf(row)) : ORDER.length)
  return rows.toSorted((a, b) => placeOf(a) - placeOf(b))
}

/** Returns whether an app is ready, asleep or finished, and not between two exits of a loop. */
export const isUp = ({availability, loop}: Judged): boolean => isUsable(availability) && loop === null

/** Returns the apps that the user has asked for, and has not stopped. */
export const wanted = <T extends Judged>(apps: readonly T[]): readonly T[] =>
  apps.filter(({availability}) => availability !== 'stopped')

/** `10 of 12 ready · 1 looping · 1 down`. */
export function summaryText(apps: readonly Judged[]): string {
  const all = wanted(apps)
  const bad = Map.groupBy(all.map(stateWord), word => word)
  const troubles = Object.entries(STATES).flatMap(([word, [, tone]]) => {
    const count = bad.get(word as StateWord)?.length ?? 0
    return tone === 'bad' && count > 0 ? [`${count} ${word}`] : []
  })
  return [`${all.filter(isUp).length} of ${all.length} ready`, ...troubles].join(' · ')
}

/** `ready`, `exited 2, waits for a save`, `keeps exiting: 8 times in 60 s, each within 2 s`. */
export function stateText(app: Judged, now: number): string {
  if (app.loop !== null) return loopText(app.loop)
  const isHeld = app.state === 'backoff' && app.restartsAt === null
  return `${stateCell(app, now)}${isHeld ? `, ${WAITS_FOR_SAVE}` : ''}`
}

/** Returns a state as tables show it: `ready`, `waits for db`, `exited 2`, `restarting in 4 s`, `looping ×8`. */
export function stateCell({state, isReady, exitCode, exit, restartsAt, waitsFor, loop}: Judged, now: number): string {
  if (loop !== null) return `looping ×${loop.exits}`
  switch (state) {
    case 'idle':
      return waitsFor.length === 0 ? 'not started' : `waits for ${waitsFor.join(', ')}`
    case 'running':
      return isReady ? 'ready' : 'not ready'
    case 'backoff':
      if (restartsAt === null) return exitWord(exitCode, exit)
      return `restarting in ${Math.max(0, Math.ceil((Date.parse(restartsAt) - now) / 1000))} s`
    case 'exited':
      return exitCode === null ? 'not started' : exitWord(exitCode, exit)
    case 'debugging':
      return 'in debugger'
    case 'asleep':
      return waitsFor.length === 0 ? 'asleep' : `waits for ${waitsFor.join(', ')}`
    case 'starting':
    case 'stopping':
    case 'stopped':
    case 'removed':
      return state
  }
}

/** `exited 2`, `ended by SIGKILL`. */
const exitWord = (code: number | null, exit: string): string =>
  /^was (ended by SIG\w+)$/.exec(exit)?.[1] ?? `exited ${code ?? 0}`

/** Explains in one sentence each what blocks calls, work or events of a running app (docs/states.md). */

export const breakerText = (name: string, breaker: App['circuitBreakers'][number]): string =>
  `circuit breaker ${breaker.name} of "${name}" is ${breaker.state}`

export const waitingWorkText = (name: string, count: number): string =>
  count === 1
    ? `1 step of a workflow waits for a worker of "${name}"`
    : `${count} steps of workflows wait for a worker of "${name}"`

export const waitingEventsText = (name: string, count: number): string =>
  `${count} events wait in memory for "${name}" to take them`

/** `48 MB`, `1.2 GB`: units of 1024, as `docker stats` and `top` have them. */
export function memoryText(bytes: number): string {
  const mega = bytes / 1024 / 1024
  return mega < 1024 ? `${Math.round(mega)} MB` : `${(mega / 1024).toFixed(1)} GB`
}

/** Returns the name of a run for people: its template's name or folder, and `--name` if that differs. */
export function shownNameOf({template: {name, file}, name: called}: NamedRun): string {
  const folder = file.split('/').at(-2) ?? ''
  const own = name || folder
  return called === '' || called === folder || called === own ? own : [own, called].filter(Boolean).join(' · ')
}

interface NamedRun {
  readonly name: string
  readonly template: {readonly name: string; readonly file: string}
}
