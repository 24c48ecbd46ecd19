import type * as Api from '../../src/model/api.generated.ts'
import {STATES, stateText, stateWord, type StateWord} from '../../src/model/app-words.ts'
import {endedWithRun} from './run.ts'

/** How an app is, for people: a sign and words, so that no colour is needed. */
export interface AppStatus {
  readonly word: StateWord
  readonly sign: string
  readonly tone: 'bad' | 'busy' | 'good' | 'off'
  /** `exited 1, waits for a save`. */
  readonly text: string
}

const ORDER: readonly string[] = Object.keys(STATES)

export const rankOf = (app: Api.App): number => ORDER.indexOf(wordOf(app))

/** An app that has ended with the run needs no person. */
export function wordOf(app: Api.App): StateWord {
  const word = stateWord(app)
  return word === 'down' && endedWithRun.value.has(app.id) ? 'stopped' : word
}

/** Whether it has ended without being asked to. */
export const isDown = (app: Api.App): boolean => ['looping', 'down', 'restarting'].includes(wordOf(app))

/** `now`: ms since 1970. */
export function statusOf(app: Api.App, now: number): AppStatus {
  const word = wordOf(app)
  const [sign, tone] = STATES[word]
  return {word, sign, tone, text: word === 'stopped' ? word : stateText(app, now)}
}
