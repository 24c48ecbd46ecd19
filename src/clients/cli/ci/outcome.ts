import type * as Api from '../../../model/api.generated.ts'
import type {Place} from '../../../model/errors.ts'
import {callTable} from '../call-table.ts'

/** A step of `up --run`, or a check of the whole run. */
export interface RunCheck {
  readonly name: string
  readonly tookMs: number
  /** The failure; may be empty. */
  readonly failure: string
}

/** The state of an app (one instance) when the command had finished. */
export interface AppOutcome {
  readonly id: string
  /** The name, with a number if it is not the first instance. */
  readonly name: string
  /** The state as in `ps`: `ready`, `exited 3`. */
  readonly state: string
  readonly isReady: boolean
  /** Whether the app will not become ready by itself. */
  readonly isOver: boolean
  /** Why calls to it wait, or fail; empty if they do not. */
  readonly reason: string
  readonly place: Place | undefined
  readonly logFile: string
  readonly sidecarLogFile: string
  readonly deaths: readonly Api.Death[]
  readonly lines: readonly string[]
}

/** The result of `up --run`. */
export interface RunOutcome {
  readonly template: string
  readonly command: string
  readonly startedAt: Date
  readonly exitCode: number
  readonly checks: readonly RunCheck[]
  readonly apps: readonly AppOutcome[]
  /** The latest calls that failed, the latest first. */
  readonly failedCalls: readonly Api.Call[]
}

/** An app failed if it crashed, or is not ready while the run needs it. */
export const hasFailed = ({isReady, deaths}: AppOutcome): boolean => !isReady || deaths.length > 0

/** Returns the failure of an app, in one line. */
export function appFailure({name, isReady, reason, state, deaths}: AppOutcome): string {
  const death = deaths.at(-1)
  if (death !== undefined) return death.text
  if (isReady) return ''
  return reason === '' ? `"${name}" is not ready: it is ${state}` : reason
}

/** `0.42 s`, `61.0 s`. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`

const CALLS = 5

/** Explains a failure: the apps that failed with their last lines, and the latest calls that failed. Returns an empty string for a success. */
export function outcomeText({apps, failedCalls, exitCode}: RunOutcome): string {
  const failed = apps.filter(hasFailed)
  // after a permanent failure the others had no time to become ready: one line each is enough
  const short = failed.every(isWaiting) ? [] : failed.filter(isWaiting)
  const parts = failed.filter(app => !short.includes(app)).map(appText)
  if (short.length > 0) parts.push(short.map(({name, state}) => `"${name}": ${state}\n`).join(''))
  if (exitCode !== 0 && failedCalls.length > 0)
    parts.push(
      `The latest calls that failed:\n${indented(callTable(failedCalls.slice(0, CALLS).toReversed(), Infinity))}`
    )
  return parts.map(part => `\n${part}`).join('')
}

/** Whether an app had no time to become ready, and has not crashed. */
const isWaiting = ({isOver, deaths}: AppOutcome): boolean => !isOver && deaths.length === 0

function appText({name, state, reason, deaths, lines, logFile}: AppOutcome): string {
  const death = deaths.at(-1)
  const inside = death?.inside ?? []
  // the exit explains a crash loop; the state of the next process does not
  const isAgain = death !== undefined && ['starting', 'not ready'].includes(state)
  const why = isAgain ? death.text : reason
  const crashes = `crashed ${times(deaths.length)}`
  return [
    `"${name}": ${isAgain ? `${crashes}, now ${state}` : death === undefined ? state : `${state}, ${crashes}`}\n`,
    why === '' ? '' : indented(`${why}\n`),
    inside.length === 0 ? '' : `In flight when it exited:\n${indented(callTable(inside, Infinity))}`,
    lines.length === 0 ? 'It wrote nothing.\n' : `Its last lines:\n${indented(`${lines.join('\n')}\n`)}`,
    logFile === '' ? '' : `The whole log: ${logFile}\n`
  ].join('')
}

const times = (count: number): string => ['', 'once', 'twice'][count] ?? `${count} times`

export const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ')

/* oxlint-disable no-control-regex -- control characters are what is sought */

/** Escape sequences of terminals: CSI, OSC and other strings, and the short ones (ECMA-48). */
const SEQUENCE =
  /\x1b(?:\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x20-\x2f]*[\x30-\x7e])/g
/** Characters that XML 1.0 does not allow (2.2), C1 controls, and halves of surrogate pairs. */
const FORBIDDEN =
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Converts output of an app to text for reports: without colours and control characters; invalid bytes become U+FFFD. */
export const plainText = (text: string): string =>
  text.replace(SEQUENCE, '').replace(/\r\n?/g, '\n').replace(FORBIDDEN, '\ufffd')
