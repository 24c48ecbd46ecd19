// observe/api/jobs/ shows and changes the jobs of a run. Loaded by the first request about one.
import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {exactText} from '../../../model/exact-json.ts'
import {plainData, JobError, type Job} from '../../../work/job/job.ts'
import type {JobOutcome, Jobs} from '../../../work/job/jobs.ts'
import {ApiProblem, givenObject, wholeIn} from '../problem.ts'
import type {ApiRequest} from '../route.ts'
import {askedText, rowsIn} from '../workflows/requests.ts'
import {timeText} from '../workflows/instance-view.ts'
import {jobView, policyText} from './job-view.ts'

/** Lists jobs. Throws a UserError for a wrong query. */
export async function listJobs(jobs: Jobs, query: URLSearchParams): Promise<Api.Jobs> {
  const limit = rowsIn(query)
  const after = wholeIn(query, 'after') ?? 0
  const found = await jobs.some({app: query.get('app') ?? undefined, after, limit: limit + 1})
  const shown = found.slice(0, limit)
  return {
    now: timeText(jobs.date()),
    jobs: shown.map(jobView),
    next: found.length > shown.length ? (shown.at(-1)?.key ?? null) : null
  }
}

/** Returns a job. Throws an ApiProblem without one. */
export async function oneJob(jobs: Jobs, query: URLSearchParams): Promise<Api.JobDetail> {
  const job = await jobMeant(jobs, {name: query.get('name') ?? '', app: query.get('app') ?? ''})
  const value = job.data && plainData(job.data)
  const text = value === undefined ? null : typeof value === 'string' ? value : exactText(value)
  return {...jobView(job), now: timeText(jobs.date()), data: text, failurePolicy: policyText(job.policy)}
}

/** Runs, pauses, resumes or deletes a job. Throws an ApiProblem. */
export async function changeJob(jobs: Jobs, {at, body}: ApiRequest): Promise<Api.JobChange> {
  const given = givenObject(body, '{"app": "shop", "name": "report"}')
  const before = await jobMeant(jobs, {name: askedText(given, 'name'), app: askedText(given, 'app')})
  const {app, name} = before
  try {
    switch (at['change'] as 'run' | 'pause' | 'resume' | 'delete') {
      case 'run': {
        const {kind, answer} = await jobs.run(app, name)
        return changed({...before, answer}, kind)
      }
      case 'pause':
        return changed(await jobs.pause(app, name))
      case 'resume':
        return changed(await jobs.resume(app, name))
      case 'delete':
        await jobs.delete(app, name)
        return changed(before)
    }
  } catch (error) {
    throw error instanceof JobError ? new ApiProblem(error.kind === 'unknown' ? 404 : 409, error.message) : error
  }
}

const changed = (job: Job, outcome: JobOutcome['kind'] | null = null): Api.JobChange => ({job: jobView(job), outcome})

async function jobMeant(jobs: Jobs, {name, app}: Required<Api.JobName>): Promise<Job> {
  if (name === '') throw new UserError('the job has no name', {explanation: 'For example: {"name": "report"}'})
  const those = await jobs.named(name, app)
  if (those.length > 1)
    throw new ApiProblem(
      409,
      `several apps have a job '${name}': ${those.map(each => each.app).join(', ')}`,
      'Name the app: APP/JOB, or --app-id.'
    )
  const [job] = those
  if (job !== undefined) return job
  const of = app === '' ? '' : ` of "${app}"`
  throw new ApiProblem(404, `there is no job '${name}'${of}`, 'pillion jobs list shows those that are there.')
}
