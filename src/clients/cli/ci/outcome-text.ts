import {callTable} from '../call-table.ts'
import {hasFailed, type AppOutcome, type RunOutcome} from './outcome.ts'

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
