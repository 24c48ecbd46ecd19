import type {Job, JobDetail, JobChange} from '../../../model/api.generated.ts'
import {type CommandHandler, UsageError, type CommandContext} from '../command-handler.ts'
import {relativeTime} from '../../../model/duration.ts'
import {oneLine} from '../../../observe/api/export/exporter.ts'
import {print} from '../print.ts'
import {say} from '../say.ts'
import {tableOf} from '../table.ts'
import {appIn, runOf, onlyWord} from './workflow/target.ts'
import type {FoundRun} from '../../../control/client.ts'

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

const nextText = ({state, attempts}: Job, next: string): string => {
  if (state === 'paused') return 'paused'
  const tried = attempts === 0 ? '' : `, failed ${attempts === 1 ? 'once' : `${attempts} times`}`
  return `${state === 'due' ? 'due' : next || 'never'}${tried}`
}

const PAGE = 1000

/** Returns the jobs of a run, and the time of the run's clock (`now`), which `pillion skip` advances. */
async function allJobs(
  {api}: FoundRun,
  query: {readonly app?: string}
): Promise<{readonly now: string; readonly jobs: readonly Job[]}> {
  const all: Job[] = []
  for (let after = 0; ;) {
    const {now, jobs, next} = await api.ask('GET /jobs', {query: {...query, limit: PAGE, after}})
    all.push(...jobs)
    if (next === null) return {now, jobs: all}
    after = next
  }
}

/** Returns the job that the only argument names: `report`, `shop/report` or `app/shop/report`; names have no slash. Throws a UsageError. */
function jobIn(context: CommandContext): {readonly name: string; readonly app?: string} {
  const word = onlyWord(context)
  const parts = word.split('/')
  const name = parts.pop() ?? ''
  if (parts.length === 2 && parts[0] === 'app') parts.shift()
  const [app] = parts
  if (name === '' || app === '' || parts.length > 1)
    throw new UsageError(`invalid argument "${word}": expected the name of a job, or APP/NAME`)
  const {app: flagged} = appIn(context)
  if (app !== undefined && flagged !== undefined && app !== flagged)
    throw new UsageError(`"${word}" is not a job of "${flagged}"`)
  return {name, ...appIn(context), ...(app !== undefined && {app})}
}

/** `jobs get NAME`: a job with its data. */
export const getJob: CommandHandler = async context => {
  const query = jobIn(context)
  const {api} = await runOf(context)
  const job = await api.ask('GET /job', {query})
  print(process.stdout, context.flags.text('output') === 'json' ? `${JSON.stringify(job)}\n` : jobText(job))
  return 0
}

function jobText(job: JobDetail): string {
  const now = Date.parse(job.now)
  const time = (at: string | null): string | null =>
    at === null ? null : `${at} (${relativeTime(Date.parse(at), now)})`
  const lines: readonly (readonly [head: string, text: string | number | null])[] = [
    ['name', job.name],
    ['app', job.app],
    ['schedule', job.schedule],
    ['due time', job.dueTime],
    ['repeats', job.repeats],
    ['ttl', job.ttl],
    ['failure policy', job.failurePolicy],
    ['scheduled', time(job.begin)],
    ['count', job.count],
    ['last', time(job.last)],
    ['next', nextText(job, time(job.next) ?? '')],
    ['ends', time(job.expires)],
    ['answer', oneLine(job.answer) || null],
    ['data', job.data === null ? null : oneLine(job.data)]
  ]
  const width = Math.max(...lines.map(([head]) => head.length))
  return lines.flatMap(([head, text]) => (text === null ? [] : [`${`${head}:`.padEnd(width + 2)}${text}\n`])).join('')
}

/** Asks the run to change a job, and reports the result. */
async function ask(
  context: CommandContext,
  change: 'run' | 'pause' | 'resume' | 'delete',
  done: (change: JobChange) => string
): Promise<number> {
  const body = jobIn(context)
  const {api} = await runOf(context)
  const changed = await api.ask('POST /job/{change}', {at: {change}, body})
  const {outcome} = changed
  const isGood = outcome === null || outcome === 'done'
  if (context.flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(changed)}\n`)
  else say(isGood ? process.stdout : process.stderr, isGood ? 'info' : 'failure', done(changed), context.asJson)
  return isGood ? 0 : 1
}

const named = ({job: {app, name}}: JobChange): string => `Job '${name}' of "${app}"`

export const runJob: CommandHandler = async context =>
  ask(context, 'run', changed => {
    const {outcome, job} = changed
    const answer = oneLine(job.answer)
    if (outcome === 'done') return `${named(changed)} came, and was answered with ${answer}`
    return `${named(changed)} ${outcome === 'failed' ? 'failed' : 'did not come'}: ${answer}`
  })

export const pauseJob: CommandHandler = async context => ask(context, 'pause', each => `${named(each)} is paused`)

export const resumeJob: CommandHandler = async context =>
  ask(
    context,
    'resume',
    each => `${named(each)} ${each.job.next === null ? 'never comes again' : `comes again at ${each.job.next}`}`
  )

export const deleteJob: CommandHandler = async context => ask(context, 'delete', each => `${named(each)} is deleted`)
