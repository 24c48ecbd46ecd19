import t from 'tap'
import {BuiltInRedis} from '../built-in-redis.ts'
import {ClientConnection} from '../client-connection.ts'
import {answererOf, identify} from '../identify.ts'

t.test('the Redis of a copy is recognised by its name in any script, whoever asks', async t => {
  for (const space of ['shop-1', 'größe-2', 'проект-3', '計画-4']) {
    const redis = await BuiltInRedis.open({port: 0, space, warn: text => t.fail(text)})
    t.teardown(async () => redis.close())
    t.same(await identify(redis.port), {kind: 'built-in', space})
    const client = await ClientConnection.open({host: '127.0.0.1', port: redis.port})
    t.teardown(async () => client.close())
    for (const connection of [client, redis.connect()])
      t.same(answererOf(String(await connection.command(['INFO', 'server']))), {kind: 'built-in', space})
  }
})
