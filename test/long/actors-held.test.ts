/** What holds an actor's calls, timers and reminders to rules: timeouts of a type, access control; and where its state lies, for whom. */
import {readdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import t from 'tap'
import {component} from '../rig/resource-files.ts'
import {openBoth} from '../e2e/actors-both.ts'
import {openRig} from '../rig/rig.ts'
import {caller, openActors, post, STORE, until, worksOf} from '../e2e/actors-house.ts'

const HOST = join(import.meta.dirname, '../fixtures/apps/actor-host.mjs')

const resiliency = (actors: object): string =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Resiliency',
    metadata: {name: 'calm'},
    spec: {
      policies: {timeouts: {short: '200ms'}, retries: {often: {policy: 'constant', duration: '10ms', maxRetries: 2}}},
      targets: {actors}
    }
  })

t.test('policies of a type: a timer or reminder that takes too long is cut, and is not retried by them; an actor’s own error is', async t => {
  const {rig, call, grpc, journal} = await openBoth(t, {CONFIG: '{"entities":["Counter","Own"]}'}, {}, {
    'resources/calm.yaml': resiliency({Counter: {timeout: 'short', retry: 'often'}, Own: {retry: 'often'}})
  })
  const works = (work: string): number => worksOf(journal(), 'Counter/1').filter(each => each === work).length
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 200})
  t.match(await call('host', '/Counter/1/timers/hang', post({dueTime: '1ms'})), {status: 204})
  await until(() => works('timer/hang') === 1)
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 200, body: '1'}, 'its turn is over')
  t.equal(works('timer/hang'), 1)
  const failurePolicy = {drop: {}}
  t.match(await grpc('RegisterActorReminder', {name: 'hang', dueTime: '1ms', failurePolicy}), {code: 0})
  await until(() => works('remind/hang') === 1)
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 200, body: '1'})
  while ((await call('host', '/Counter/1/reminders/hang')).status !== 404) await new Promise(setImmediate)
  t.equal(works('remind/hang'), 1)
  const told = await rig.run(['calls', 'actor:Counter/1', 'is:own', 'is:failed', '-o', 'ndjson'])
  const hung = told.stdout.trimEnd().split('\n').map(line => JSON.parse(line) as {readonly actor: {readonly method: string}})
  t.strictSame(hung.map(({actor}) => actor.method).toSorted(), ['remind/hang', 'timer/hang'])
  const own = {headers: {'X-DaprErrorResponseHeader': 'x'}, body: 'mine'}
  t.match(await call('shop', '/Own/1/method/answer', post(own)), {status: 200, body: 'mine'}, 'its last answer')
  t.equal(worksOf(journal(), 'Own/1').length, 3)
}) // prettier-ignore

t.test('access control does not look at calls of actors, over HTTP and gRPC', async t => {
  const spec = {accessControl: {defaultAction: 'deny', trustDomain: 'public'}}
  const config = JSON.stringify({kind: 'Configuration', spec})
  const {call, grpcAt, run} = await openBoth(t, {}, {configFilePath: 'config.yaml'}, {'host/config.yaml': config})
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 200, body: '1'})
  t.match(await (await grpcAt('shop'))('InvokeActor', {method: 'slow', data: Buffer.from('1')}), {code: 0})
  const {http} = await run.ports('shop')
  const invoked = await fetch(`http://127.0.0.1:${http}/v1.0/invoke/host/method/health`)
  t.equal(invoked.status, 403, 'as it does at others')
}) // prettier-ignore

t.test('state lies under APP||TYPE||ID||KEY, whatever the prefix of the store; what others have written there is read', async t => {
  const store = component('mem', 'state.sqlite', {connectionString: 'state.db', actorStateStore: 'TRUE', keyPrefix: 'none'})
  const {rig, call, run} = await openActors(t, {}, {}, {'resources/mem.yaml': store})
  t.match(await call('shop', '/Counter/a%20b/method/add', post('5')), {status: 200, body: '5'})
  const [file = ''] = readdirSync(rig.folder, {recursive: true, encoding: 'utf8'}).filter(name => name.endsWith('state.db'))
  const db = new DatabaseSync(join(rig.folder, file))
  t.match(db.prepare('SELECT key, value FROM state').all(), [{key: 'host||Counter||a b||value', value: '5'}])
  db.prepare("UPDATE state SET value = '7'").run()
  db.close()
  t.match(await call('shop', '/Counter/a%20b/method/add', post('1')), {status: 200, body: '8'}, 'what others have written')
  const {http} = await run.ports('host')
  const state = `http://127.0.0.1:${http}/v1.0/state/mem`
  const query = await fetch(`${state}/${encodeURIComponent('host||Counter||a b||value')}`)
  t.match([query.status, await query.text()], [400, /'\|\|'/], 'it is no ordinary state')
}) // prettier-ignore

const marked = (name: string): string => component(name, 'state.in-memory', {actorStateStore: 'true'})

const seenBy = (app: string, text: string): string => JSON.stringify({...(JSON.parse(text) as object), scopes: [app]})

t.test('two stores that are marked for actors: the app that sees both does not start, in Dapr’s words', async t => {
  const {run, call} = await openActors(t, {}, {}, {'resources/mem.yaml': marked('a'), 'resources/second.yaml': seenBy('host', marked('b'))})
  await run.waitForLine(/detected duplicate actor state store: (?:a and b|b and a)/, {stream: 'stderr'})
  await run.waitForLine(/resources\/second\.yaml:1:\d+/, {stream: 'stderr'})
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 500})
}) // prettier-ignore

t.test('a store that an app may not see is none for its actors', async t => {
  const store = seenBy('shop', marked('mem'))
  const {call, run} = await openActors(t, {}, {}, {'resources/mem.yaml': store})
  await run.waitForLine('"host" hosts actors (Counter), but no state store has actorStateStore: "true"', {stream: 'stderr'})
  t.match(await call('host', '/Counter/1/state/k'), {status: 500, body: /ERR_ACTOR_RUNTIME_NOT_FOUND/})
}) // prettier-ignore

t.test('names of types and methods: any character but those that cannot be, over HTTP and gRPC; no method at all', async t => {
  const types = ['ä b', '日本', 'a%b', 'a+b', '||', '😀', '"', 'a.b-c', 'x'.repeat(2000)]
  const {call, grpc} = await openBoth(t, {CONFIG: JSON.stringify({entities: types})})
  for (const actorType of types) {
    const path = `/${encodeURIComponent(actorType)}/1/method`
    t.match(await call('shop', `${path}/add`, post('2')), {status: 200, body: '2'}, actorType.slice(0, 9))
    const {code, answer} = await grpc('InvokeActor', {actorType, method: 'add', data: Buffer.from('1')})
    t.match([code, String((answer as {data: Uint8Array}).data)], [0, '3'])
    t.match(await call('host', `/${encodeURIComponent(actorType)}/1/timers/t`, post({dueTime: '1h'})), {status: 204})
  }
  const [actorType = ''] = types
  for (const method of ['a?b', 'a#b', 'a\\b', 'a\u0001']) {
    const words = `invalid actor method: method contains forbidden character: ${JSON.stringify(method)}`
    t.match(await call('shop', `/${encodeURIComponent(actorType)}/1/method/${encodeURIComponent(method)}`, post('')), {status: 400, body: JSON.stringify({errorCode: 'ERR_BAD_REQUEST', message: `invalid request: ${words}`})})
    t.match(await grpc('InvokeActor', {actorType, method}), {code: 3, message: words})
  }
  t.match(await grpc('InvokeActor', {actorType, method: ''}), {code: 13, message: `error invoke actor method: actor method not found: actors/${actorType}/1/method/`})
}) // prettier-ignore

/** Calls that actor, for the method `call`. */
const nested = (path: string, body: string): string => JSON.stringify({path, body})

t.test('reentrancy: a chain over other actors enters again, also by gRPC and with a shared id; what comes from elsewhere waits', async t => {
  const {rig, call, grpc, journal} = await openBoth(t, {CONFIG: '{"entities":["Counter"],"reentrancy":{"enabled":true}}'})
  const circle = nested('Counter/2/method/call', nested('Counter/1/method/add', '5'))
  t.match(await call('shop', '/Counter/1/method/call', post(circle)), {status: 200, body: '5'}, 'over HTTP')
  const {code, answer} = await grpc('InvokeActor', {method: 'call', data: Buffer.from(circle)})
  t.match([code, String((answer as {readonly data: Uint8Array}).data)], [0, '10'], 'over gRPC')
  const chain = {'Dapr-Reentrancy-Id': 'shared'}
  const release = join(rig.home, 'release')
  const held = call('shop', '/Counter/3/method/hold', {...post(release), headers: chain})
  await until(() => worksOf(journal(), 'Counter/3').includes('hold'))
  t.match(await call('host', '/Counter/3/reminders/wake', post({dueTime: '1ms'})), {status: 204})
  t.match(await call('shop', '/Counter/3/method/add', {...post('1'), headers: chain}), {status: 200, body: '1'}, 'from outside')
  t.match(await grpc('InvokeActor', {actorId: '3', method: 'add', data: Buffer.from('1'), metadata: chain}), {code: 0})
  const waits = call('shop', '/Counter/3/method/add', {...post('1'), headers: {'Dapr-Reentrancy-Id': 'other'}})
  t.match(await call('shop', '/Counter/3/method/head', {...post(''), headers: chain}), {status: 200})
  t.strictSame(worksOf(journal(), 'Counter/3'), ['hold', 'add', 'add', 'head'], 'a reminder waits, and so does another chain')
  writeFileSync(release, '')
  t.match(await held, {status: 200})
  t.match(await waits, {status: 200, body: '3'})
  await until(() => worksOf(journal(), 'Counter/3').includes('remind/wake'))
}) // prettier-ignore

t.test('one type of two app ids: each id lives at one of them, and its state is that of this app', async t => {
  const rig = await openRig(t)
  const host = (appID: string) => ({appID, appDirPath: '.', autoPort: true, command: [process.execPath, HOST], env: {JOURNAL: join(rig.home, appID), NAME: appID}})
  await rig.write({'resources/mem.yaml': STORE})
  await rig.template([host('one'), host('two'), {appID: 'shop', command: ['sleep', '1000']}], {resourcesPath: 'resources'})
  const call = caller(rig.pillion(['run', '-f', '.']))
  const placeOf = async (id: string): Promise<string> => (await call('shop', `/Counter/${id}/method/env`, post('NAME'))).body
  const places = new Map<string, string>()
  for (let id = 0; new Set(places.values()).size < 2; id++) places.set(`${id}`, await placeOf(`${id}`))
  for (const [id, place] of places) {
    t.match(await call('shop', `/Counter/${id}/method/add`, post('7')), {status: 200, body: '7'})
    t.equal(await placeOf(id), place, 'it stays')
    for (const app of ['one', 'two']) t.equal((await call(app, `/Counter/${id}/state/value`)).body, app === place ? '7' : '')
  }
}) // prettier-ignore
