import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {failure, openInvoke} from './bindings-shop.ts'

t.test('bindings.redis: keys as they are, on the built-in Redis', async t => {
  const host = {redisHost: `localhost:${await freePort()}`}
  const {shop, invoke} = await openInvoke(t, {
    'resources/keys.yaml': component('keys', 'bindings.redis', host),
    'resources/states.yaml': component('states', 'state.redis', {...host, keyPrefix: 'none'})
  })
  const call = async (operation: string, metadata: object, data?: unknown): Promise<object> =>
    invoke('keys', {operation, metadata, data})
  t.match(await call('create', {key: 'a'}, {fruit: 'pear'}), {status: 204, body: ''})
  t.match(await call('get', {key: 'a'}), {
    status: 200,
    body: '{"fruit":"pear"}',
    headers: {'content-type': 'application/json'}
  })
  t.match(await shop.fetch('/v1.0/state/states/a'), {status: 200, body: '{"fruit":"pear"}'})
  t.match(await call('create', {key: 'text'}, 'plum'), {status: 204})
  t.match(await call('get', {key: 'text', delete: 'true'}), {status: 200, body: '"plum"'})
  t.match(await call('get', {key: 'text'}), {status: 200, body: ''})
  t.match(await call('delete', {key: 'a'}), {status: 204})
  t.match(await call('get', {key: 'a'}), {status: 200, body: ''})
  t.match(await call('increment', {key: 'n', ttlInSeconds: '100'}), {status: 204})
  t.match(await call('increment', {key: 'n', ttl: '1m'}), {status: 204})
  t.match(await call('get', {key: 'n'}), {status: 200, body: '2'})
  t.match(await call('create', {key: 'gone', ttl: '0s'}, 1), {status: 204})
  t.match(await call('get', {key: 'gone'}), {status: 200, body: ''})
  t.match(await call('get', {}), failure('keys', 'redis binding: missing key in request metadata'))
  t.match(
    await call('create', {key: 'x', ttlInSeconds: '-1'}),
    failure('keys', "ttl value must be higher than zero: actual is '-1'")
  )
  t.match(
    await call('create', {key: 'x', ttlInSeconds: 'soon'}),
    failure('keys', "ttl value must be a valid integer: actual is 'soon'")
  )
  await call('create', {key: 'word'}, 'a word')
  t.match(await call('increment', {key: 'word'}), failure('keys', 'ERR value is not an integer or out of range'))
  t.match(
    await call('list', {}),
    failure('keys', 'binding keys does not support operation list. supported operations:create delete get increment')
  )
})
