import {once} from 'node:events'
import {connect, createServer, type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {ClientConnection} from '../client-connection.ts'
import {RedisEngine} from '../engine/engine.ts'
import {RedisError} from '../engine/result.ts'
import {RedisServer} from '../server.ts'
import {commandNamed} from '../commands/table.ts'

const READONLY = "READONLY You can't write against a read only replica."
const LOADING = 'LOADING Redis is loading the dataset in memory'

/** A server; `refusal` says with which words it refuses a command. */
async function open(t: Test, refusal: (name: string) => string | undefined): Promise<RedisServer> {
  const engine = new RedisEngine()
  const run = engine.run.bind(engine)
  engine.run = (session, args) => {
    const why = refusal(args[0] ?? '')
    return why === undefined ? run(session, args) : new RedisError(why)
  }
  const server = await RedisServer.bind(0)
  t.teardown(async () => server.close())
  server.serve(engine)
  return server
}

const isWrite = (name: string): boolean => commandNamed(name)?.isWrite === true || name === 'EXEC'
const replica = (name: string): string | undefined => (isWrite(name) ? READONLY : undefined)

/** Serves a name that has moved from a replica to the master: who connects again reaches the master. */
async function openName(t: Test) {
  const [before, after] = [await open(t, replica), await open(t, () => undefined)]
  let connections = 0
  const name = createServer(socket => {
    const there = connect((connections++ === 0 ? before : after).port, '127.0.0.1')
    for (const each of [socket, there])
      each.on('error', () => undefined).on('close', () => (socket.destroy(), there.destroy()))
    socket.pipe(there).pipe(socket)
  })
  await once(name.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => name.close())
  const connection = await ClientConnection.open({host: '127.0.0.1', port: (name.address() as AddressInfo).port})
  t.teardown(async () => connection.close())
  return {connection, count: () => connections}
}

t.test('a master that has become a replica is left for the server that has its name now', async t => {
  const {connection} = await openName(t)
  t.equal(await connection.command(['SET', 'a', '1']), 'OK')
  t.same(await connection.command(['GET', 'a']), Buffer.from('1'))
})

t.test('so is one of which a transaction says it', async t => {
  const {connection} = await openName(t)
  t.same(
    await connection.transaction([
      ['SET', 'a', '1'],
      ['GET', 'a']
    ]),
    ['OK', Buffer.from('1')]
  )
})

t.test('what else is under way at a replica is answered there', async t => {
  const {connection, count} = await openName(t)
  const [read, write, other] = await Promise.all([
    connection.command(['ECHO', 'x']),
    connection.command(['SET', 'a', '1']),
    connection.command(['ECHO', 'y'])
  ])
  t.same([read, write, other], [Buffer.from('x'), 'OK', Buffer.from('y')])
  t.equal(count(), 2)
})

t.test('a replica that stays one refuses what writes, and answers the rest', async t => {
  const {port} = await open(t, replica)
  const connection = await ClientConnection.open({host: '127.0.0.1', port})
  t.teardown(async () => connection.close())
  for (const _ of [1, 2]) {
    const write = connection.command(['SET', 'a', '1'])
    t.equal(await connection.command(['GET', 'a']), null)
    await t.rejects(write, {name: 'RedisError', message: READONLY})
  }
})

t.test('a server that still reads its keys is waited for, as long as for one that is not there', async t => {
  let left = 3
  const {port} = await open(t, name => (['GET', 'SET'].includes(name) && left-- > 0 ? LOADING : undefined))
  const connection = await ClientConnection.open({host: '127.0.0.1', port, connectTimeoutMs: 500})
  t.teardown(async () => connection.close())
  t.equal(await connection.command(['SET', 'a', '1']), 'OK')
  left = Infinity
  await t.rejects(connection.command(['GET', 'a']), {name: 'RedisError', message: LOADING})
})
