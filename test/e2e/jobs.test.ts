import t, {type Test} from 'tap'
import {JobEventRequest} from '../../src/model/dapr/messages/appcallback.generated.ts'
import {ScheduleJobRequest} from '../../src/model/dapr/messages/jobs.generated.ts'
import {decode} from '../../src/proxy/net/grpc/message-codec.ts'
import {valueIn} from '../../src/proxy/net/grpc/struct.ts'
import type {Answer, Driven, Request} from '../rig/command.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const schedule = async (app: Driven, name: string, job: object): Promise<Answer> =>
  app.fetch(`/v1.0/jobs/${name}`, {method: 'POST', body: JSON.stringify(job)})

const open = async (t: Test, more: object = {}): Promise<Rig> => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true, stop: {timeout: '500ms'}, ...more}])
  return rig
}

/** The next tick of a job. */
const nextTick = async (app: Driven, name: string): Promise<Request> => {
  const request = await app.nextRequest()
  t.match(request, {method: 'POST', url: `/job/${name}`})
  return request
}

t.test('jobs come to an app of HTTP: data, names, what follows each answer', async t => {
  const rig = await open(t)
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  t.match(await schedule(shop, 'order', {dueTime: '0s', data: {id: 1, text: 'ü'}}), {status: 204, body: ''})
  const first = await nextTick(shop, 'order')
  t.match(first.headers, {'content-type': 'application/json', traceparent: /^00-/})
  t.strictSame(JSON.parse(first.body), {id: 1, text: 'ü'})
  await first.reply({status: 500})
  await (await nextTick(shop, 'order')).reply({status: 200})
  await schedule(shop, 'a%20b%25', {dueTime: '0s'})
  const named = await nextTick(shop, 'a%20b%25')
  t.equal(named.body, '')
  await named.reply({status: 404})
  while ((await shop.fetch('/v1.0/jobs/a%20b%25')).status !== 500) await new Promise(setImmediate)
  t.match(await run.end('SIGINT'), {code: 0})
})

t.test('errors over HTTP, in Dapr’s words', async t => {
  const rig = await open(t)
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const cases: readonly (readonly [
    method: string,
    name: string,
    body: string,
    status: number,
    code: string,
    message: string
  ])[] = [
    ['POST', 'j', 'no', 400, 'ERR_MALFORMED_REQUEST', 'failed deserializing HTTP body: '],
    ['POST', 'j', '{"name":"j"}', 400, 'DAPR_SCHEDULER_JOB_NAME', 'Set the job name in the url only'],
    ['POST', '%20', '{"dueTime":"1s"}', 400, 'DAPR_SCHEDULER_JOB_NAME_EMPTY', 'Name is empty'],
    ['POST', 'j', '{}', 400, 'DAPR_SCHEDULER_SCHEDULE_EMPTY', 'Schedule is empty'],
    [
      'POST',
      'j',
      '{"schedule":"x"}',
      500,
      'DAPR_SCHEDULER_SCHEDULE_JOB',
      'failed to schedule job due to: rpc error: code = Unknown desc = job failed validation: '
    ],
    ['POST', 'j', '{"dueTime":"1s","repeats":-1}', 400, 'ERR_MALFORMED_REQUEST', 'failed deserializing HTTP body: '],
    [
      'POST',
      'j',
      '{"dueTime":"1s","failurePolicy":{"constant":{"interval":"1m"}}}',
      400,
      'ERR_MALFORMED_REQUEST',
      'failed deserializing HTTP body: '
    ],
    [
      'GET',
      'j',
      '',
      500,
      'DAPR_SCHEDULER_GET_JOB',
      'failed to get job due to: rpc error: code = NotFound desc = job not found: j'
    ]
  ]
  for (const [method, name, body, status, errorCode, message] of cases) {
    const answer = await shop.fetch(`/v1.0/jobs/${name}`, {method, ...(body !== '' && {body})})
    t.match(answer, {status}, `${method} ${body}`)
    const told = JSON.parse(answer.body) as {errorCode: string; message: string}
    t.equal(told.errorCode, errorCode)
    t.ok(told.message.startsWith(message), told.message)
  }
  t.match(await schedule(shop, 'j', {dueTime: '1h', failurePolicy: {drop: {}}, data: [1]}), {status: 204})
  t.match(await schedule(shop, 'j', {dueTime: '1h'}), {
    status: 409,
    body: /already exists: 'app\|\|default\|\|shop\|\|j'/
  })
  t.strictSame(JSON.parse((await shop.fetch('/v1.0-alpha1/jobs/j')).body), {
    name: 'j',
    dueTime: '1h',
    data: {'@type': 'type.googleapis.com/google.protobuf.Value', value: [1]},
    failurePolicy: {drop: {}}
  })
  t.match(await shop.fetch('/v1.0/jobs/j', {method: 'DELETE'}), {status: 204})
  t.match(await shop.fetch('/v1.0/jobs/j', {method: 'DELETE'}), {status: 204})
})

t.test('a tick that an app has when it is saved goes to the new process; one of a killed run, to the next', async t => {
  const rig = await open(t)
  await rig.write({'shop/kept.txt': 'a'})
  const first = rig.pillion(['run', '-f', '.', '--watch'])
  const old = await rig.driven('shop')
  await old.listen()
  await schedule(old, 'order', {dueTime: '0s', failurePolicy: {drop: {}}})
  await nextTick(old, 'order')
  await rig.run(['restart', 'shop', '-f', '.'])
  const next = await rig.driven('shop')
  await next.listen()
  await nextTick(next, 'order')
  await first.end('SIGKILL')
  rig.pillion(['run', '-f', '.'])
  const last = await rig.driven('shop')
  await last.listen()
  await (await nextTick(last, 'order')).reply({status: 200})
  while ((await last.fetch('/v1.0/jobs/order')).status !== 500) await new Promise(setImmediate)
})

t.test('data that are not what their type says come as they are, and the run goes on', async t => {
  const rig = await open(t)
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  for (const type of ['Value', 'StringValue']) {
    const data = {typeUrl: `type.googleapis.com/google.protobuf.${type}`, value: Buffer.from('\x0a\xffno', 'latin1')}
    const unsaid = {schedule: undefined, repeats: undefined, ttl: undefined, failurePolicy: undefined}
    const job = {...unsaid, name: type, dueTime: '0s', data}
    t.match(await client.call('ScheduleJob', [ScheduleJobRequest, {job}]), {code: 0})
    const tick = await nextTick(shop, type)
    t.match(await shop.fetch(`/v1.0/jobs/${type}`), {status: 200})
    await tick.reply({status: 200})
  }
  t.match(await run.end('SIGINT'), {code: 0})
  t.notMatch(run.stderr.text, /rror/)
})

t.test('one that is due each millisecond comes one at a time, delays no call, and ends when deleted', async t => {
  const rig = await open(t)
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  t.match(await schedule(shop, 'fast', {schedule: '@every 1ms', failurePolicy: {drop: {}}}), {status: 204})
  for (let tick = 0; tick < 20; tick++) {
    const request = await nextTick(shop, 'fast')
    t.match(await shop.fetch('/v1.0/jobs/fast'), {status: 200}, 'while the app has one')
    await request.reply({status: 200})
  }
  const last = await nextTick(shop, 'fast')
  t.match(await shop.fetch('/v1.0/jobs/fast', {method: 'DELETE'}), {status: 204})
  await last.reply({status: 200})
  await schedule(shop, 'other', {dueTime: '0s'})
  await (await nextTick(shop, 'other')).reply({status: 200})
  t.match(await run.end('SIGINT'), {code: 0})
  t.notMatch(run.stderr.text, /rror/)
})

t.test('jobs come to an app of gRPC, by the older name of the callback, too', async t => {
  const rig = await open(t, {appProtocol: 'grpc'})
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen({grpc: true})
  await schedule(shop, 'order', {dueTime: '0s', data: {id: 1}})
  const callback = await shop.nextRequest()
  t.match(callback, {url: '/dapr.proto.runtime.v1.AppCallback/OnJobEvent'})
  const event = decode(JobEventRequest, Buffer.from(callback.body, 'base64'))
  const contentType = 'type.googleapis.com/google.protobuf.Value'
  t.match(event, {name: 'order', method: 'job/order', contentType, httpExtension: {verb: 3}})
  t.strictSame(valueIn(event.data?.value ?? new Uint8Array(0)), {id: 1})
  await callback.reply({status: 12})
  const older = await shop.nextRequest()
  t.match(older, {url: '/dapr.proto.runtime.v1.AppCallbackAlpha/OnJobEventAlpha1'})
  await older.reply({status: 0})
})
