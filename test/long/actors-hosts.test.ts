/** Who hosts actors: streams and what is wrong with them, several instances, apps that are not well, stores that come and go. */
import {setTimeout as pause} from 'node:timers/promises'
import {rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {
  SubscribeActorEventsRequestAlpha1,
  SubscribeActorEventsResponseAlpha1
} from '../../src/model/dapr/messages/actors.generated.ts'
import {DaprClient, type DaprStream} from '../rig/dapr-client.ts'
import {grpcOf, openBoth} from '../e2e/actors-both.ts'
import {openActors, post, until, worksOf, type Answer} from '../e2e/actors-house.ts'

type Stream = DaprStream<typeof SubscribeActorEventsRequestAlpha1, typeof SubscribeActorEventsResponseAlpha1>

const streamOf = (t: Test, port: number): Stream =>
  new DaprClient(t, port).stream('SubscribeActorEventsAlpha1', {
    sent: SubscribeActorEventsRequestAlpha1,
    told: SubscribeActorEventsResponseAlpha1
  })

/** The next call that it is to make. */
const asked = async (of: Stream): Promise<Invocation> =>
  ((await of.next()) as {readonly invokeRequest: Invocation}).invokeRequest

interface Invocation {
  readonly id: string
  readonly metadata: Readonly<Record<string, string>>
}

/** The first message of a stream. */
const hosting = (entities: readonly string[], more: object = {}) => ({
  initialRequest: {...NO_SETTINGS, entities, ...more}
})

const NO_SETTINGS = {
  actorIdleTimeout: undefined,
  drainOngoingCallTimeout: undefined,
  drainRebalancedActors: undefined,
  reentrancy: undefined,
  entitiesConfig: []
}

t.test('actors over a stream: what it is told and answers, a newer one, one that ends, and streams that are wrong', async t => {
  const {run, call} = await openActors(t)
  const {grpc: port} = await run.ports('shop')
  const grpc = grpcOf(t, port)
  const ofHttpApp = streamOf(t, (await run.ports('host')).grpc)
  ofHttpApp.send(hosting(['Cart']))
  t.match(await ofHttpApp.next(), {code: 9, message: 'actor callback streaming requires a gRPC app channel'})
  for (const wrong of [{}, {deactivateResponse: {id: '1'}}]) {
    const stream = streamOf(t, port)
    stream.send(wrong)
    t.match(await stream.next(), {code: 3}, JSON.stringify(wrong))
  }
  const garbage = streamOf(t, port)
  garbage.call.write(Buffer.from([0xff, 0xff, 0xff]))
  t.match(await garbage.next(), {code: /[1-9]/, message: /./})
  const stream = streamOf(t, port)
  stream.send(hosting(['Cart'], {actorIdleTimeout: {seconds: 3600n, nanos: 0}}))
  t.match(await stream.next(), {initialResponse: {}})
  const added = call('shop', '/Cart/1/method/add?x=1', {...post('5'), headers: {'x-sent': '1', 'content-type': 'text/plain'}})
  const request = await asked(stream)
  t.match(request, {actorType: 'Cart', actorId: '1', method: 'add', data: Buffer.from('5')})
  t.match(request.metadata, {'x-sent': '1'})
  stream.send({invokeResponse: {id: 'nobody', data: Buffer.from('x'), metadata: {}, error: false}})
  const answer = {id: request.id, data: Buffer.from('6'), metadata: {'x-mine': 'yes', 'bad name\r\n': 'v'}, error: false}
  stream.send({invokeResponse: answer})
  stream.send({invokeResponse: {...answer, data: Buffer.from('twice')}})
  const got = await added
  t.match([got.status, got.body, got.headers.get('x-mine')], [200, '6', 'yes'])
  const failing = async (code: number): Promise<Answer> => {
    const answered = call('shop', '/Cart/1/method/add', post('5'))
    stream.send({requestFailed: {id: (await asked(stream)).id, code, message: 'why'}})
    return answered
  }
  t.match(await failing(5), {status: 500, body: /error invoke actor method: actor method not found: /})
  t.match(await failing(13), {status: 500, body: /error invoke actor method: error from actor service: why/})
  const own = grpc('InvokeActor', {actorType: 'Cart', method: 'add', data: Buffer.from('5'), metadata: {}})
  stream.send({invokeResponse: {id: (await asked(stream)).id, data: Buffer.from('mine'), metadata: {}, error: true}})
  t.match(await own, {code: 0, answer: {data: Buffer.from('mine')}}, 'the actor’s own error')
  t.match(await call('shop', '/Cart/1/timers/tick', post({dueTime: '1ms', period: '1ms', data: {a: 1}})), {status: 204})
  const {timerRequest} = (await stream.next()) as {timerRequest: {id: string}}
  t.match(timerRequest, {actorType: 'Cart', actorId: '1', name: 'tick', dueTime: '1ms', period: '1ms'})
  stream.send({timerResponse: {id: timerRequest.id, cancel: true}})
  t.match(await call('shop', '/Cart/1/reminders/wake', post({dueTime: '1ms', period: '1ms'})), {status: 204})
  const {reminderRequest} = (await stream.next()) as {reminderRequest: {id: string}}
  t.match(reminderRequest, {actorType: 'Cart', actorId: '1', name: 'wake', dueTime: '', period: ''}, 'the timer is over')
  stream.send({reminderResponse: {id: reminderRequest.id, cancel: true}})
  while ((await call('shop', '/Cart/1/reminders/wake')).status !== 404) await pause(10)
  const old = call('shop', '/Cart/2/method/add', post('1'))
  const {id: oldId} = await asked(stream)
  const newer = streamOf(t, port)
  newer.send(hosting(['Cart']))
  t.match(await newer.next(), {initialResponse: {}})
  const fresh = call('shop', '/Cart/3/method/add', post('1'))
  newer.send({invokeResponse: {id: (await asked(newer)).id, data: Buffer.from('newer'), metadata: {}, error: false}})
  t.match(await fresh, {status: 200, body: 'newer'})
  stream.send({invokeResponse: {id: oldId, data: Buffer.from('older'), metadata: {}, error: false}})
  t.match(await old, {status: 200, body: 'older'}, 'an older one ends what it has')
  stream.call.end()
  const lost = call('shop', '/Cart/3/method/add', post('1'))
  await asked(newer)
  newer.call.cancel()
  t.match(await lost, {status: 500, body: /actor host disconnected before responding/})
  const held = call('shop', '/Cart/3/method/add', post('1'))
  const next = streamOf(t, port)
  next.send(hosting(['Cart'], {reentrancy: {enabled: true, maxStackDepth: 1}}))
  t.match(await next.next(), {initialResponse: {}})
  const {metadata, id} = await asked(next)
  const chain = metadata['Dapr-Reentrancy-Id'] ?? ''
  t.match(chain, /^[0-9a-f-]{36}$/)
  const deep = {actorType: 'Cart', actorId: '3', method: 'add', data: Buffer.alloc(0)}
  t.match(
    await grpc('InvokeActor', {...deep, metadata: {'Dapr-Reentrancy-Id': chain}}),
    {code: 8, message: 'maximum stack depth exceeded'}
  )
  next.send({invokeResponse: {id, data: Buffer.from('held'), metadata: {}, error: false}})
  t.match(await held, {status: 200, body: 'held'}, 'who waits gets the next stream')
}) // prettier-ignore

t.test('several streams of an app: each type has its newest one, an older one takes it over; one without types hosts none', async t => {
  const {run, call} = await openActors(t)
  const {grpc: port} = await run.ports('shop')
  const open = async (entities: readonly string[]): Promise<Stream> => {
    const stream = streamOf(t, port)
    stream.send(hosting(entities))
    t.match(await stream.next(), {initialResponse: {}})
    return stream
  }
  const served = async (type: string, stream: Stream, word: string): Promise<void> => {
    const answer = call('shop', `/${type}/1/method/add`, post('1'))
    const {id} = await asked(stream)
    stream.send({invokeResponse: {id, data: Buffer.from(word), metadata: {}, error: false}})
    t.match(await answer, {status: 200, body: word}, `${type}: ${word}`)
  }
  const older = await open(['Cart', 'Order'])
  await served('Cart', older, 'older')
  const newer = await open(['Cart', 'Bill'])
  const probe = await open([])
  await served('Cart', newer, 'newer')
  await served('Order', older, 'order')
  await served('Bill', newer, 'bill')
  for (const stream of [probe, newer]) {
    stream.call.end()
    t.match(await stream.next(), {code: 0})
  }
  await served('Cart', older, 'older again')
  await served('Order', older, 'order again')
  t.match(await call('shop', '/Bill/1/method/add', post('1')), {status: 500, body: /did not find address/})
  older.call.end()
}) // prettier-ignore

t.test('several instances: an id lives at one, whose state is changed there alone; another one takes it over', async t => {
  const {rig, call, journal} = await openActors(t, {}, {replicas: 2})
  for (let id = 0; new Set(journal().flatMap(({actor, pid}) => (actor === undefined ? [] : [pid]))).size < 2; id++)
    t.match(await call('shop', `/Counter/${id}/method/slow`, post('1')), {status: 200})
  for (const id of ['0', '1', '2', '3']) {
    t.match(await Promise.all([call('shop', `/Counter/${id}/method/add`, post('1')), call('host', `/Counter/${id}/method/add`, post('1'))]), [{status: 200}, {status: 200}])
    t.equal(new Set(journal().filter(({actor}) => actor === `Counter/${id}`).map(({pid}) => pid)).size, 1, id)
  }
  t.notOk(journal().some(({overlap}) => overlap !== undefined))
  const {stdout} = await rig.run(['actors', 'Counter', '-o', 'json'])
  t.match(stdout, /host/)
  const before = journal().length
  t.match(await rig.run(['restart', 'host']), {code: 0})
  for (const id of ['0', '1', '2', '3'])
    t.match(await call('shop', `/Counter/${id}/method/add`, post('1')), {status: 200, body: '3'}, `${id} has its state`)
  t.ok(journal().slice(before).filter(({work}) => work === 'gone').length >= 4, 'each was let go')
}) // prettier-ignore

t.test('an app that is not well lets its actors go; calls wait until it is well, also for a process that begins so', async t => {
  const health = {enableAppHealthCheck: true, appHealthCheckPath: '/health', appHealthProbeInterval: 1, appHealthThreshold: 1}
  const {rig, run, call, journal} = await openActors(t, {}, health)
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200})
  const ill = join(rig.home, 'journal.ill')
  for (const round of [1, 2]) {
    await writeFile(ill, '')
    await run.waitForLine('"host" is not healthy', {stream: 'stderr', nth: round})
    await until(() => worksOf(journal(), 'Counter/1').filter(work => work === 'gone').length === round)
    const {http} = await run.ports('host')
    t.match(await (await fetch(`http://127.0.0.1:${http}/v1.0/metadata`)).json(), {actorRuntime: {runtimeStatus: 'INITIALIZING', hostReady: false}})
    if (round === 2) {
      await rig.write({'host/version.txt': '1'})
      await until(() => new Set(journal().map(({pid}) => pid)).size === 2)
    }
    const name = `wake-${round}`
    const kept = call('host', `/Counter/1/reminders/${name}`, post({dueTime: '1ms'}))
    if (round === 1) t.match(await kept, {status: 204}, 'it is kept')
    const waits = [kept, ...['shop', 'host'].map(async app => call(app, '/Counter/1/method/add', post('1')))]
    await rm(ill)
    t.match(await Promise.all(waits), [{status: 204}, {status: 200}, {status: 200}], `round ${round}`)
    await until(() => worksOf(journal(), 'Counter/1').includes(`remind/${name}`))
  }
}) // prettier-ignore

t.test('the store of actors is removed and added while the run goes on', async t => {
  const {rig, call} = await openActors(t)
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200})
  const store = join(rig.folder, 'resources/mem.yaml')
  await rm(store)
  while ((await call('host', '/Counter/1/state/value')).status !== 500) await pause(20)
  t.match(await call('host', '/Counter/1/state/value'), {status: 500, body: /ERR_ACTOR_RUNTIME_NOT_FOUND/})
  await rig.write({'resources/mem.yaml': 'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: mem}\nspec: {type: state.in-memory, version: v1, metadata: [{name: actorStateStore, value: "TRUE"}]}\n'})
  while ((await call('shop', '/Counter/1/method/add', post('1'))).status !== 200) await pause(20)
  t.match(await call('host', '/Counter/1/state/value'), {status: 200})
}) // prettier-ignore

t.test('tokens and lists of APIs hold for actors, over HTTP and gRPC', async t => {
  const denied = JSON.stringify({kind: 'Configuration', spec: {api: {denied: ['http', 'grpc'].map(protocol => ({name: 'actors', version: protocol === 'http' ? 'v1.0' : 'v1', protocol}))}}})
  const {call, run, grpc} = await openBoth(t, {DAPR_API_TOKEN: 'secret'}, {configFilePath: 'config.yaml'}, {'host/config.yaml': denied}, {DAPR_API_TOKEN: 'secret'})
  const token = {headers: {'dapr-api-token': 'secret'}}
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 401})
  t.match(await call('shop', '/Counter/1/method/slow', {...post('1'), headers: {'dapr-api-token': 'other'}}), {status: 401})
  t.match(await call('shop', '/Counter/1/method/slow', {...post('1'), ...token}), {status: 200, body: '1'})
  t.match(await call('host', '/Counter/1/method/slow', {...post('1'), ...token}), {status: 404, body: /ERR_DIRECT_INVOKE/})
  const shop = grpcOf(t, (await run.ports('shop')).grpc)
  const slow = {method: 'slow', data: Buffer.from('1')}
  t.match(await shop('InvokeActor', slow), {code: 16})
  const withToken = {'dapr-api-token': 'secret'}
  t.match(await shop('InvokeActor', slow, withToken), {code: 0})
  t.match(await grpc('InvokeActor', slow, withToken), {code: 12})
  t.match(await grpc('GetActorState', {key: 'k'}, withToken), {code: 12})
}) // prettier-ignore
