/** Dapr's table of what is wrong with a job: status, code and words over HTTP, and the same over gRPC. */
import t from 'tap'
import * as messages from '../../src/model/dapr/messages/jobs.generated.ts'
import type {Message, Schema} from '../../src/proxy/net/grpc/message-codec.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {openRig} from '../rig/rig.ts'

const SCHEMAS = messages as unknown as Readonly<Record<string, Schema | undefined>>

/** What is wrong with a plan, and how the reason begins. */
const PLANS: readonly (readonly [plan: Readonly<Record<string, string | number>>, why: string])[] = [
  [{dueTime: '1s', repeats: 2}, 'job must have a schedule to repeat'],
  [{schedule: '@every 1s', repeats: 0}, 'defined repeats must be greater than 0'],
  [{dueTime: '1s', ttl: '5s'}, 'job must have a schedule to have a ttl'],
  [{schedule: '@every 1s', ttl: 'soon'}, 'ttl format not recognized'],
  [
    {schedule: '@every 1s', dueTime: '2099-01-02T00:00:00Z', ttl: '2099-01-01T00:00:00Z'},
    'ttl must be greater than due time'
  ],
  [{dueTime: 'soon'}, 'due time format not recognized'],
  [{dueTime: 'R2/PT1S'}, 'repeats not supported for due time'],
  [{schedule: '30 * * * *'}, 'expected exactly 6 fields, found 5: [30 * * * *]'],
  [{schedule: '60 * * * * *'}, 'end of range (60) above maximum (59): 60'],
  [{schedule: '30-10 * * * * *'}, 'beginning of range (30) beyond end of range (10): 30-10'],
  [{schedule: '*/0 * * * * *'}, 'step of range should be a positive number: */0'],
  [{schedule: 'x * * * * *'}, 'failed to parse int from x: '],
  [{schedule: '@reboot'}, 'unrecognized descriptor: @reboot'],
  [{schedule: '@every PT1H'}, 'failed to parse duration @every PT1H: '],
  [{schedule: 'CRON_TZ=Not/AZone 0 0 * * * *'}, 'provided bad location Not/AZone: unknown time zone Not/AZone'],
  [{schedule: 'CRON_TZ=UTC @every 1s'}, 'timezone is not supported for @every schedules: '],
  [{schedule: 'CRON_TZ=UTC'}, 'timezone prefix CRON_TZ=UTC is not followed by a schedule'],
  [{schedule: ''}, 'empty spec string']
]

const NAMES: readonly (readonly [name: string, why: string])[] = [
  ['a/b', "must not contain '/', '\\', '#' or '?'"],
  ['a\\b', "must not contain '/', '\\', '#' or '?'"],
  ['a#b', "must not contain '/', '\\', '#' or '?'"],
  ['a?b', "must not contain '/', '\\', '#' or '?'"],
  ['a\u0001', 'control characters'],
  ['x'.repeat(600), 'must be at most 512 characters']
]

interface Told {
  readonly errorCode: string
  readonly message: string
}

t.test('what is wrong with a job: over HTTP and gRPC, by both names of the calls', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true, stop: {timeout: '500ms'}}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  const grpc = async (method: string, fields: object): ReturnType<DaprClient['call']> => {
    const schema = SCHEMAS[`${method}Request`] ?? SCHEMAS[`${method.replace(/Alpha1$/, '')}Request`]
    if (schema === undefined) throw new Error(`no messages of ${method}`)
    return client.call(method, [schema, fields as Partial<Message<Schema>>])
  }
  const http = async (method: string, name: string, job?: object): Promise<Told & {readonly status: number}> => {
    const path = `/v1.0/jobs/${encodeURIComponent(name)}`
    const {status, body} = await shop.fetch(path, {method, ...(job && {body: JSON.stringify(job)})})
    return {status, ...(body === '' ? {errorCode: '', message: ''} : (JSON.parse(body) as Told))}
  }
  /** The same is told over gRPC, with the code as the reason of its details. */
  const both = async (
    what: string,
    told: Told & {readonly status: number},
    over: Awaited<ReturnType<typeof grpc>>,
    [status, code, errorCode, words]: readonly [status: number, code: number, errorCode: string, words: string]
  ): Promise<void> => {
    t.match([told.status, told.errorCode], [status, errorCode], what)
    t.equal(over.code, code, `${what}: ${over.message}`)
    t.ok(over.details.includes(errorCode), `${what}: ${over.details}`)
    for (const message of [told.message, over.message]) t.ok(message.startsWith(words), `${what}: ${message}`)
  }
  const failed = 'failed to schedule job due to: rpc error: code = Unknown desc = job failed validation: '
  for (const [plan, why] of PLANS) {
    const told = await http('POST', 'j', plan)
    for (const method of ['ScheduleJob', 'ScheduleJobAlpha1'])
      await both(JSON.stringify(plan), told, await grpc(method, {job: {name: 'j', ...plan}}), [500, 13, 'DAPR_SCHEDULER_SCHEDULE_JOB', failed + why])
  }
  for (const [name, why] of NAMES) {
    const plan = {dueTime: '1h'}
    const verbs = [
      ['schedule', await http('POST', name, plan), await grpc('ScheduleJob', {job: {name, ...plan}})],
      ['get', await http('GET', name), await grpc('GetJob', {name})],
      ['delete', await http('DELETE', name), await grpc('DeleteJob', {name})]
    ] as const
    for (const [verb, told, over] of verbs) {
      await both(`${verb} ${name.slice(0, 9)}`, told, over, [500, 13, `DAPR_SCHEDULER_${verb.toUpperCase()}_JOB`, `failed to ${verb} job due to: rpc error: code = Unknown desc = `])
      for (const {message} of [told, over]) t.ok(message.includes('job name is invalid') && message.includes(why), message)
    }
  }
  const empty = ['DAPR_SCHEDULER_JOB_NAME_EMPTY', 'Name is empty'] as const
  await both('no name', await http('POST', ' ', {dueTime: '1h'}), await grpc('ScheduleJob', {job: {name: '', dueTime: '1h'}}), [400, 3, ...empty])
  await both('get without a name', await http('GET', ' '), await grpc('GetJob', {name: ''}), [400, 3, ...empty])
  await both('delete without a name', await http('DELETE', ' '), await grpc('DeleteJob', {name: ''}), [400, 3, ...empty])
  const none = await grpc('ScheduleJob', {})
  t.match([none.code, none.message], [3, 'Job is empty'])
  t.ok(none.details.includes('DAPR_SCHEDULER_EMPTY'), none.details)
  await both('no plan', await http('POST', 'j', {data: 1}), await grpc('ScheduleJob', {job: {name: 'j'}}), [400, 3, 'DAPR_SCHEDULER_SCHEDULE_EMPTY', 'Schedule is empty'])
  const unknown = 'failed to get job due to: rpc error: code = NotFound desc = job not found: j'
  for (const method of ['GetJob', 'GetJobAlpha1'])
    await both('unknown', await http('GET', 'j'), await grpc(method, {name: 'j'}), [500, 13, 'DAPR_SCHEDULER_GET_JOB', unknown])
  t.match(await grpc('ScheduleJob', {job: {name: 'j', dueTime: '1h'}}), {code: 0})
  const exists = "failed to schedule job due to: rpc error: code = AlreadyExists desc = job already exists: 'app||default||shop||j'"
  for (const method of ['ScheduleJob', 'ScheduleJobAlpha1'])
    await both('exists', await http('POST', 'j', {dueTime: '1h'}), await grpc(method, {job: {name: 'j', dueTime: '1h'}}), [409, 6, 'DAPR_SCHEDULER_SCHEDULE_JOB', exists])
  t.match(await grpc('ScheduleJob', {job: {name: 'j', dueTime: 'soon'}, overwrite: true}), {code: 13})
  t.match(await http('GET', 'j'), {status: 200}, 'a bad one leaves the old one')
  for (const method of ['DeleteJob', 'DeleteJobAlpha1']) t.match(await grpc(method, {name: 'none'}), {code: 0}, method)
  t.match(await grpc('DeleteJobsByPrefix', {namePrefix: 'none'}), {code: 0})
  t.match(await http('DELETE', 'none'), {status: 204})
}) // prettier-ignore
