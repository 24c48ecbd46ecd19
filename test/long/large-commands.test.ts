import {once} from 'node:events'
import t, {type Test} from 'tap'
import {RedisEngine} from '../../src/packages/redis/engine/engine.ts'
import type {Result} from '../../src/packages/redis/engine/result.ts'
import {RedisServer} from '../../src/packages/redis/server.ts'
import {request, respClient} from '../rig/resp.ts'

/*
 * Redis shares the event loop with all calls of the run. Where the cost of a command grew with the square of its arguments, it
 * is sent here with so many that the file would not end within its time.
 */

type Run = (command: string, ...lists: readonly (readonly string[])[]) => Result

const engine = (t: Test): Run => {
  const started = new RedisEngine()
  t.teardown(() => started.close())
  const session = started.open()
  return (command, ...lists) => started.run(session, command.split(' ').concat(...lists)) as Result
}

const numbers = (count: number, text = (n: number): string => n.toString()): readonly string[] =>
  Array.from({length: count}, (_, at) => text(at + 1))

const MANY = 400_000

t.test('many values are pushed and popped at either side by one command', async t => {
  const run = engine(t)
  const values = numbers(MANY)
  t.equal(run('RPUSH list', ['a', 'b']), 2)
  t.equal(run('LPUSH list', values), MANY + 2)
  t.same(run('LRANGE list 0 1'), ['400000', '399999'])
  t.same(run('LRANGE list -3 -1'), ['1', 'a', 'b'])
  t.same(run('LPOP list 200000'), values.slice(200_000).toReversed())
  t.same(run('RPOP list 4'), ['b', 'a', '1', '2'])
  t.equal((run('LPOP list 9999999') as readonly string[]).length, 199_998)
  t.equal(run('EXISTS list'), 0)
})

t.test('entries are deleted from within a stream', async t => {
  const run = engine(t)
  const ids = numbers(200_000, n => `${n}-1`)
  for (const id of ids) run(`XADD s ${id} a b`)
  t.equal(run('XDEL s 3-1 3-1 9-9'), 1)
  t.equal(run('XDEL s 1-1 2-1 5-1 5-1'), 3)
  t.equal(run('XDEL s', ids.slice(9, -2)), ids.length - 11)
  t.same(
    run('XRANGE s - +'),
    ['4-1', '6-1', '7-1', '8-1', '9-1', '199999-1', '200000-1'].map(id => [id, ['a', 'b']])
  )
  t.equal(run('XLEN s'), 7)
})

t.test('many small sets become one', async t => {
  const run = engine(t)
  const keys = numbers(40_000, n => `set-${n}`)
  for (const key of keys) run(`SADD ${key} ${key} x`)
  t.equal(run('SUNIONSTORE all', keys), keys.length + 1)
  t.same(run('SMEMBERS set-1'), new Set(['set-1', 'x']), 'as it was')
})

t.test('many keys expire, and one that is given its time again and again', async t => {
  const run = engine(t)
  const keys = numbers(150_000)
  for (const key of keys) run(`SET ${key} x EX 1000`)
  for (let left = 150_000; left > 0; left--) run('PEXPIREAT 1 9999999999999')
  t.ok(Number(run('TTL 2')) > 0)
  t.equal(run('PEXPIRETIME 1'), 9_999_999_999_999)
})

t.test('a transaction that only grows ends its connection, with an error', async t => {
  const port = await serve(t)
  const client = await respClient(port)
  const closed = once(client.socket, 'close')
  t.equal(await client.call('MULTI'), '+OK')
  const large = request(['DEL', ...numbers(100_000, () => 'x'.repeat(500))])
  for (let sent = 0; sent < 5; sent++) {
    client.write(large)
    t.equal(await client.next(), '+QUEUED')
  }
  client.write(large)
  t.match(await client.next(), /^-ERR the transaction is too large: .* more than 256 MiB; the connection is closed$/)
  await closed
  const other = await respClient(port)
  t.equal(await other.call('PING'), '+PONG')
  other.close()
})

t.test('a pipeline of slow commands holds up nobody else', async t => {
  const port = await serve(t)
  const [slow, other] = [await respClient(port), await respClient(port)]
  slow.write(request(['MSET', ...numbers(50_000).flatMap(key => [key, 'x'])]))
  t.equal(await slow.next(), '+OK')
  const count = 200
  let answers = 0
  slow.socket.on('data', (bytes: Buffer) => (answers += bytes.toString('latin1').split('\r\n').length - 1))
  slow.write(request(['KEYS', 'none*']).repeat(count))
  t.equal(await other.call('PING'), '+PONG')
  t.ok(answers < count, `${answers} answers came before`)
  slow.send(['SET', 'last', 'x'])
  slow.socket.end()
  await once(slow.socket, 'close')
  t.equal(answers, count + 1, 'all were run')
  t.equal(await other.call('GET', 'last'), '"x"')
  other.close()
})

async function serve(t: Test): Promise<number> {
  const server = await RedisServer.bind(0)
  const started = new RedisEngine()
  server.serve(started)
  t.teardown(async () => {
    started.close()
    await server.close()
  })
  return server.port
}
