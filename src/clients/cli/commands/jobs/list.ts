import type {Job} from '../../../../model/api.generated.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import {relativeTime} from '../../age.ts'
import {oneLine} from '../../../../observe/api/export/exporter.ts'
import {print} from '../../print.ts'
import {say} from '../../say.ts'
import {tableOf} from '../../table.ts'
import {appIn, runOf} from '../workflow/target.ts'
import {allJobs} from './all-jobs.ts'

/** `jobs list`: the jobs of one app, or of all apps of a run. */
export const jobsList: CommandHandler = async context => {
  const {flags, words, asJson} = context
  if (words.length > 0) throw new UsageError(`unknown command "${words[0] ?? ''}" for "pillion jobs list"`)
  const {now, jobs} = await allJobs(await runOf(context), appIn(context))
  if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(jobs)}\n`)
  else if (jobs.length === 0) say(process.stderr, 'info', 'No job is scheduled', asJson)
  else print(process.stdout, tableText(jobs, Date.parse(now)))
  return 0
}

const tableText = (jobs: readonly Job[], now: number): string => {
  const time = (at: string | null): string => (at === null ? '' : relativeTime(Date.parse(at), now))
  return tableOf([
    ['NAME', jobs.map(({app, name}) => `${app}/${name}`)],
    ['PLAN', jobs.map(({schedule, dueTime}) => schedule ?? dueTime ?? '')],
    ['BEGIN', jobs.map(({begin}) => time(begin))],
    ['COUNT', jobs.map(({count, repeats}) => (repeats === null ? `${count}` : `${count} of ${repeats}`))],
    ['LAST TRIGGER', jobs.map(({last}) => time(last))],
    ['NEXT', jobs.map(each => nextText(each, time(each.next)))],
    ['ANSWER', jobs.map(({answer}) => oneLine(answer))]
  ])
}

/** When it comes next, in words. */
export const nextText = ({state, attempts}: Job, next: string): string => {
  if (state === 'paused') return 'paused'
  const tried = attempts === 0 ? '' : `, failed ${attempts === 1 ? 'once' : `${attempts} times`}`
  return `${state === 'due' ? 'due' : next || 'never'}${tried}`
}
