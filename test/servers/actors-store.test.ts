import t from 'tap'
import {openActors, post} from '../e2e/actors-house.ts'
import {component} from '../rig/resource-files.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'

t.test('the store of actors goes away while it is open, and comes back', {skip: skipWithoutRedis}, async t => {
  const redis = await realRedis(t)
  const properties = {redisHost: `127.0.0.1:${redis.port}`, actorStateStore: 'true', maxRetries: '1'}
  const {rig, call} = await openActors(t, {}, {}, {'resources/mem.yaml': component('mem', 'state.redis', properties)})
  const add = async (): Promise<unknown> => call('shop', '/Counter/1/method/add', post('1'))
  t.match(await add(), {status: 200, body: '1'})
  t.match(await call('host', '/Counter/1/reminders/later', post({dueTime: '1h'})), {status: 204})
  await redis.stop()
  t.match(await call('host', '/Counter/1/state/value'), {status: 500, body: /"ERR_ACTOR_STATE_GET"/})
  const write = post([{operation: 'upsert', request: {key: 'value', value: 7}}])
  t.match(await call('host', '/Counter/1/state', write), {status: 500, body: /"ERR_ACTOR_STATE_TRANSACTION_SAVE"/})
  t.match(await add(), {status: 500, body: /ERR_ACTOR_STATE/}, 'the app tells what it was told')
  t.match(await call('shop', '/Counter/1/method/slow', post('1')), {status: 200, body: '1'}, 'its turns go on')
  t.match(await call('host', '/Counter/1/reminders/later'), {status: 200}, 'reminders are kept elsewhere')
  await redis.start()
  t.match(await add(), {status: 200, body: '1'}, 'that Redis has forgotten all')
  t.match(await add(), {status: 200, body: '2'})
  t.match(await rig.run(['actors', 'Counter/1']), {code: 0})
})
