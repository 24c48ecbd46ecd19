/** What goes away under actors: the type that an app hosts, and its process. */
import t from 'tap'
import {openActors, post, until, worksOf} from './actors-house.ts'

t.test('a host that hosts other types after a reload: the old one waits for its next host', async t => {
  const {rig, call, journal} = await openActors(t)
  const add = async (type: string): Promise<{status: number; body: string}> => call('shop', `/${type}/1/method/add`, post('1'))
  t.match(await add('Counter'), {status: 200, body: '1'})
  t.match(await call('host', '/Counter/1/reminders/tick', post({dueTime: '1ms', period: '20ms'})), {status: 204})
  const ticks = (): number => worksOf(journal(), 'Counter/1').filter(work => work === 'remind/tick').length
  await until(() => ticks() > 0)
  const begins = (): number => new Set(journal().map(({pid}) => pid)).size
  await rig.write({'host/config.json': '{"entities":["Cart"]}'})
  await until(() => begins() === 2)
  t.match(await add('Cart'), {status: 200, body: '1'})
  t.match(await add('Counter'), {status: 500, body: /ERR_ACTOR_INVOKE_METHOD/}, 'nobody hosts it')
  t.match(await call('shop', '/Cart/1/method/slow', post('100')), {status: 200})
  const [before] = [ticks()]
  t.match(await call('shop', '/Cart/1/method/slow', post('100')), {status: 200})
  t.equal(ticks(), before, 'nobody gets its reminder')
  await rig.write({'host/config.json': '{"entities":["Counter","Cart"]}'})
  await until(() => begins() === 3)
  t.match(await add('Counter'), {status: 200, body: '2'}, 'its state is as it was')
  t.match(await add('Cart'), {status: 200, body: '2'})
  await until(() => ticks() > before)
  t.notOk(journal().some(({overlap}) => overlap !== undefined))
}) // prettier-ignore

t.test('a host that dies after it has let an actor go, and before the next call of it', async t => {
  const CONFIG = '{"entities":["Counter"],"actorIdleTimeout":"200ms","actorScanInterval":"100ms"}'
  const {run, call, journal} = await openActors(t, {CONFIG}, {restart: 'always'})
  for (let round = 1; round <= 2; round++) {
    const answer = await call('shop', '/Counter/1/method/add', post('1'))
    t.match(answer, {status: 200, body: round.toString()}, `round ${round}: by the next process`)
    await until(() => worksOf(journal(), 'Counter/1').at(-1) === 'gone')
    process.kill(journal().at(-1)?.pid ?? 0, 'SIGKILL')
    await run.waitForLine('"host" was ended by SIGKILL', {stream: 'stderr', nth: round})
  }
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200, body: '3'})
  t.equal(new Set(journal().map(({pid}) => pid)).size, 3)
})
