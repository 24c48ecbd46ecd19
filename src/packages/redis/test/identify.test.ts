import {once} from 'node:events'
import {connect} from 'node:net'
import t from 'tap'
import {BuiltInRedis} from '../built-in-redis.ts'
import {ClientConnection} from '../client-connection.ts'
import {RedisEngine} from '../engine/engine.ts'
import {answererOf, identify} from '../identify.ts'
import {RedisServer} from '../server.ts'

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

t.test('our own Redis says who it is before it has read its keys; clients wait, those that leave are gone', async t => {
  for (const space of ['', 'größe-2']) {
    const server = await RedisServer.bind(0, space)
    const [client, silent, leaver] = [0, 1, 2].map(() => connect(server.port, '127.0.0.1'))
    if (client === undefined || silent === undefined || leaver === undefined) throw new Error('no sockets')
    const closed = [client, silent, leaver.resume()].map(async socket => once(socket, 'close'))
    client.write('INCR n\r\n')
    leaver.end()
    t.same(await identify(server.port), {kind: 'built-in', space})
    const engine = new RedisEngine()
    engine.space = space
    server.serve(engine)
    await closed[2]
    t.equal(String(await once(client, 'data')), ':1\r\n')
    silent.write('INFO\r\nQUIT\r\n')
    t.match(String(await once(silent, 'data')), 'redis_version')
    client.end('INCR n\r\n')
    t.equal(String(await once(client, 'data')), ':2\r\n')
    for (const socket of [client, silent]) socket.resume()
    await Promise.all(closed)
    t.same(await identify(server.port), {kind: 'built-in', space})
    engine.close()
    await server.close()
  }
})
