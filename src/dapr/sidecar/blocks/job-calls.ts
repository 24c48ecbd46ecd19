import {messageOf} from '../../../model/errors.ts'
import {JobError, type Job, type JobRequest} from '../../../work/job/job.ts'
import type {Jobs} from '../../../work/job/jobs.ts'
import {BlockError} from './block-error.ts'
import {AppBlock} from './block-context.ts'

/** Names of gRPC codes, as Go prints them, by the kind of error. */
const CODES: Readonly<Record<JobError['kind'], string>> = {
  exists: 'AlreadyExists',
  invalid: 'Unknown',
  busy: 'Unknown',
  unknown: 'NotFound'
}

type JobVerb = 'schedule' | 'get' | 'delete' | 'list'

const REASONS: Readonly<Record<JobVerb, string>> = {
  schedule: 'DAPR_SCHEDULER_SCHEDULE_JOB',
  get: 'DAPR_SCHEDULER_GET_JOB',
  delete: 'DAPR_SCHEDULER_DELETE_JOB',
  list: 'DAPR_SCHEDULER_LIST_JOBS'
}

/** The jobs of one app, with Dapr's errors (Dapr: pkg/api/universal/jobs.go, pkg/api/errors/scheduler.go). */
export class JobCalls extends AppBlock {
  async schedule(request: JobRequest, isOverwriting: boolean): Promise<void> {
    const {appId, postToApp, log} = this.context
    if (request.name === '') throw this.refused('DAPR_SCHEDULER_JOB_NAME_EMPTY', 'Name is empty')
    if (request.schedule === undefined && request.dueTime === undefined)
      throw this.refused('DAPR_SCHEDULER_SCHEDULE_EMPTY', 'Schedule is empty')
    if (postToApp === undefined)
      log.warn('job', `"${appId}" schedules the job ${request.name}, but has no appPort: it will not get it`)
    await this.#asked('schedule', async jobs => jobs.schedule(appId, request, isOverwriting))
  }

  async get(name: string): Promise<Job> {
    if (name.trim() === '') throw this.refused('DAPR_SCHEDULER_JOB_NAME_EMPTY', 'Name is empty')
    return this.#asked('get', async jobs => jobs.get(this.context.appId, name))
  }

  /** Deletes a job. A missing job is not an error. */
  async delete(name: string): Promise<void> {
    if (name.trim() === '') throw this.refused('DAPR_SCHEDULER_JOB_NAME_EMPTY', 'Name is empty')
    await this.#asked('delete', async jobs => jobs.delete(this.context.appId, name))
  }

  async deletePrefix(prefix: string): Promise<void> {
    await this.#asked('delete', async jobs => jobs.deletePrefix(this.context.appId, prefix))
  }

  async list(): Promise<readonly Job[]> {
    return this.#asked('list', async jobs => jobs.list(this.context.appId))
  }

  /** Returns Dapr's error for an invalid request. */
  refused(reason: string, message: string, isNamespaced = true): BlockError {
    return new BlockError([400, 'invalidArgument', reason], message, this.#details(reason, isNamespaced))
  }

  #details(reason: string, isNamespaced = true): {reason: string; metadata: Record<string, string>} {
    const {appId: appID, namespace} = this.context
    return {reason, metadata: isNamespaced ? {appID, namespace: namespace || 'default'} : {appID}}
  }

  async #asked<T>(verb: JobVerb, work: (jobs: Jobs) => Promise<T>): Promise<T> {
    try {
      return await work(await this.context.work.jobs())
    } catch (error) {
      const kind = error instanceof JobError ? error.kind : 'invalid'
      const reason = REASONS[verb]
      const noun = verb === 'list' ? 'jobs' : 'job'
      const message = `failed to ${verb} ${noun} due to: rpc error: code = ${CODES[kind]} desc = ${messageOf(error)}`
      const code = kind === 'exists' ? ([409, 'alreadyExists', reason] as const) : ([500, 'internal', reason] as const)
      throw new BlockError(code, message, this.#details(reason))
    }
  }
}
