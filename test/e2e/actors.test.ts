import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {caller, openActors, post, until, worksOf, type Answer, type Line} from './actors-house.ts'

const invoked = (why: string): object => ({
  status: 500,
  body: JSON.stringify({errorCode: 'ERR_ACTOR_INVOKE_METHOD', message: `error invoke actor method: ${why}`})
})

t.test('calls of actors over HTTP: what the app gets, answers, and errors in Dapr’s words', async t => {
  const {call, journal} = await openActors(t)
  const head = await call('shop', '/Counter/a%7C%7Cb%20c/method/head?x=1', {method: 'GET', headers: {'x-sent': '1'}})
  t.match(head, {status: 200})
  t.equal(head.headers.get('x-mine'), 'yes')
  t.equal(head.headers.get('content-type'), 'application/json')
  t.match(JSON.parse(head.body), {
    url: '/actors/Counter/a%7C%7Cb%20c/method/head?x=1',
    headers: {'x-sent': '1', 'dapr-caller-app-id': 'shop', 'dapr-caller-namespace': 'default', 'dapr-api-call': 'true'}
  })
  t.match(await call('shop', '/Counter/1/method/add', post('5')), {status: 200, body: '5'})
  t.match(await call('host', '/Counter/1/state/value'), {status: 200, body: '5'})
  t.match(await call('host', '/Counter/1/state/none'), {status: 204})
  const answered = async (answer: object): Promise<Answer> => call('shop', '/Counter/1/method/answer', post(answer))
  t.match(await answered({status: 500, body: 'why'}), invoked('error from actor service: (500) why'))
  t.match(await answered({status: 201, body: 'made'}), invoked('error from actor service: (201) made'))
  t.match(
    await call('shop', '/Counter/1/method/nothing', post('')),
    invoked('actor method not found: actors/Counter/1/method/nothing')
  )
  const own = await answered({body: 'mine', headers: {'X-DaprErrorResponseHeader': 'x', 'content-type': 'text/plain'}})
  t.match(own, {status: 200, body: 'mine'})
  t.match([own.headers.get('x-daprerrorresponseheader'), own.headers.get('content-type')], ['x', 'text/plain'])
  t.match(
    await call('shop', '/Cart/1/method/add', post('5')),
    invoked(
      "failed to lookup actor: api error: code = FailedPrecondition desc = did not find address for actor 'Cart/1' [the apps of this run host: Counter]"
    )
  )
  t.match(await call('shop', '/Counter/a%2Fb/method/add', post('')), {
    status: 400,
    body: '{"errorCode":"ERR_BAD_REQUEST","message":"invalid request: invalid actorId: name contains forbidden character: \\"a/b\\""}'
  })
  t.match(await call('shop', '/Counter/1', {method: 'DELETE'}), {status: 404})
  const transaction = (...steps: object[]): Promise<Answer> => call('host', '/Counter/1/state', post(steps))
  t.match(
    await transaction({operation: 'upsert', request: {key: 'a', value: 1}}, {operation: 'move', request: {key: 'a'}}),
    {
      status: 500,
      body: '{"errorCode":"ERR_ACTOR_STATE_TRANSACTION_SAVE","message":"error saving actor transaction state: operation type move not supported"}'
    }
  )
  t.match(await call('host', '/Counter/1/state/a'), {status: 204}, 'all or nothing')
  t.match(await transaction(), {status: 204})
  t.match(await transaction({operation: 'upsert', request: {key: 'a', value: 1, metadata: {ttlInSeconds: '10'}}}), {
    status: 204
  })
  t.match((await call('host', '/Counter/1/state/a')).headers.get('metadata.ttlexpiretime'), /^20/)
  t.match(await call('host', '/Counter/2/state', post([])), {
    status: 400,
    body: '{"errorCode":"ERR_ACTOR_INSTANCE_MISSING","message":"actor instance is missing"}'
  })
  t.match(await call('host', '/dapr.internal.default.x/2/state', post([])), {
    status: 403,
    body: /ERR_ACTOR_TYPE_RESERVED/
  })
  t.notOk(journal().some(({overlap}) => overlap !== undefined))
})

t.test('timers and reminders: set, fire, replace, delete, and what cannot be', async t => {
  const {call, journal} = await openActors(t, {CONFIG: '{"entities":["Counter"],"actorIdleTimeout":"200ms"}'})
  const timer = {dueTime: '10ms', period: 'R2/PT1S', data: {a: 1}, callback: 'tick'}
  t.match(await call('host', '/Counter/1/timers/beat', post(timer)), {status: 204})
  t.match(await call('host', '/Counter/1/reminders/wake', post({dueTime: '0h0m0s20ms', data: 'x'})), {status: 204})
  const firings = (name: string): readonly Line[] => journal().filter(({work}) => work === name)
  await until(() => firings('timer/beat').length === 2 && firings('remind/wake').length === 1)
  t.strictSame(firings('timer/beat')[0]?.body, {callback: 'tick', data: {a: 1}, dueTime: '10ms', period: 'R2/PT1S'})
  t.strictSame(firings('remind/wake')[0]?.body, {data: 'x', dueTime: '', period: ''})
  t.ok(worksOf(journal(), 'Counter/1').includes('gone'), 'an idle actor is let go, and a timer brings it back')
  const missing = {status: 404, body: /ERR_ACTOR_REMINDER_NOT_FOUND.*actor reminder not found: wake/}
  while ((await call('host', '/Counter/1/reminders/wake')).status !== 404) await pause(10)
  t.match(await call('host', '/Counter/1/reminders/wake'), missing)
  t.match(await call('host', '/Counter/1/reminders/late', post({dueTime: '1h', period: '2h', data: [1]})), {
    status: 204
  })
  t.equal(
    (await call('host', '/Counter/1/reminders/late')).body,
    '{"actorID":"1","actorType":"Counter","data":[1],"dueTime":"1h","period":"@every 2h0m0s"}'
  )
  t.match(await call('host', '/Counter/1/reminders/late', post({dueTime: '1h', overwrite: false})), {
    status: 409,
    body: /ERR_ACTOR_REMINDER_ALREADY_EXISTS.*actor reminder already exists: late/
  })
  t.match(await call('host', '/Counter/1/reminders/late', {method: 'DELETE'}), {status: 204})
  t.match(await call('host', '/Counter/1/reminders/late', {method: 'DELETE'}), {status: 204})
  const bad: readonly (readonly [string, object, number, string])[] = [
    ['timers', {dueTime: 'soon'}, 500, 'error creating actor timer: error parsing timer due time: unsupported time/duration format: soon'],
    ['timers', {dueTime: 'R2/PT1S'}, 500, 'error creating actor timer: error parsing timer due time: repetitions are not allowed'],
    ['timers', {period: 'soon'}, 500, 'error creating actor timer: invalid timer period: parse error: unsupported duration format: soon'],
    ['timers', {period: 'R0/PT1S'}, 500, 'error creating actor timer: invalid timer period: has zero repetitions'],
    ['reminders', {}, 500, 'error creating actor reminder: job must have either a due time or a schedule'],
    ['reminders', {period: 'P1D'}, 500, 'error creating actor reminder: unsupported period format: P1D'],
    ['reminders', {dueTime: '1s', period: '0s'}, 500, 'error creating actor reminder: invalid reminder period: 0s would fire without end']
  ] // prettier-ignore
  for (const [what, wish, status, message] of bad) {
    const answer = await call('host', `/Counter/1/${what}/bad`, post(wish))
    t.match([answer.status, answer.body], [status, `"message":"${message}`])
  }
  const ttlOf = async (ttl: string): Promise<unknown> => {
    await call('host', '/Counter/1/reminders/ends', post({dueTime: '1h', period: '1h', ttl}))
    return (JSON.parse((await call('host', '/Counter/1/reminders/ends')).body) as {ttl?: unknown}).ttl
  }
  t.equal(await ttlOf('2040-01-01T00:00:00Z'), '2040-01-01T00:00:00Z', 'one that is a time is given back')
  t.equal(await ttlOf('10h'), undefined, 'one that is a duration is not')
  t.match(await call('shop', '/Counter/1/reminders/r', post({dueTime: '1s'})), {
    status: 403,
    body: /ERR_ACTOR_REMINDER_NON_HOSTED/
  })
  t.match(await call('shop', '/Counter/1/timers/r', post({dueTime: '1s'})), {
    status: 500,
    body: /can't create timer for actor Counter\|\|1: actor type not registered/
  })
})

t.test('an app that is saved and killed under calls: none is lost, twice or out of turn, and actors leave', async t => {
  const {rig, run, call, journal} = await openActors(t, {LATE: '300'}, {restart: 'always'})
  const counts = new Map<string, number>()
  const failures: string[] = []
  const over = new AbortController()
  const load = async (id: string): Promise<void> => {
    while (!over.signal.aborted) {
      const {status, body} = await call('shop', `/Counter/${id}/method/add`, post('1'))
      if (status === 200) counts.set(id, (counts.get(id) ?? 0) + 1)
      else failures.push(body)
      await pause(5)
    }
  }
  const loads = ['1', '2', '3', '1', '2', '3'].map(load)
  await until(() => counts.size === 3)
  for (let save = 1; save <= 3; save++) {
    const before = journal().length
    const isCalled = (id: string): boolean => worksOf(journal().slice(before), `Counter/${id}`).includes('add')
    await until(() => ['1', '2', '3'].every(isCalled))
    await rig.write({'host/version.txt': `${save}`})
    await run.waitForLine(/^ℹ️ {2}host: reloaded in /, {nth: save})
  }
  over.abort()
  await Promise.all(loads)
  t.strictSame(failures, [])
  t.notOk(journal().some(({overlap}) => overlap !== undefined))
  for (const [id, count] of counts) {
    t.match(await call('shop', `/Counter/${id}/method/add`, post('0')), {status: 200, body: `${count}`}, id)
    t.ok(worksOf(journal(), `Counter/${id}`).filter(work => work === 'gone').length >= 3, 'let go by each save')
  }
  const died = call('shop', '/Counter/1/method/die', post(''))
  const after = call('shop', '/Counter/1/method/add', post('1'))
  t.match(await died, {status: 500, body: /error invoke actor method: .*EOF/})
  t.match(await after, {status: 200, body: `${(counts.get('1') ?? 0) + 1}`}, 'who waits gets the next process')
})

t.test('reminders outlive kill -9 of the run; of a repeating one only the latest missed comes', async t => {
  const house = await openActors(t)
  const {rig, call, journal} = house
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200})
  t.match(await call('host', '/Counter/1/reminders/once', post({dueTime: '500ms', data: 1})), {status: 204})
  t.match(await call('host', '/Counter/1/reminders/often', post({dueTime: '100ms', period: '100ms'})), {status: 204})
  t.match(await call('host', '/Counter/1/reminders/far', post({dueTime: '1h'})), {status: 204})
  house.run.signal('SIGKILL')
  await house.run.exited
  await pause(3000) // nobody runs for longer than a firing may be late without being missed
  const before = journal().length
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('reminders of actors wait')
  const later = (): readonly Line[] => journal().slice(before)
  await until(() => worksOf(later(), 'Counter/1').filter(work => work === 'remind/often').length >= 2)
  await until(() => worksOf(later(), 'Counter/1').includes('remind/once'))
  t.equal(worksOf(later(), 'Counter/1').filter(work => work === 'remind/once').length, 1)
  t.match(
    await rig.logged('host', /reminder Counter\|\|1\|\|often: \d+ firings were missed and passed over/),
    undefined
  )
  const again = caller(run)
  t.match(await again('host', '/Counter/1/reminders/often', {method: 'DELETE'}), {status: 204})
  t.match(await again('host', '/Counter/1/reminders/far'), {status: 200})
  t.match(await again('host', '/Counter/2/reminders/daily', post({dueTime: '2h', period: '1h'})), {status: 204})
  const skipped = await rig.run(['skip', '4h'])
  t.match(skipped, {code: 0})
  const lines = skipped.stdout.split('\n').filter(line => / {2}host {2}Counter\/2: reminder daily fires$/.test(line))
  t.equal(lines.length, 3, 'each firing on the way has a line')
  t.equal(worksOf(journal(), 'Counter/2').filter(work => work === 'remind/daily').length, 3)
  t.match(await again('host', '/Counter/1/reminders/far'), {status: 404}, 'it was due on the way')
})
