import type {Skipped, SkippedTimer} from '../../../model/api.generated.ts'
import {formatGoDuration, parseGoDuration} from '../../../model/go-duration.ts'
import {MAX_SKIP_MS} from '../../../work/skip.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {print} from '../print.ts'
import {runFinder} from '../run-here.ts'
import {say} from '../say.ts'

/** `skip DURATION`: advances the run's clock of timers, jobs and reminders. */
export const skip: CommandHandler = async ({words, flags, asJson}) => {
  const ms = readSkip(words)
  const run = (await runFinder(flags, asJson)).find()
  const skipped = await run.api.ask('POST /skip', {body: {ms}})
  if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(skipped)}\n`)
  else show(skipped, ms, asJson)
  return 0
}

/** Reads a Go duration, which may begin with days (`7d`), in ms. Throws a UsageError. */
function readSkip(words: readonly string[]): number {
  const [word] = words
  if (word === undefined || words.length > 1) throw new UsageError(`accepts 1 arg(s), received ${words.length}`)
  const inHours = word.replace(/^(\d{1,6})d/, (_, days: string) => `${Number(days) * 24}h`)
  const ms = /[a-zµμ]$/.test(inHours) ? parseGoDuration(inHours) : ''
  if (typeof ms === 'number' && ms >= 1 && ms <= MAX_SKIP_MS) return Math.round(ms)
  throw new UsageError(`invalid argument "${word}": expected a duration up to a hundred years (90m, 36h, 7d)`)
}

function firedText({kind, name, id, eventId, actor}: SkippedTimer): string {
  switch (kind) {
    case 'reminder':
      return `${actor ?? ''}/${id}: reminder ${name} fires`
    case 'job':
      return `job ${name} comes`
    case 'timer':
      return `${name} ${id}: timer ${eventId ?? ''} fires`
    case 'start':
      return `${name} ${id}: starts`
  }
}

function show({fired, others, isSettled}: Skipped, ms: number, asJson: boolean): void {
  for (const each of fired)
    print(process.stdout, `+${formatGoDuration(each.afterMs)}  ${each.app}  ${firedText(each)}\n`)
  if (others > 0) print(process.stdout, `… ${others} more\n`)
  const text = `Skipped ${formatGoDuration(ms)}${fired.length === 0 ? ': nothing fell due' : ''}`
  say(process.stdout, 'info', text, asJson)
  if (!isSettled) say(process.stderr, 'warning', UNSETTLED, asJson)
}

const UNSETTLED = 'A worker or an app had not answered within 30 s: what it sets a time for comes later'
