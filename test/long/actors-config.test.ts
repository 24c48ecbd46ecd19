/** What an app says of the actors that it hosts, in its answer to GET /dapr/config or in the first message of a stream: each key, its default, and a type's own values. */
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {
  SubscribeActorEventsRequestAlpha1,
  SubscribeActorEventsResponseAlpha1
} from '../../src/model/dapr/messages/actors.generated.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {openActors, post, until, worksOf} from '../e2e/actors-house.ts'

t.test('GET /dapr/config: outer values, those of a type in place of them, and what is wrong or has no effect', async t => {
  const CONFIG = JSON.stringify({
    entities: ['Counter', 'Own', 'Deep', 'Odd'],
    actorIdleTimeout: '150ms',
    reentrancy: {enabled: true, maxStackDepth: 1},
    remindersStoragePartitions: 7,
    actorScanInterval: 'soon',
    unknown: {a: 1},
    entitiesConfig: [
      {entities: ['Own', 'Nobody'], drainOngoingCallTimeout: '5s'},
      {entities: ['Deep'], reentrancy: {enabled: true, maxStackDepth: 2}, remindersStoragePartitions: 2},
      {entities: ['Odd'], actorIdleTimeout: 'PT1S', reentrancy: {enabled: true}}
    ]
  })
  const {run, call, journal} = await openActors(t, {CONFIG})
  const isReentrant = async (type: string): Promise<boolean> => {
    const {body} = await call('shop', `/${type}/1/method/head`, post(''))
    return Object.hasOwn((JSON.parse(body) as {headers: object}).headers, 'dapr-reentrancy-id')
  }
  t.strictSame(
    [await isReentrant('Counter'), await isReentrant('Own'), await isReentrant('Deep'), await isReentrant('Odd')],
    [true, false, true, true],
    'what an entry leaves out is the default'
  )
  /** It calls itself so often: one more is inside. */
  const again = async (type: string, times: number): Promise<object> => call('shop', `/${type}/2/method/again`, post(`${times}`))
  for (const [type, depth] of [['Counter', 1], ['Deep', 2], ['Odd', 32]] as const) {
    t.match(await again(type, depth - 1), {status: 200, body: 'deep'}, `${type}: ${depth}`)
    t.match(await again(type, depth), {status: 500, body: /maximum stack depth exceeded/}, `${type}: ${depth + 1}`)
  }
  const gone = (type: string): boolean => worksOf(journal(), `${type}/1`).includes('gone')
  await until(() => gone('Counter'))
  t.match(await call('shop', '/Own/1/method/slow', post('300')), {status: 200})
  t.match(await call('shop', '/Own/1/method/slow', post('1')), {status: 200})
  t.strictSame(['Own', 'Deep', 'Odd'].map(gone), [false, false, false], 'an hour is the default')
  for (const words of [
    '"host" GET /dapr/config: remindersStoragePartitions has no effect: reminders are not kept in the state store',
    /"host" GET \/dapr\/config: actorIdleTimeout: .*PT1S.*The default counts/,
    '"host" GET /dapr/config: an entry of entitiesConfig is for "Nobody", which is not among its entities'
  ])
    await run.waitForLine(words, {stream: 'stderr'})
}) // prettier-ignore

const NOT_SAID = {
  actorIdleTimeout: undefined,
  drainOngoingCallTimeout: undefined,
  drainRebalancedActors: undefined,
  reentrancy: undefined
}

const seconds = (seconds: bigint, nanos = 0): {seconds: bigint; nanos: number} => ({seconds, nanos})

t.test('the first message of a stream: outer values, those of a type in place of them, and what is wrong', async t => {
  const {run, call} = await openActors(t)
  const stream = new DaprClient(t, (await run.ports('shop')).grpc).stream('SubscribeActorEventsAlpha1', {
    sent: SubscribeActorEventsRequestAlpha1,
    told: SubscribeActorEventsResponseAlpha1
  })
  stream.send({
    initialRequest: {
      ...NOT_SAID,
      entities: ['Cart', 'Own', 'Odd', 'Own'],
      actorIdleTimeout: seconds(0n, 150e6),
      reentrancy: {enabled: true, maxStackDepth: 1},
      entitiesConfig: [
        {...NOT_SAID, entities: ['Own', 'Nobody'], drainOngoingCallTimeout: seconds(5n)},
        {...NOT_SAID, entities: ['Odd'], actorIdleTimeout: seconds(-5n), reentrancy: {enabled: true, maxStackDepth: undefined}}
      ]
    }
  })
  t.match(await stream.next(), {initialResponse: {}})
  interface Asked {
    readonly invokeRequest?: {readonly id: string; readonly actorType: string; readonly metadata: Readonly<Record<string, string>>}
    readonly deactivateRequest?: {readonly id: string; readonly actorType: string}
  }
  for (const [type, isReentrant] of [['Own', false], ['Odd', true], ['Cart', true]] as const) {
    const answered = call('shop', `/${type}/1/method/add`, post('1'))
    const {invokeRequest} = (await stream.next()) as Asked
    t.match(invokeRequest, {actorType: type})
    t.equal(Object.hasOwn(invokeRequest?.metadata ?? {}, 'Dapr-Reentrancy-Id'), isReentrant, type)
    stream.send({invokeResponse: {id: invokeRequest?.id ?? '', data: Buffer.from('1'), metadata: {}, error: false}})
    t.match(await answered, {status: 200})
  }
  const {deactivateRequest} = (await stream.next()) as Asked
  t.match(deactivateRequest, {actorType: 'Cart'}, 'the others have an hour')
  stream.send({deactivateResponse: {id: deactivateRequest?.id ?? ''}})
  stream.call.cancel()
}) // prettier-ignore

t.test('drainOngoingCallTimeout: a call under way has it while its app is reloaded, if that is longer than `stop`', async t => {
  const {rig, run, call, journal} = await openActors(
    t,
    {CONFIG: '{"entities":["Counter"],"drainOngoingCallTimeout":"60s"}'},
    {stop: {timeout: '200ms'}}
  )
  const held = call('shop', '/Counter/1/method/hold', post(join(rig.home, 'release')))
  await until(() => worksOf(journal(), 'Counter/1').includes('hold'))
  await rig.write({'host/version.txt': '1'})
  await rig.until(['ps'], 'not ready')
  const next = call('shop', '/Counter/2/method/add', post('1'))
  await rig.until(['calls', 'is:open', 'waited:1s'], '/Counter/2/')
  writeFileSync(join(rig.home, 'release'), '')
  t.match(await held, {status: 200, body: 'held'})
  t.match(await next, {status: 200, body: '1'})
  await run.waitForLine(/^ℹ️ {2}host: reloaded in /)
  await rig.write({'host/config.json': '{"entities":["Counter"]}'})
  await run.waitForLine(/^ℹ️ {2}host: reloaded in /, {nth: 2})
}) // prettier-ignore

t.test('a call under way that takes longer is cut, is told, and the next process goes on', async t => {
  const {rig, call, journal} = await openActors(t, {}, {stop: {timeout: '200ms'}})
  const cut = call('shop', '/Counter/1/method/hold', post(join(rig.home, 'never')))
  await until(() => worksOf(journal(), 'Counter/1').includes('hold'))
  const waits = call('shop', '/Counter/1/method/add', post('1'))
  await rig.write({'host/version.txt': '1'})
  t.match(await cut, {status: 500, body: /ERR_ACTOR_INVOKE_METHOD/})
  t.match(await waits, {status: 200, body: '1'})
}) // prettier-ignore

t.test('drainRebalancedActors: false cuts what is under way at once, of the types that say so', async t => {
  const CONFIG = JSON.stringify({
    entities: ['Counter', 'Cart'],
    drainRebalancedActors: false,
    entitiesConfig: [{entities: ['Cart'], drainRebalancedActors: true}]
  })
  const {rig, call, journal} = await openActors(t, {CONFIG}, {stop: {timeout: '60s'}})
  const cut = call('shop', '/Counter/1/method/hold', post(join(rig.home, 'never')))
  const drained = call('shop', '/Cart/1/method/hold', post(join(rig.home, 'release')))
  await until(() => ['Counter/1', 'Cart/1'].every(actor => worksOf(journal(), actor).includes('hold')))
  await rig.write({'host/version.txt': '1'})
  t.match(await cut, {status: 500, body: /ERR_ACTOR_INVOKE_METHOD/})
  writeFileSync(join(rig.home, 'release'), '')
  t.match(await drained, {status: 200, body: 'held'})
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200, body: '1'})
}) // prettier-ignore

t.test('at the end of a run a call under way has no longer than drainOngoingCallTimeout', async t => {
  const CONFIG = '{"entities":["Counter"],"drainOngoingCallTimeout":"100ms"}'
  const {rig, run, call, journal} = await openActors(t, {CONFIG}, {stop: {timeout: '300s'}})
  const cut = call('shop', '/Counter/1/method/hold', post(join(rig.home, 'never'))).catch(() => undefined)
  await until(() => worksOf(journal(), 'Counter/1').includes('hold'))
  t.match(await run.end('SIGINT'), {code: 0})
  await cut
}) // prettier-ignore

t.test('a host by a stream that never answers that an actor is to go does not keep its app from being restarted', async t => {
  const {rig, run, call} = await openActors(t)
  const stream = new DaprClient(t, (await run.ports('shop')).grpc).stream('SubscribeActorEventsAlpha1', {
    sent: SubscribeActorEventsRequestAlpha1,
    told: SubscribeActorEventsResponseAlpha1
  })
  stream.send({initialRequest: {...NOT_SAID, entities: ['Cart'], entitiesConfig: []}})
  t.match(await stream.next(), {initialResponse: {}})
  const answered = call('shop', '/Cart/1/method/add', post('1'))
  const {invokeRequest} = (await stream.next()) as {invokeRequest: {id: string}}
  stream.send({invokeResponse: {id: invokeRequest.id, data: Buffer.from('1'), metadata: {}, error: false}})
  t.match(await answered, {status: 200})
  t.match(await rig.run(['restart', 'shop']), {code: 0})
  t.match(await stream.next(), {deactivateRequest: {actorType: 'Cart'}})
  stream.call.cancel()
}) // prettier-ignore
