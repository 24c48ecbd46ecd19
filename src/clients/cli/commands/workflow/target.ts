import type {FoundRun} from '../../../../control/client.ts'
import {type CommandContext, UsageError} from '../../command-handler.ts'
import {runFinder} from '../../run-here.ts'
import {parseGoDuration} from '../../../../model/go-duration.ts'
import {readTime} from '../../../../model/duration.ts'

/** Finds the run of a subcommand: with `--app-id` the run of that app. Throws a UserError. */
export const runOf = async ({flags, asJson}: CommandContext): Promise<FoundRun> =>
  (await runFinder(flags, asJson)).find(flags.text('app-id'))

/** Returns `--app-id` as a field of a request to the run's API. */
export const appIn = ({flags}: CommandContext): {readonly app?: string} => {
  const app = flags.text('app-id')
  return app === undefined ? {} : {app}
}

/** Returns the only argument. Throws a UsageError in cobra's words. */
export function onlyWord({words}: CommandContext): string {
  const [word] = words
  if (word !== undefined && words.length === 1) return word
  throw new UsageError(`accepts 1 arg(s), received ${words.length}`)
}

/** A date with an optional time of day, which has an optional zone. Default: 00:00 in UTC. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/i

/** Reads a time, or a Go duration (`1h30m`) from now, with `isPast` before now. Returns ms since 1970. Throws a UsageError. */
export function readMoment(text: string, flag: string, {isPast, now}: {isPast: boolean; now: number}): number {
  const duration = /[a-zµμ]$/.test(text) ? parseGoDuration(text) : ''
  if (typeof duration === 'number') return isPast ? now - duration : now + duration
  const [, day = '', hour = '00:00', zone = 'Z'] = TIME.exec(text) ?? []
  const time = readTime(`${day}T${hour}${zone}`)
  if (!Number.isNaN(time)) return time
  throw new UsageError(
    `invalid argument "${text}" for "--${flag}" flag: expected a duration (2h45m) or a time (2023-01-02T15:04:05Z)`
  )
}
