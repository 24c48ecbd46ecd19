import type {App} from './api.generated.ts'
import {loopText} from './exit-loop.ts'
import {WAITS_FOR_SAVE} from './exit-text.ts'

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

/** `ready`, `waits for db`, `exited 2, waits for a save`, `restarting in 4 s`, `keeps exiting: 8 times in 60 s, each after 2 s`. */
export function stateText(app: Judged, now: number): string {
  const {state, isReady, exitCode, exit, restartsAt, waitsFor, loop} = app
  if (loop !== null) return loopText(loop)
  switch (state) {
    case 'idle':
      return waitsFor.length === 0 ? 'not started' : `waits for ${waitsFor.join(', ')}`
    case 'running':
      return isReady ? 'ready' : 'not ready'
    case 'backoff':
      if (restartsAt === null) return `${exitWord(exitCode, exit)}, ${WAITS_FOR_SAVE}`
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
