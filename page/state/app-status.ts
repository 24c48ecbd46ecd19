import type * as Api from '../../src/model/api.generated.ts'
import {ago, duration} from '../parts/format.ts'
import {deaths, endedWithRun} from './run.ts'

/** How an app is, for people: a shape and a word, so that no colour is needed. */
export interface AppStatus {
  readonly word: Word
  readonly shape: string
  readonly tone: 'bad' | 'busy' | 'good' | 'off'
  /** '' = there is none. */
  readonly reason: string
}

/** In the order in which they are shown: troubles first. */
export const WORDS = {
  crashed: ['✕', 'bad'],
  backoff: ['▲', 'bad'],
  'not ready': ['◐', 'busy'],
  stopping: ['↻', 'busy'],
  starting: ['◐', 'busy'],
  waiting: ['◌', 'busy'],
  debugging: ['◆', 'off'],
  ready: ['●', 'good'],
  exited: ['○', 'off'],
  stopped: ['■', 'off']
} as const satisfies Record<string, readonly [string, AppStatus['tone']]>

export type Word = keyof typeof WORDS

const ORDER = Object.keys(WORDS)

export const rankOf = (app: Api.App): number => ORDER.indexOf(wordOf(app))

export function wordOf({id, state, isReady, availability, exitCode}: Api.App): Word {
  if (availability === 'finished') return 'exited'
  if (state === 'exited')
    return exitCode === 0 || exitCode === null || endedWithRun.value.has(id) ? 'exited' : 'crashed'
  if (state === 'idle') return 'waiting'
  if (state === 'running') return isReady ? 'ready' : 'not ready'
  return ORDER.includes(state) ? (state as Word) : 'starting'
}

/** It has ended, and nobody asked for that. */
export const isDown = (app: Api.App): boolean => ['crashed', 'backoff'].includes(wordOf(app))

/** `now`: ms since 1970. */
export function statusOf(app: Api.App, now: number): AppStatus {
  const word = wordOf(app)
  const [shape, tone] = WORDS[word]
  return {word, shape, tone, reason: reasonOf(app, word, now)}
}

function reasonOf(
  {id, state, exit, restartsAt, restarts, waitsFor, appPort}: Api.App,
  word: Word,
  now: number
): string {
  if (word === 'crashed') {
    const at = deaths.value.get(id)?.at
    return exit.replace(/^exited with /, 'exit ') + (at === undefined ? '' : `, ${ago(now - Date.parse(at))}`)
  }
  if (word === 'exited' && state === 'backoff') return 'starts again when its files change'
  if (word === 'backoff') {
    if (restartsAt === null) return `${exit}, starts when its files change`
    return `again in ${duration(Math.max(0, Date.parse(restartsAt) - now))} (${restarts} restarts)`
  }
  if (word === 'waiting') return waitsFor.length === 0 ? '' : `for ${waitsFor.join(', ')}`
  if (word === 'not ready' || word === 'starting') return appPort > 0 ? `port ${appPort} is not open yet` : ''
  return ''
}
