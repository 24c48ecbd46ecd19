// Lists jobs, reminders and timers under the names of Dapr's CLI (cmd/scheduler, pkg/scheduler). The first request loads this code.
import {givenObject, wholeIn} from '../problem.ts'
import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import type {Reminder} from '../../../work/actor/reminder-store.ts'
import {jobKey, type Job} from '../../../work/job/job.ts'
import type {Jobs} from '../../../work/job/jobs.ts'
import {dueTimeOf} from '../../../work/times.ts'
import type {WaitingTimer} from '../../../work/workflow/workflow-store.ts'
import type {ApiRequest} from '../route.ts'
import type {KnownWork} from '../run-facts.ts'
import {askedText} from '../workflows/requests.ts'
import {timeText} from '../workflows/instance-view.ts'
import {timeOrNull} from './job-view.ts'
import {keptJob, readKeptJob} from './kept-job.ts'

const PAGE = 500
const FILTERS = ['all', 'app', 'actor', 'workflow', 'activity']

/** An entry, with the function that deletes it. */
interface Waiting {
  readonly view: Api.Scheduled
  /** Deletes the entry. Resolves with false if it no longer exists. */
  readonly remove: () => Promise<boolean>
}

/** Lists scheduled work, by begin and name, as Dapr does. Throws a UserError. */
export async function listScheduled(work: KnownWork, query: URLSearchParams): Promise<Api.AllScheduled> {
  const filter = query.get('filter') ?? 'all'
  if (!FILTERS.includes(filter))
    throw new UserError(`there is no kind "${filter}"`, {explanation: `There are: ${FILTERS.join(', ')}.`})
  const all = (await waiting(work)).map(({view}) => view).filter(({name}) => isWithin(name, filter))
  return {now: timeText(work.jobs.date()), scheduled: all}
}

/** Deletes entries. Throws a UserError for a wrong body. */
export async function deleteScheduled(work: KnownWork, {body}: ApiRequest): Promise<Api.ScheduledDeleted> {
  const given = givenObject(body, '{"names": ["app/shop/report"]}')
  const {names = []} = given
  if (!Array.isArray(names) || !names.every(name => typeof name === 'string'))
    throw new UserError('names is not a list of texts', {explanation: 'For example: {"names": ["app/shop/report"]}'})
  const within = askedText(given, 'within')
  const all = await waiting(work)
  const deleted: Api.Scheduled[] = []
  for (const {view, remove} of all)
    if ((names.includes(view.name) || (within !== '' && isWithin(view.name, within))) && (await remove()))
      deleted.push(view)
  return {deleted, missing: names.filter(name => !deleted.some(each => each.name === name))}
}

/** Returns jobs in the form of a file. Throws a UserError. */
export async function keptJobs(jobs: Jobs, query: URLSearchParams): Promise<Api.KeptJobs> {
  const found = await jobs.some({after: wholeIn(query, 'after') ?? 0, limit: PAGE + 1})
  const shown = found.slice(0, PAGE)
  return {
    jobs: shown.map(job => keptJob(job, jobs.aheadMs)),
    next: found.length > PAGE ? (shown.at(-1)?.key ?? null) : null
  }
}

/** Stores jobs from a file. Throws a UserError. */
export async function takeJobs(jobs: Jobs, {body}: ApiRequest): Promise<Api.JobsTaken> {
  const {jobs: list} = givenObject(body, '{"jobs": []}')
  if (!Array.isArray(list)) throw new UserError('jobs is not a list', {explanation: 'For example: {"jobs": []}'})
  const read = list.map((job, at) => readKeptJob(job, `jobs[${at}]`, jobs))
  await jobs.take(read)
  return {jobs: read.length, counters: read.filter(({count}) => count > 0).length}
}

const isWithin = (name: string, within: string): boolean =>
  within === 'all' || name === within || name.startsWith(`${within}/`)

async function waiting({jobs, workflows, reminders}: KnownWork): Promise<readonly Waiting[]> {
  const ofApps = await jobs.some({after: 0, limit: Number.MAX_SAFE_INTEGER})
  const [ofWorkflows, table] = await Promise.all([workflows.waitingTimers(), reminders()])
  const all: readonly Waiting[] = [
    ...ofApps.map(job => ({view: jobRow(job), remove: async () => jobs.delete(job.app, job.name)})),
    ...(await table.list()).map(each => ({view: reminderRow(each), remove: async () => table.delete(each)})),
    ...ofWorkflows.map(each => ({view: timerRow(each), remove: async () => workflows.deleteTimer(each)}))
  ]
  const order = ({view: {begin, name}}: Waiting): string => `${begin} ${name}`
  return all.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
}

const NONE = {expires: null, schedule: null, dueTime: null, ttl: null, repeats: null, count: 0, last: null} as const

const jobRow = ({app, name, begin, dueTime, count, planned = begin, ...job}: Job): Api.Scheduled => ({
  name: `app/${app}/${name}`,
  stored: jobKey(app, name),
  // a `dueTime` of an app is by the app's clock; `planned` has it by the clock of the run
  begin: timeText(dueTime === undefined || count > 0 ? dueTimeOf(dueTime ?? '0s', begin) : planned),
  expires: timeOrNull(job.expires),
  schedule: job.schedule ?? null,
  dueTime: dueTime ?? null,
  ttl: job.ttl ?? null,
  repeats: job.repeats ?? null,
  count,
  last: timeOrNull(job.last)
})

const reminderRow = ({type, id, name, due, expires, dueTime, period, ttl, remaining}: Reminder): Api.Scheduled => ({
  ...NONE,
  name: `actor/${type}/${id}/${name}`,
  stored: `actorreminder||default||${type}||${id}||${name}`,
  begin: timeText(due),
  expires: timeOrNull(expires),
  schedule: period === '' ? null : period,
  dueTime: dueTime === '' ? null : dueTime,
  ttl: ttl === '' ? null : ttl,
  repeats: remaining ?? null
})

const timerRow = ({app, instance, name, due}: WaitingTimer): Api.Scheduled => ({
  ...NONE,
  name: `workflow/${app}/${instance}/${name}`,
  stored: `actorreminder||default||dapr.internal.default.${app}.workflow||${instance}||${name}`,
  begin: timeText(due),
  dueTime: timeText(due)
})
