/** What the other tests of actors leave out of Dapr's tables: what the app gets, state, timers and reminders, over HTTP and gRPC. */
import t from 'tap'
import {openActors, post, until, worksOf, type Answer, type Line} from '../e2e/actors-house.ts'
import {openBoth, type GrpcAnswer} from '../e2e/actors-both.ts'

const invoked = (why: string): object => ({
  status: 500,
  body: JSON.stringify({errorCode: 'ERR_ACTOR_INVOKE_METHOD', message: `error invoke actor method: ${why}`})
})

t.test('what an app is asked, and how it answers calls: verbs, paths, tokens, identity, what is no 200', async t => {
  const {run, call, journal} = await openActors(
    t,
    {CONFIG: '{"entities":["Counter","Counter","a.b-c"],"actorIdleTimeout":"50ms"}'},
    {},
    {},
    {APP_API_TOKEN: 'for-app'}
  )
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    const headers = {'dapr-caller-app-id': 'somebody', 'x-dapr-remote': 'true', 'dapr-api-token': 'mine'}
    const {status, body} = await call('shop', '/Counter/1/method/head', {method, headers})
    t.match([status, JSON.parse(body)], [200, {method: 'PUT', headers: {'dapr-caller-app-id': 'shop'}}], method)
    t.match(JSON.parse(body), {headers: {'dapr-api-token': 'for-app'}})
  }
  const {body: bare} = await call('shop', '/Counter/1/method/head', {method: 'POST'})
  t.notOk(Object.hasOwn((JSON.parse(bare) as {headers: object}).headers, 'content-type'), 'only if the caller sent one')
  const cleaned = await call('shop', '/Counter/1/method/x%2F..%2Fhead', {method: 'POST'})
  t.match([cleaned.status, JSON.parse(cleaned.body)], [200, {url: '/actors/Counter/1/method/head'}])
  const deep = await call('shop', '/Counter/1/method/head%2Fdeep', {method: 'POST'})
  t.match([deep.status, JSON.parse(deep.body)], [200, {url: '/actors/Counter/1/method/head/deep'}])
  for (const [method, path] of [
    ['PATCH', '/Counter/1/method/head'],
    ['POST', '/Counter/1/method/a/b'],
    ['POST', '/Counter/1/method/'],
    ['POST', '/Counter//method/head']
  ] as const)
    t.match(await call('shop', path, {method}), {status: 404, body: /ERR_DIRECT_INVOKE/}, `${method} ${path}`)
  t.match(await call('shop', '/a.b-c/1/method/slow', post('1')), {status: 200, body: '1'})
  t.match(await call('shop', '/counter/1/method/slow', post('1')), {status: 500}, 'case matters')
  const answered = async (answer: object): Promise<Answer> => call('shop', '/Counter/1/method/answer', post(answer))
  t.match(await answered({status: 204}), invoked('error from actor service: (204) '))
  t.match(
    await answered({headers: {'X-DaprReminderCancel': 'true'}, body: 'x'}),
    invoked('reminder has been canceled'),
    'a call is no reminder'
  )
  await until(() => worksOf(journal(), 'Counter/1').includes('gone'))
  t.match(
    journal().find(({asked}) => asked !== undefined),
    {asked: {'content-type': 'application/json', 'dapr-app-id': 'host', 'dapr-api-token': 'for-app'}}
  )
  t.match(
    journal().find(({work}) => work === 'gone'),
    {headers: {'content-type': 'application/x-protobuf', 'dapr-api-token': 'for-app'}}
  )
  t.match(await call('shop', '/Counter/stays/method/slow', post('1')), {status: 200})
  await until(() => worksOf(journal(), 'Counter/stays').includes('gone'))
  t.match(await call('shop', '/Counter/stays/method/slow', post('1')), {status: 200}, 'it is gone all the same')
  await run.end('SIGINT')
})

const upsert = (request: object): object => ({operation: 'upsert', request})

const unsaved = (why: string): object => ({
  status: 500,
  body: JSON.stringify({
    errorCode: 'ERR_ACTOR_STATE_TRANSACTION_SAVE',
    message: `error saving actor transaction state: ${why}`
  })
})

/** What Dapr says of a member that is a number and should be a text. */
const noText = (name: string, value: string): string =>
  `1 error(s) decoding:\n\n* '${name}' expected type 'string', got unconvertible type 'float64', value: '${value}'`

/** A step of a transaction over gRPC. */
const operation = (key: string, more: object = {}): object => ({
  operationType: 'upsert',
  key,
  value: {typeUrl: '', value: Buffer.from([0, 255])},
  metadata: {},
  ...more
})

t.test('state: transactions and what is wrong with them, over HTTP and gRPC', async t => {
  const {call, grpc} = await openBoth(t)
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 200})
  const save = async (body: unknown): Promise<Answer> => call('host', '/Counter/1/state', post(body))
  const valueOf = async (key: string): Promise<string> => (await call('host', `/Counter/1/state/${key}`)).body
  t.match(await save([upsert({key: 'k', value: 1}), upsert({key: 'k', value: 2})]), {status: 204})
  t.equal(await valueOf('k'), '2', 'the later one')
  const rows: readonly (readonly [string, unknown, object])[] = [
    ['no JSON', 'x', {status: 400, body: /"ERR_MALFORMED_REQUEST","message":"failed deserializing HTTP body: /}],
    ['no list', {}, {status: 400, body: /ERR_MALFORMED_REQUEST/}],
    ['no operation', [{request: {key: 'k'}}], unsaved('operation is empty')],
    ['no request', [{operation: 'upsert'}], unsaved('request data is empty')],
    ['no key', [upsert({value: 1})], unsaved('missing key')],
    ['a key that is a number', [upsert({key: 7})], unsaved(noText('key', '7'))],
    ['a bad one in the middle', [upsert({key: 'm', value: 1}), {operation: 'x', request: {key: 'm'}}, upsert({key: 'n'})], unsaved('operation type x not supported')],
    ['a wrong etag', [upsert({key: 'm', value: 1}), upsert({key: 'k', value: 3, etag: 'wrong'})], {status: 500, body: /ERR_ACTOR_STATE_TRANSACTION_SAVE/}],
    ['no end', [upsert({key: 'e', value: 1, metadata: {ttlInSeconds: '0'}}), upsert({key: 'f', value: 1, metadata: {ttlInSeconds: '-1'}})], {status: 204}],
    ['deleted, missing', [{operation: 'delete', request: {key: 'none'}}], {status: 204}]
  ] // prettier-ignore
  for (const [what, body, expected] of rows) t.match(await save(body), expected, what)
  t.match([await valueOf('m'), await valueOf('n'), await valueOf('k')], ['', '', '2'], 'all or nothing')
  t.equal((await call('host', '/Counter/1/state/e')).headers.get('metadata.ttlexpiretime'), null)
  t.match(await call('host', '/Nobody/9/state/k'), {status: 204}, 'nothing is checked')
  t.match(
    await call('shop', '/Counter/1/state', post([])),
    {status: 400, body: /ERR_ACTOR_INSTANCE_MISSING/},
    'not here'
  )
  t.match(await save([{operation: 'delete', request: {key: 'k'}}]), {status: 204})
  t.match(await call('host', '/Counter/1/state/k'), {status: 204, body: ''})
  const transact = async (...operations: object[]): Promise<GrpcAnswer> =>
    grpc('ExecuteActorStateTransaction', {operations})
  t.match(await grpc('GetActorState', {key: 'none'}), {code: 0, answer: {data: Buffer.alloc(0)}})
  t.match(await transact(operation('b')), {code: 0})
  t.match(
    await grpc('GetActorState', {key: 'b'}),
    {code: 0, answer: {data: Buffer.from([0, 255])}},
    'bytes as they are'
  )
  t.match(await transact(operation('c'), operation('b', {operationType: ''})), {
    code: 12,
    message: 'operation type  not supported'
  })
  t.match(await transact(), {code: 0})
  t.match(await grpc('GetActorState', {key: 'c'}), {code: 0, answer: {data: Buffer.alloc(0)}}, 'all or nothing')
  t.match(await transact(operation('t', {metadata: {ttlInSeconds: 'soon'}})), {code: 13})
  t.match(await transact(operation('t', {metadata: {ttlInSeconds: '100'}})), {code: 0})
  t.match(await grpc('GetActorState', {key: 't'}), {answer: {metadata: {ttlExpireTime: /^20/}}})
  t.match(await transact(operation('b', {operationType: 'delete'})), {code: 0})
  t.match(await grpc('GetActorState', {key: 'b'}), {answer: {data: Buffer.alloc(0)}})
  for (const name of ['GetActorState', 'ExecuteActorStateTransaction']) {
    t.match(await grpc(name, {actorType: 'dapr.internal.x'}), {code: 7, message: /^actor type "dapr.internal.x" is reserved/}, name)
    t.match(await grpc(name, {actorId: '..'}), {code: 3, message: 'invalid actorId: name is a path traversal sequence: ".."'}, name)
  } // prettier-ignore
})

/** What is wrong with a wish, and the words for it behind those for its kind. */
type BadWish = readonly [kind: 'timer' | 'reminder', wish: Readonly<Record<string, string>>, why: string]

const BAD_WISHES: readonly BadWish[] = [
  ['timer', {dueTime: 'soon'}, 'error parsing timer due time: unsupported time/duration format: soon'],
  ['timer', {dueTime: 'R2/PT1S'}, 'error parsing timer due time: repetitions are not allowed'],
  ['timer', {period: 'soon'}, 'invalid timer period: parse error: unsupported duration format: soon'],
  ['timer', {period: 'R0/PT1S'}, 'invalid timer period: has zero repetitions'],
  ['timer', {dueTime: '1s', ttl: 'soon'}, 'error parsing timer TTL: unsupported time/duration format: soon'],
  ['timer', {dueTime: '1s', ttl: '2000-01-01T00:00:00Z'}, 'timer Counter||1||bad has already expired: dueTime: 1s TTL: 2000-01-01T00:00:00Z'],
  ['reminder', {}, 'job must have either a due time or a schedule'],
  ['reminder', {dueTime: 'soon'}, 'error parsing reminder due time: '],
  ['reminder', {period: 'P1D'}, 'unsupported period format: P1D'],
  ['reminder', {period: 'P1M'}, 'unsupported period format: P1M'],
  ['reminder', {dueTime: '1s', period: '0s'}, 'invalid reminder period: 0s would fire without end'],
  ['reminder', {dueTime: '1s', period: 'R2'}, 'invalid reminder period: R2 would fire without end'],
  ['reminder', {dueTime: '1s', period: 'R0/PT1S'}, 'invalid reminder period: has zero repetitions'],
  ['reminder', {dueTime: '1s', ttl: '5s'}, 'a time to live needs a period'],
  ['reminder', {dueTime: '1s', period: '1s', ttl: 'soon'}, 'error parsing reminder TTL: ']
] // prettier-ignore

t.test('timers and reminders that cannot be, over HTTP and gRPC', async t => {
  const {call, grpc, grpcAt} = await openBoth(t)
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 200})
  for (const [kind, wish, why] of BAD_WISHES) {
    const words = `error creating actor ${kind}: ${why}`
    const {status, body} = await call('host', `/Counter/1/${kind}s/bad`, post(wish))
    t.match([status, JSON.parse(body)], [500, {errorCode: `ERR_ACTOR_${kind.toUpperCase()}_CREATE`}], why)
    t.ok((JSON.parse(body) as {message: string}).message.startsWith(words), body)
    const method = kind === 'timer' ? 'RegisterActorTimer' : 'RegisterActorReminder'
    const told = await grpc(method, {name: 'bad', ...wish})
    t.ok(told.code === 13 && told.message.startsWith(words), `${told.code} ${told.message}`)
  }
  for (const kind of ['timer', 'reminder']) {
    for (const body of ['x', '[]', '{"dueTime":7}', '{"dueTime":'])
      t.match(await call('host', `/Counter/1/${kind}s/bad`, post(body)), {status: 400, body: /ERR_MALFORMED_REQUEST/}, body)
    const [register, unregister] = kind === 'timer' ? ['RegisterActorTimer', 'UnregisterActorTimer'] : ['RegisterActorReminder', 'UnregisterActorReminder']
    for (const name of ['a/b', 'a\\b', 'a#b', 'a?b', 'a\u0001']) {
      const path = `/Counter/1/${kind}s/${encodeURIComponent(name)}`
      const words = `invalid ${kind} name: name contains forbidden character: ${JSON.stringify(name)}`
      for (const init of [post({dueTime: '1h'}), {method: 'DELETE'}])
        t.match(await call('host', path, init), {status: 400, body: JSON.stringify({errorCode: 'ERR_BAD_REQUEST', message: `invalid request: ${words}`})}, path)
      for (const method of [register, unregister])
        t.match(await grpc(method, {name, dueTime: '1h'}), {code: 3, message: words}, `${method} ${name}`)
    }
    for (const method of [register, unregister])
      t.match(await grpc(method, {name: '..', dueTime: '1h'}), {code: 3, message: `invalid ${kind} name: name is a path traversal sequence: ".."`}, method)
    for (const method of [register, unregister])
      t.match(await grpc(method, {name: '', dueTime: '1h'}), {code: 3, message: `${kind} name cannot be empty`}, method)
    t.match(await call('host', `/dapr.internal.x/1/${kind}s/a`, post({dueTime: '1h'})), {status: 403, body: /ERR_ACTOR_TYPE_RESERVED/})
    t.match(await grpc(register, {actorType: 'dapr.internal.x', name: 'a'}), {code: 7, message: /reserved/})
    t.match(await call('host', `/Counter/1/${kind}s/none`, {method: 'DELETE'}), {status: 204})
    t.match(await grpc(unregister, {name: 'none'}), {code: 0})
  }
  const elsewhere = await grpcAt('shop')
  const hosted = 'operations on actor reminders are only possible on hosted actor types'
  for (const name of ['RegisterActorReminder', 'GetActorReminder', 'UnregisterActorReminder', 'ListActorReminders', 'UnregisterActorRemindersByType'])
    t.match(await elsewhere(name, {name: 'a', dueTime: '1h'}), {code: 7, message: hosted}, name)
  for (const [method, body] of [['POST', '{"dueTime":"1h"}'], ['PUT', '{"dueTime":"1h"}'], ['GET', undefined], ['DELETE', undefined]] as const)
    t.match(await call('shop', '/Counter/1/reminders/a', {method, ...(body && {body})}), {status: 403, body: JSON.stringify({errorCode: 'ERR_ACTOR_REMINDER_NON_HOSTED', message: hosted})})
  t.match(await elsewhere('RegisterActorTimer', {name: 'a', dueTime: '1h'}), {code: 13, message: "error creating actor timer: can't create timer for actor Counter||1: actor type not registered"})
  for (const name of ['ListActorReminders', 'UnregisterActorRemindersByType']) {
    t.match(await grpc(name, {actorType: 'a/b'}), {code: 3, message: 'invalid actorType: name contains forbidden character: "a/b"'}, name)
    t.match(await grpc(name, {actorType: 'dapr.internal.x'}), {code: 7, message: /reserved/}, name)
  }
}) // prettier-ignore

t.test('timers and reminders that fire: forms of time, data, replaced, cancelled, that fail; lists over gRPC', async t => {
  const {call, grpc, journal} = await openBoth(t)
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 200})
  const firings = (work: string): readonly Line[] => journal().filter(line => line.work === work)
  const past = '2001-01-01T00:00:00Z'
  const wishes: readonly (readonly [string, object])[] = [
    ['go', {dueTime: '0h0m0s1ms300μs', data: 7}],
    ['iso', {dueTime: 'PT0S', data: null}],
    ['date', {dueTime: past, data: false}],
    ['minus', {dueTime: '-1s'}],
    ['other', {dueTime: '1ms', unknown: [1], data: {b: [1, 'x']}}]
  ]
  for (const kind of ['timer', 'reminder'])
    for (const [name, wish] of wishes)
      t.match(await call('host', `/Counter/1/${kind}s/${name}`, post(wish)), {status: 204}, `${kind} ${name}`)
  t.match(await call('host', '/Counter/1/timers/at-once', post({period: 'R1/PT1S'})), {status: 204})
  await until(() => firings('timer/at-once').length === 1)
  for (const [name, wish] of wishes) {
    await until(() => firings(`timer/${name}`).length === 1 && firings(`remind/${name}`).length === 1)
    for (const kind of ['timer', 'remind']) {
      const body = firings(`${kind}/${name}`)[0]?.body as Readonly<Record<string, unknown>>
      t.equal(Object.hasOwn(body, 'data'), Object.hasOwn(wish, 'data'), `${kind} ${name}`)
      t.strictSame(body['data'], (wish as {data?: unknown}).data)
    }
  }
  for (const name of ['cancel-me', 'fail']) {
    t.match(await call('host', `/Counter/2/timers/${name}`, post({dueTime: '1ms', period: 'R3/PT1S'})), {status: 204})
    t.match(await call('host', `/Counter/2/reminders/${name}`, post({dueTime: '1ms', period: '1h'})), {status: 204})
  }
  await until(() => firings('remind/cancel-me').length === 1)
  while ((await call('host', '/Counter/2/reminders/cancel-me')).status !== 404) await new Promise(setImmediate)
  await until(() => firings('timer/fail').length === 3 && firings('remind/fail').length === 4)
  t.equal(firings('timer/cancel-me').length, 1, 'the header ends the series')
  const [first, second] = firings('remind/fail')
  t.ok((second?.at ?? 0) - (first?.at ?? 0) >= 900, 'a second between the tries')
  t.match(await call('host', '/Counter/2/reminders/fail'), {status: 200}, 'the next firing comes')
  t.match(await call('host', '/Counter/2/reminders/fail', {method: 'DELETE'}), {status: 204})
  const policies = {'fail-dropped': {drop: {}}, 'fail-twice': {constant: {interval: {seconds: 0n, nanos: 1e6}, maxRetries: 1}}, 'fail-on': {constant: {interval: {seconds: 0n, nanos: 1e6}}}}
  for (const [name, failurePolicy] of Object.entries(policies))
    t.match(await grpc('RegisterActorReminder', {actorId: '3', name, dueTime: '1ms', data: Buffer.from('d'), failurePolicy}), {code: 0})
  await until(() => firings('remind/fail-on').length > 10)
  t.match(await grpc('UnregisterActorReminder', {actorId: '3', name: 'fail-on'}), {code: 0})
  for (const name of ['fail-dropped', 'fail-twice'])
    while ((await grpc('GetActorReminder', {actorId: '3', name})).code !== 5) await new Promise(setImmediate)
  t.strictSame([firings('remind/fail-dropped').length, firings('remind/fail-twice').length], [1, 2])
  t.match(firings('remind/fail-twice')[0]?.body, {data: 'ZA=='}, 'bytes as a text of base64')
  for (const [actorId, name] of [['4', 'a'], ['4', 'b'], ['5', 'c']] as const)
    t.match(await grpc('RegisterActorReminder', {actorId, name, dueTime: '1h', ttl: '', data: Buffer.from('x')}), {code: 0})
  const named = async (more: object): Promise<readonly string[]> =>
    ((await grpc('ListActorReminders', {actorId: undefined, ...more})).answer as {reminders: readonly {name: string}[]}).reminders.map(({name}) => name).toSorted()
  t.strictSame([await named({}), await named({actorId: '4'}), await named({actorId: '6'})], [['a', 'b', 'c'], ['a', 'b'], []])
  t.match(await grpc('UnregisterActorRemindersByType', {actorId: '4'}), {code: 0})
  t.strictSame(await named({}), ['c'])
  t.match(await grpc('UnregisterActorRemindersByType', {actorId: undefined}), {code: 0})
  t.strictSame(await named({}), [])
  t.match(await grpc('RegisterActorTimer', {name: 'beat', dueTime: '1ms', period: 'PT1H', callback: 'c'}), {code: 0})
  await until(() => firings('timer/beat').length === 1)
  t.notOk(Object.hasOwn(firings('timer/beat')[0]?.body as object, 'data'))
  t.match(await grpc('UnregisterActorTimer', {name: 'beat'}), {code: 0})
}) // prettier-ignore
