import type * as Api from '../../src/model/api.generated.ts'
import * as words from '../../src/model/app-words.ts'
import {STATES, stateCell, stateText, stateWord, type StateWord} from '../../src/model/app-words.ts'
import {endedWithRun} from './run.ts'

/** The state of an app as a sign and words, so that it does not depend on colour. */
export interface AppStatus {
  readonly word: StateWord
  readonly sign: string
  readonly tone: 'bad' | 'busy' | 'good' | 'off'
  /** A text such as `looping ×8`, for a cell. */
  readonly cell: string
  /** A text such as `exited 1, waits for a save`. */
  readonly text: string
}

export const rankOf = (app: Api.App): number => words.rankOf(wordOf(app))

/** Returns the state of an app in a word; an app that ended together with the run is 'stopped', not 'down'. */
export function wordOf(app: Api.App): StateWord {
  const word = stateWord(app)
  return word === 'down' && endedWithRun.value.has(app.id) ? 'stopped' : word
}

/** Returns whether the app's process has ended unasked. */
export const isDown = (app: Api.App): boolean => ['looping', 'down', 'restarting'].includes(wordOf(app))

/** Returns the state of an app as it is shown; `now`: in ms since 1970. */
export function statusOf(app: Api.App, now: number): AppStatus {
  const word = wordOf(app)
  const [sign, tone] = STATES[word]
  if (word === 'stopped') return {word, sign, tone, cell: word, text: word}
  return {word, sign, tone, cell: stateCell(app, now), text: stateText(app, now)}
}
