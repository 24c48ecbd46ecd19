import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {InvokeActorRequest, InvokeActorResponse} from '../../src/model/dapr/messages/actors.generated.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {openRig} from '../rig/rig.ts'
import {caller, openActors, post, until, worksOf} from '../e2e/actors-house.ts'

const HOST = join(import.meta.dirname, '../fixtures/apps/actor-host.mjs')

t.test('ids of any character and of 10,000 bytes, names that cannot be, chains beyond their depth', async t => {
  const {run, call, journal} = await openActors(t, {
    CONFIG: '{"entities":["Counter"],"reentrancy":{"enabled":true,"maxStackDepth":2}}'
  })
  const ids = [
    ' ',
    '%',
    '%25',
    '+',
    'a+b',
    '||',
    '"',
    "'",
    '<>',
    ';:,',
    '@',
    '&=',
    'ä',
    '日本',
    '😀',
    '...',
    '\u00a0',
    'x'.repeat(3000)
  ]
  const long = 'y'.repeat(10_000)
  t.match(await call('shop', `/Counter/${long}/method/add`, post('1')), {status: 431}, 'no head is as long')
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  const invoked = await client.call(
    'InvokeActor',
    [InvokeActorRequest, {actorType: 'Counter', actorId: long, method: 'slow', data: Buffer.from('1')}],
    InvokeActorResponse
  )
  t.match([invoked.code, String(invoked.answer?.data)], [0, '1'])
  for (const id of ids) {
    const name = encodeURIComponent(id)
    t.match(await call('shop', `/Counter/${name}/method/add`, post('1')), {status: 200, body: '1'}, id.slice(0, 20))
    t.match(await call('host', `/Counter/${name}/state/value`), {status: 200, body: '1'})
  }
  t.strictSame(
    new Set(
      journal()
        .filter(({work}) => work === 'add')
        .map(({actor = ''}) => decodeURIComponent(actor.slice(8)))
    ),
    new Set(ids)
  )
  for (const id of ['a/b', 'a\\b', '#', '?', '\u0000', '\n', '\u007f', '.', '..'].map(encodeURIComponent)) {
    const path = id === '.' || id === '..' ? id.replaceAll('.', '%2E') : id
    const {status, body} = await call('shop', `/Counter/${path}/method/add`, post('1'))
    t.ok(status === 400 || status === 404, `${id}: ${status} ${body}`)
  }
  const deep = await call(
    'shop',
    '/Counter/1/method/call',
    post({path: 'Counter/1/method/call', body: JSON.stringify({path: 'Counter/1/method/add', body: '1'})})
  )
  t.match(deep, {status: 500, body: /ERR_ACTOR_STACK_DEPTH|maximum stack depth exceeded/})
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200, body: '1'}, 'the actor lives on')
})

t.test('an actor that calls itself without reentrancy waits until its caller leaves, and lives on', async t => {
  const {call, journal, run, rig} = await openActors(t)
  const inner = JSON.stringify({path: 'Counter/1/method/add', body: '1'})
  const leaves = new AbortController()
  const left = t.rejects(call('shop', '/Counter/1/method/call', {...post(inner), signal: leaves.signal}))
  await until(() => worksOf(journal(), 'Counter/1').includes('call'))
  const circle =
    /Counter\/1 seems to wait for itself: Counter\/1\.call → Counter\/1\.add; enable reentrancy for Counter/
  await run.waitForLine(circle, {stream: 'stderr'})
  t.match(await rig.run(['actors', 'Counter/1']), {code: 0, stdout: circle})
  t.strictSame(worksOf(journal(), 'Counter/1'), ['call'])
  leaves.abort()
  await left
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 200, body: '1'})
})

t.test('apps that answer GET /dapr/config with nonsense, late, or never', async t => {
  const rig = await openRig(t)
  const env = {JOURNAL: join(rig.home, 'journal')}
  const app = (appID: string, more: object) => ({
    appID,
    autoPort: true,
    command: [process.execPath, HOST],
    env: {...env, ...more},
    ready: {timeout: '3s'}
  })
  await rig.template([
    app('broken', {CONFIG: '{"entities":["Broken"'}),
    app('odd', {
      CONFIG:
        '{"entities":["Odd",1,null,"","Odd",{"a":1}],"actorIdleTimeout":"soon","reentrancy":7,"entitiesConfig":{"x":1}}'
    }),
    app('texts', {CONFIG: '{"entities":"Texts"}'}),
    app('late', {CONFIG: '{"entities":["Late"]}', CONFIG_AFTER: '1500'}),
    app('never', {CONFIG: '{"entities":["Never"]}', CONFIG_AFTER: 'never'}),
    {appID: 'shop', command: ['sleep', '1000']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const call = caller(run)
  t.match(await call('shop', '/Odd/1/method/slow', post('1')), {status: 200, body: '1'})
  await run.waitForLine(/"odd" GET \/dapr\/config: actorIdleTimeout: .*The default counts/, {stream: 'stderr'})
  t.match(await call('shop', '/Late/1/method/slow', post('1')), {status: 200, body: '1'}, 'it is waited for')
  for (const type of ['Broken', 'Texts', 'Never'])
    t.match(
      await call('shop', `/${type}/1/method/slow`, post('1')),
      {status: 500, body: /ERR_ACTOR_INVOKE_METHOD/},
      type
    )
})

t.test('a host that dies in a reminder gets it again; one every millisecond leaves others their turns', async t => {
  const {call, journal} = await openActors(t, {}, {restart: 'always'})
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200})
  t.match(await call('host', '/Counter/1/reminders/die', post({dueTime: '10ms'})), {status: 204})
  const deaths = (): number => worksOf(journal(), 'Counter/1').filter(work => work === 'remind/die').length
  await until(() => deaths() === 2)
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200, body: '2'})
  while ((await call('host', '/Counter/1/reminders/die')).status !== 404) await pause(10)
  t.match(await call('host', '/Counter/2/reminders/often', post({dueTime: '1ms', period: '1ms'})), {status: 204})
  t.match(await call('host', '/Counter/2/timers/often', post({dueTime: '1ms', period: '1ms'})), {status: 204})
  for (let turn = 1; turn <= 20; turn++) {
    t.match(await call('shop', '/Counter/2/method/add', post('1')), {status: 200, body: `${turn}`})
    t.match(await call('shop', '/Counter/3/method/add', post('1')), {status: 200, body: `${turn}`})
  }
  t.match(await call('host', '/Counter/2/reminders/often', {method: 'DELETE'}), {status: 204})
  t.match(await call('host', '/Counter/2/timers/often', {method: 'DELETE'}), {status: 204})
  const firings = worksOf(journal(), 'Counter/2')
  t.ok(firings.includes('remind/often') && firings.includes('timer/often'))
  t.notOk(journal().some(({overlap}) => overlap !== undefined))
})
