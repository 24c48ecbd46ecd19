import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {
  ExecuteActorStateTransactionRequest,
  GetActorReminderRequest,
  GetActorReminderResponse,
  GetActorStateRequest,
  GetActorStateResponse,
  InvokeActorRequest,
  InvokeActorResponse,
  ListActorRemindersRequest,
  ListActorRemindersResponse,
  RegisterActorReminderRequest,
  RegisterActorTimerRequest
} from '../../src/model/dapr/messages/actors.generated.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {openActors, post, until, worksOf, type Answer} from '../e2e/actors-house.ts'

const POLICIES = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: calm}
spec:
  policies:
    timeouts: {short: 200ms}
    retries: {twice: {policy: constant, duration: 10ms, maxRetries: 2}}
    circuitBreakers: {trip: {maxRequests: 1, timeout: 60s, trip: consecutiveFailures > 2}}
  targets:
    actors:
      Counter: {timeout: short, retry: twice}
      Fragile: {circuitBreaker: trip, circuitBreakerScope: id}
`

t.test('policies for types of actors: retries, the end of a long turn, a circuit for each id', async t => {
  const {rig, call, journal} = await openActors(
    t,
    {CONFIG: '{"entities":["Counter","Fragile"]}'},
    {resourcesPath: '../resources'}
  )
  await rig.write({'resources/calm.yaml': POLICIES})
  await rig.logged('shop', /Loading Resiliency configuration: calm/).catch(() => undefined)
  const failing = async (actor: string): Promise<Answer> =>
    call('shop', `/${actor}/method/answer`, post({status: 500, body: 'no'}))
  await until(() => journal().length >= 0)
  while (worksOf(journal(), 'Counter/1').length < 3)
    t.match(await failing('Counter/1'), {status: 500, body: /\(500\) no/})
  const first = call('shop', '/Counter/2/method/slow', post('150'))
  const second = call('shop', '/Counter/2/method/slow', post('150'))
  t.match([await first, await second], [{status: 200}, {status: 200}], 'to wait for a turn takes no time')
  t.match(await call('shop', '/Counter/2/method/slow', post('1000')), {
    status: 500,
    body: /error invoke actor method: context deadline exceeded/
  })
  for (const _ of [1, 2, 3]) t.match(await failing('Fragile/1'), {status: 500, body: /\(500\) no/})
  t.match(await failing('Fragile/1'), {status: 500, body: /error invoke actor method: circuit breaker is open/})
  t.match(await failing('Fragile/2'), {status: 500, body: /\(500\) no/})
})

t.test('actors over gRPC, and what metadata tells of them', async t => {
  const {run, call, journal} = await openActors(t)
  const client = new DaprClient(t, (await run.ports('host')).grpc)
  const actor = {actorType: 'Counter', actorId: '1'}
  const invoke = async (method: string, data: string, more: object = {}): ReturnType<typeof client.call> =>
    client.call(
      'InvokeActor',
      [InvokeActorRequest, {...actor, method, data: Buffer.from(data), metadata: {'x-sent': '1'}, ...more}],
      InvokeActorResponse
    )
  const added = await invoke('add', '7')
  t.match([added.code, String((added.answer as {data: Uint8Array} | undefined)?.data)], [0, '7'])
  t.match(String(((await invoke('head', '')).answer as {data: Uint8Array} | undefined)?.data), /"x-sent":"1"/)
  t.match(await invoke('answer', '{"status":500,"body":"why"}'), {
    code: 13,
    message: 'error invoke actor method: error from actor service: (500) why'
  })
  t.match(await invoke('add', '', {actorType: 'Cart'}), {code: 9, message: /^failed to lookup actor: .*Cart\/1/})
  t.match(await invoke('add', '', {actorId: 'a/b'}), {
    code: 3,
    message: 'invalid actorId: name contains forbidden character: "a/b"'
  })
  const upsert = {operationType: 'upsert', key: 'k', value: {typeUrl: '', value: Buffer.from('"v"')}, metadata: {}}
  const transact = async (more: object, of: object = {}): Promise<{readonly code: number; readonly message: string}> =>
    client.call('ExecuteActorStateTransaction', [
      ExecuteActorStateTransactionRequest,
      {...actor, operations: [{...upsert, ...more}], ...of}
    ])
  t.match(await transact({}), {code: 0})
  t.match(await transact({operationType: 'move'}), {code: 12, message: 'operation type move not supported'})
  t.match(await transact({}, {actorId: '2'}), {code: 13, message: 'actor instance is missing'})
  const got = await client.call('GetActorState', [GetActorStateRequest, {...actor, key: 'k'}], GetActorStateResponse)
  t.equal(String(got.answer?.data), '"v"')
  const timer = {...actor, name: 'beat', dueTime: '1ms', period: '', callback: 'tick', data: Buffer.from('x'), ttl: ''}
  t.match(await client.call('RegisterActorTimer', [RegisterActorTimerRequest, timer]), {code: 0})
  await until(() => worksOf(journal(), 'Counter/1').includes('timer/beat'))
  t.match(journal().find(({work}) => work === 'timer/beat')?.body, {data: 'eA==', callback: 'tick'})
  const wish = {...actor, name: 'wake', dueTime: '1h', period: 'PT1H', data: Buffer.from('x'), ttl: ''}
  t.match(await client.call('RegisterActorReminder', [RegisterActorReminderRequest, wish]), {code: 0})
  t.match(await client.call('RegisterActorReminder', [RegisterActorReminderRequest, {...wish, overwrite: false}]), {
    code: 6
  })
  t.match(
    await client.call(
      'GetActorReminder',
      [GetActorReminderRequest, {...actor, name: 'none'}],
      GetActorReminderResponse
    ),
    {code: 5}
  )
  t.match(
    await client.call(
      'GetActorReminder',
      [GetActorReminderRequest, {...actor, name: 'wake'}],
      GetActorReminderResponse
    ),
    {answer: {dueTime: '1h', period: '@every 1h0m0s'}}
  )
  t.match(
    await client.call(
      'ListActorReminders',
      [ListActorRemindersRequest, {actorType: 'Counter'}],
      ListActorRemindersResponse
    ),
    {answer: {reminders: [{name: 'wake', reminder: {actorId: '1'}}]}}
  )
  const {http} = await run.ports('host')
  t.match(await (await fetch(`http://127.0.0.1:${http}/v1.0/metadata`)).json(), {
    actors: [{type: 'Counter', count: 1}],
    actorRuntime: {
      runtimeStatus: 'RUNNING',
      activeActors: [{type: 'Counter', count: 1}],
      hostReady: true,
      placement: 'placement: connected'
    }
  })
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200, body: '8'})
})

t.test('without a store for actors they are hosted, and calls of their state fail in Dapr’s words', async t => {
  const {run, call} = await openActors(t, {}, {resourcesPath: 'none'})
  await run.waitForLine('"host" hosts actors (Counter), but no state store has actorStateStore: "true"', {
    stream: 'stderr'
  })
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 200, body: '1'})
  t.match(await call('host', '/Counter/1/state/k'), {
    status: 500,
    body: /ERR_ACTOR_RUNTIME_NOT_FOUND.*the state store is not configured to use the actor runtime/
  })
})

t.test('metrics of actors: timers and reminders that have fired, actors that were let go', async t => {
  const {call, journal} = await openActors(t, {CONFIG: '{"entities":["Counter"],"actorIdleTimeout":"100ms"}'})
  const {body: port} = await call('shop', '/Counter/1/method/env', post('DAPR_METRICS_PORT'))
  t.match(await call('host', '/Counter/1/timers/beat', post({dueTime: '1ms'})), {status: 204})
  t.match(await call('host', '/Counter/1/reminders/wake', post({dueTime: '1ms'})), {status: 204})
  await until(() => ['timer/beat', 'remind/wake'].every(work => worksOf(journal(), 'Counter/1').includes(work)))
  const expected = [
    'timers_fired_total{actor_type="Counter",app_id="host",success="true"} 1',
    'reminders_fired_total{actor_type="Counter",app_id="host",success="true"} 1',
    'deactivated_total{actor_type="Counter",app_id="host"} '
  ].map(line => `dapr_runtime_actor_${line}`)
  const read = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text()
  let text = await read()
  while (expected.some(line => !text.includes(line))) {
    await pause(20)
    text = await read()
  }
  t.match(text, expected[0])
})
