import {isObject} from '../../../model/is-object.ts'
import type * as Api from '../../../model/api.generated.ts'
import {readTime} from '../../../model/duration.ts'
import {UserError} from '../../../model/errors.ts'
import {checkJobName, JobError, type Job} from '../../../work/job/job.ts'
import type {FailurePolicy} from '../../../work/series/series.ts'
import type {Jobs} from '../../../work/job/jobs.ts'
import {jobSchedule, planOf} from '../../../work/job/plan.ts'
import {timeText} from '../workflows/instance-view.ts'

/** Returns a job in the form of an export file, with times of the machine's clock: the clock of another run may be ahead by other skips. */
export function keptJob(job: Job, aheadMs: number): Api.KeptJob {
  const at = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : timeText(ms - aheadMs))
  const {key: _key, attempts: _attempts, isDue: _isDue, answer: _answer, data, isPaused, ...kept} = job
  return {
    ...kept,
    data: data && {typeUrl: data.typeUrl, value: Buffer.from(data.value).toString('base64')},
    begin: at(job.begin),
    planned: at(job.planned),
    expires: at(job.expires),
    last: at(job.last),
    isPaused: isPaused || undefined
  } as Api.KeptJob
}

/** Reads a job of an export file. `place`: where it is in the file, for messages. Throws a UserError. */
export function readKeptJob(value: unknown, place: string, jobs: Pick<Jobs, 'aheadMs' | 'date'>): Omit<Job, 'key'> {
  const fields = new Fields(value, place, jobs.aheadMs)
  const [app, name] = [fields.text('app'), fields.text('name')]
  if (app === undefined || name === undefined || name === '') throw fields.wrong('app and name are needed')
  const said = {
    schedule: fields.text('schedule'),
    dueTime: fields.text('dueTime'),
    ttl: fields.text('ttl'),
    repeats: fields.count('repeats')
  }
  const begin = fields.time('begin')
  if (begin === undefined) throw fields.wrong('begin is needed')
  try {
    checkJobName(app, name)
    if (said.schedule === undefined && said.dueTime === undefined) throw new JobError('invalid', 'Schedule is empty')
    planOf({name, ...said}, begin, jobs.aheadMs)
  } catch (error) {
    throw error instanceof JobError ? fields.wrong(error.message) : error
  }
  const [planned, count] = [fields.time('planned'), fields.count('count') ?? 0]
  const isFirst = count === 0 && said.dueTime !== undefined
  const plan = said.schedule === undefined || isFirst ? undefined : jobSchedule(said.schedule)
  // a schedule by dates gets its next time by the clock of this run
  const isByDate = plan !== undefined && plan.step === undefined && planned !== undefined && planned > jobs.date()
  return {
    app,
    name,
    ...said,
    data: fields.data(),
    policy: fields.policy(),
    begin,
    planned: isByDate ? plan.next(jobs.date()) : planned,
    expires: fields.time('expires'),
    last: fields.time('last'),
    count,
    attempts: 0,
    isDue: false,
    isPaused: fields.get('isPaused') === true,
    answer: ''
  }
}

/** Reads and checks the members of a JSON object in an export file. */
class Fields {
  readonly #place: string
  readonly #given: Readonly<Record<string, unknown>>
  readonly #aheadMs: number

  constructor(value: unknown, place: string, aheadMs = 0) {
    this.#place = place
    this.#aheadMs = aheadMs
    if (!isObject(value)) throw this.wrong('it is not an object')
    this.#given = value
  }

  wrong(why: string): UserError {
    return new UserError(`${this.#place} is not a job: ${why}`, {
      explanation: 'Files that "pillion scheduler export" has written can be read.'
    })
  }

  get(name: string): unknown {
    return this.#given[name] ?? undefined
  }

  text(name: string): string | undefined {
    const value = this.get(name)
    if (value === undefined || typeof value === 'string') return value
    throw this.wrong(`${name} is not a text`)
  }

  count(name: string, isWhole = true): number | undefined {
    const value = this.get(name)
    if (value === undefined) return value
    if (typeof value === 'number' && value >= 0 && (Number.isInteger(value) || !isWhole)) return value
    throw this.wrong(`${name} is not a whole number`)
  }

  time(name: string): number | undefined {
    const text = this.text(name)
    const at = text === undefined ? undefined : readTime(text)
    if (Number.isNaN(at)) throw this.wrong(`${name} is not a time`)
    return at === undefined ? undefined : at + this.#aheadMs
  }

  data(): Job['data'] {
    if (this.get('data') === undefined) return undefined
    const data = new Fields(this.get('data'), `${this.#place}.data`)
    return {typeUrl: data.text('typeUrl') ?? '', value: Buffer.from(data.text('value') ?? '', 'base64')}
  }

  policy(): FailurePolicy {
    const policy = new Fields(this.get('policy'), `${this.#place}.policy`)
    const kind = policy.text('kind')
    if (kind === 'drop') return {kind}
    if (kind !== 'constant') throw policy.wrong('kind is drop or constant')
    return {kind, intervalMs: policy.count('intervalMs', false) ?? 0, maxRetries: policy.count('maxRetries')}
  }
}
