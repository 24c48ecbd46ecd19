import {resolve} from 'node:path'
import type {AskedRun} from '../../control/run-file.ts'
import {fnv1a} from '../../model/fnv1a.ts'
import type {Plan} from '../../model/plan.ts'
import type {CommandContext} from './command-handler.ts'

/** The exit code of an `up` that yields to another start, or cannot use another run. */
export const EXIT_YIELDED = 75

/**
 * How an `up` answers if its run exists already: `attach` shows the run on this terminal, `report` describes it, `wait` waits until it is
 * ready, `yield` leaves the answer to the process that started this one, and `use` (`up --run`) yields unless its command can use the run.
 */
export type SecondUp = 'attach' | 'report' | 'wait' | 'yield' | 'use'

/** Flags that do not change a run: how it is shown, and how long a command waits for it. `--name` and the template select it. */
const SAME_RUN =
  'background dashboard detach log-as-json log-style name output run-file runtime-path timeout timestamps'.split(' ')

/** Identifies a command line and its template; without a plan by its flags alone. */
export function askedRun({flags, words}: CommandContext, plan?: Plan): AskedRun {
  const more = flags.list('run-file').slice(1)
  const asked = [
    ...flags.typed(SAME_RUN),
    ...more.map(file => `--run-file=${resolve(file)}`),
    // words after the flag: `--only a b` is `--only=a --only=b`
    ...words.map(word => `--${flags.names.includes('only') ? 'only' : 'except'}=${word}`)
  ]
  return {flags: [...new Set(asked.toSorted())], ...(plan && {parts: partsOf(plan)})}
}

/** Returns a hash of each app, by its id, and of each top-level key that only has an effect at the start of a run. */
function partsOf({apps, leftOut = [], atStart = {}}: Plan): Readonly<Record<string, string>> {
  const all = Map.groupBy([...apps, ...leftOut], ({id}) => id)
  return Object.fromEntries(
    [...all, ...Object.entries(atStart)].map(([key, value]) => [
      key,
      fnv1a(Buffer.from(JSON.stringify(value))).toString(36)
    ])
  )
}
