import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {openMasters} from '../masters-connection.ts'
import {itemsIn, type RedisConnection} from '../connection.ts'
import {RedisEngine} from '../engine/engine.ts'
import {OK_STATUS, RedisError, type Result} from '../engine/result.ts'
import {RequestParser} from '../protocol/parser.ts'
import {encodeResult} from '../protocol/writer.ts'

/** A node that has half of the slots; `slots` is what it says of the cluster. */
async function openNode(t: Test, slots: () => Result) {
  const engine = new RedisEngine()
  const sockets: net.Socket[] = []
  let isHanging = false
  const server = net.createServer(socket => {
    sockets.push(socket)
    const parser = new RequestParser()
    const write = (result: Result): boolean => !isHanging && socket.write(encodeResult(result, 2), 'latin1')
    const session = engine.open(write)
    socket.on('error', () => undefined).on('close', () => engine.end(session))
    socket.on('data', (bytes: Buffer) => {
      parser.feed(bytes)
      for (let args = parser.next(); args !== undefined; args = parser.next())
        write(args[0]?.toUpperCase() === 'CLUSTER' ? slots() : (engine.run(session, args) as Result))
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const end = (): void => {
    server.close()
    cut()
  }
  // what it has not answered is gone with its connection
  const hang = (is: boolean): void => {
    isHanging = is
    if (!is) cut()
  }
  return {engine, port: (server.address() as AddressInfo).port, cut, end, hang}
}

async function openAt(t: Test, port: number): Promise<RedisConnection> {
  const connection = await openMasters({host: '127.0.0.1', port})
  t.teardown(async () => connection.close())
  return connection
}

/** Two nodes, and a connection to them. */
async function openTwo(t: Test) {
  const ports: number[] = []
  const slots = (): Result => [
    [0, 8191, ['127.0.0.1', ports[0] ?? 0]],
    [8192, 16_383, ['127.0.0.1', ports[1] ?? 0]]
  ]
  const nodes = [await openNode(t, slots), await openNode(t, slots)]
  ports.push(...nodes.map(({port}) => port))
  const connection = await openAt(t, ports[0] ?? 0)
  return {connection, nodes}
}

t.test('each message is heard once, from nodes that were open and from others, until the end', async t => {
  const {connection, nodes} = await openTwo(t)
  const heard: string[] = []
  const end = await connection.subscribe('change*', (_, message) => heard.push(message.toString()))
  const publish = async (text: string): Promise<void> => {
    for (const [at, {engine}] of nodes.entries()) engine.channels.publish(`change${at}`, `${text}${at}`)
    for (const {engine} of nodes) engine.channels.publish('change', `${text} over`)
    while (heard.filter(each => each === `${text} over`).length < nodes.length) await new Promise(setImmediate)
  }
  await publish('a')
  t.same(heard.toSorted(), ['a over', 'a over', 'a0', 'a1'])
  await end()
  t.same(
    nodes.map(({engine}) => engine.channels.patternCount),
    [0, 0]
  )
})

t.test('a scan sees the keys of all nodes once, and the facts of a stream come from its own', async t => {
  const {connection, nodes} = await openTwo(t)
  const keys = Array.from({length: 50}, (_, n) => `key${n}`)
  for (const key of keys) await connection.command(['SET', key, '1'])
  for (const {engine} of nodes) t.ok(engine.database(0).size > 10)
  const found: string[] = []
  let cursor = '0'
  do {
    const [next, some] = itemsIn(await connection.command(['SCAN', cursor, 'MATCH', 'key*', 'COUNT', '7']))
    found.push(...itemsIn(some).map(String))
    cursor = String(next)
  } while (cursor !== '0' && found.length < 1000)
  t.same(found.toSorted(), keys.toSorted())
  for (const topic of ['orders', 'a', 'b', 'c']) {
    await connection.command(['XGROUP', 'CREATE', topic, 'shop', '0', 'MKSTREAM'])
    t.equal(itemsIn(await connection.command(['XINFO', 'GROUPS', topic])).length, 1, topic)
  }
})

t.test('the node that takes the place of another one is found, however late, and who listens hears it', async t => {
  const ports: number[] = []
  const questions: number[] = []
  const slots = (): Result => {
    questions.push(0)
    return [
      [0, 8191, ['127.0.0.1', ports[0] ?? 0]],
      [8192, 16_383, ['127.0.0.1', ports[1] ?? 0]]
    ]
  }
  const [first, second, third] = [await openNode(t, slots), await openNode(t, slots), await openNode(t, slots)]
  ports.push(first.port, second.port)
  const connection = await openAt(t, first.port)
  const heard = Promise.withResolvers<string>()
  await connection.subscribe('change', (_, message) => heard.resolve(message.toString()))
  questions.length = 0
  second.end()
  while (questions.length < 2) await new Promise(setImmediate)
  // only now do the others agree on a successor
  ports[1] = third.port
  while (third.engine.channels.patternCount === 0) await new Promise(setImmediate)
  third.engine.channels.publish('change', 'a')
  t.equal(await heard.promise, 'a')
  t.equal(await connection.command(['SET', 'foo', '1']), 'OK')
})

t.test('a command that waits for a node that is gone is run by its successor', async t => {
  const ports: number[] = []
  const slots = (): Result => [
    [0, 8191, ['127.0.0.1', ports[0] ?? 0]],
    [8192, 16_383, ['127.0.0.1', ports[1] ?? 0]]
  ]
  const [first, second, third] = [await openNode(t, slots), await openNode(t, slots), await openNode(t, slots)]
  ports.push(first.port, second.port)
  const connection = await openAt(t, first.port)
  t.equal(await connection.command(['SET', 'foo', '1']), 'OK')
  second.end()
  // until the connection hears of it, commands fail
  while ((await connection.command(['SET', 'foo', '1']).catch(() => 'lost')) !== 'lost');
  const waiting = [connection.command(['SET', 'foo', '2']), connection.transaction([['SET', 'foo', '2']])]
  ports[1] = third.port
  t.same(await Promise.all(waiting), ['OK', ['OK']])
  t.equal(third.engine.database(0).size, 1)
})

t.test('nothing is opened for commands that come after its end', async t => {
  let port = 0
  const node = await openNode(t, () => [[0, 16_383, ['127.0.0.1', port]]])
  ;({port} = node)
  const connection = await openMasters({host: '127.0.0.1', port})
  await connection.close()
  await t.rejects(connection.command(['GET', 'a']), {message: 'the connection to Redis is closed'})
  await t.rejects(
    connection.subscribe('*', () => undefined),
    {message: 'the connection to Redis is closed'}
  )
})

/** Two masters, and a node that is none yet. */
async function openThree(t: Test) {
  const ports: number[] = []
  const slots = (): Result => [
    [0, 8191, ['127.0.0.1', ports[0] ?? 0]],
    [8192, 16_383, ['127.0.0.1', ports[1] ?? 0]]
  ]
  const nodes = [await openNode(t, slots), await openNode(t, slots), await openNode(t, slots)] as const
  ports.push(nodes[0].port, nodes[1].port)
  return {ports, nodes, open: async (port: number) => openAt(t, port)}
}

t.test('the successor of a node that was gone before it was needed is found', async t => {
  const {ports, nodes, open} = await openThree(t)
  const connection = await open(nodes[0].port)
  nodes[1].end()
  const waiting = connection.command(['SET', 'foo', '1'])
  setTimeout(() => (ports[1] = nodes[2].port), 50)
  t.equal(await waiting, 'OK')
  t.same(await connection.transaction([['SET', 'foo', '2']]), ['OK'])
})

t.test('a node that was open before it became a master is heard, and gets its settings', async t => {
  const {ports, nodes, open} = await openThree(t)
  const connection = await open(nodes[2].port)
  const told = Promise.withResolvers<void>()
  connection.onServer?.(() => told.resolve())
  const heard = Promise.withResolvers<string>()
  const end = await connection.subscribe('change', (_, message) => heard.resolve(message.toString()))
  t.equal(nodes[2].engine.channels.patternCount, 0, 'as a replica it is not heard')
  ports[1] = nodes[2].port
  nodes[1].end()
  await told.promise
  for (let turns = 0; turns < 1e5 && nodes[2].engine.channels.patternCount === 0; turns++)
    await new Promise(setImmediate)
  nodes[2].engine.channels.publish('change', 'a')
  t.equal(await Promise.race([heard.promise, new Promise(resolve => setTimeout(resolve, 2000))]), 'a')
  await end()
  t.equal(nodes[2].engine.channels.patternCount, 0)
})

t.test('a master that has become a replica is not heard any more: it says what its master says', async t => {
  const ports: number[] = []
  const slots = (): Result => [
    [0, 8191, ['127.0.0.1', ports[0] ?? 0]],
    [8192, 16_383, ['127.0.0.1', ports[1] ?? 0]]
  ]
  const [first, second, third] = [await openNode(t, slots), await openNode(t, slots), await openNode(t, slots)]
  ports.push(first.port, second.port)
  const connection = await openAt(t, first.port)
  await connection.subscribe('change', () => undefined)
  ports[1] = third.port
  first.cut()
  while (third.engine.channels.patternCount === 0) await new Promise(setImmediate)
  for (let turns = 0; turns < 1000 && second.engine.channels.patternCount > 0; turns++) await new Promise(setImmediate)
  t.equal(second.engine.channels.patternCount, 0)
})

t.test('a slot that has moved is followed, also while no other node has heard of that', async t => {
  const ports: number[] = []
  const slotsOf = (second: number) => (): Result => [
    [0, 8191, ['127.0.0.1', ports[0] ?? 0]],
    [8192, 16_383, ['127.0.0.1', ports[second] ?? 0]]
  ]
  const nodes = [await openNode(t, slotsOf(1)), await openNode(t, slotsOf(2)), await openNode(t, slotsOf(2))] as const
  ports.push(...nodes.map(({port}) => port))
  const connection = await openAt(t, nodes[0].port)
  const {engine} = nodes[1]
  const run = engine.run.bind(engine)
  engine.run = (session, args) => {
    if (args[0] === 'SET') return new RedisError(`MOVED 12182 127.0.0.1:${nodes[2].port}`)
    return args[0] === 'EXEC' ? new RedisError('EXECABORT Transaction discarded') : run(session, args)
  }
  t.equal(await connection.command(['SET', 'foo', '1']), 'OK')
  const other = await openAt(t, nodes[0].port)
  t.same(await other.transaction([['SET', 'foo', '2']]), ['OK'])
  t.same(await other.command(['GET', 'foo']), Buffer.from('2'))
  t.equal(nodes[2].engine.database(0).size, 1)
})

t.test('a transaction on a key that is moving is run where the key is, once that is a master', async t => {
  const {ports, nodes, open} = await openThree(t)
  const connection = await open(nodes[0].port)
  const {engine} = nodes[1]
  const run = engine.run.bind(engine)
  engine.run = (session, args) => {
    if (args[0] === 'SET') return new RedisError(`ASK 12182 127.0.0.1:${nodes[2].port}`)
    return args[0] === 'EXEC' ? new RedisError('EXECABORT Transaction discarded') : run(session, args)
  }
  const asked: string[] = []
  const runThere = nodes[2].engine.run.bind(nodes[2].engine)
  nodes[2].engine.run = (session, args) => {
    asked.push(args[0] ?? '')
    return args[0] === 'ASKING' ? OK_STATUS : runThere(session, args)
  }
  const answer = connection.transaction([['SET', 'foo', '2']])
  setTimeout(() => (ports[0] = nodes[2].port), 50)
  t.same(await answer, ['OK'])
  t.same(asked.slice(-4), ['ASKING', 'MULTI', 'SET', 'EXEC'])
})

t.test('a node that names no host means its own', async t => {
  let port = 0
  const node = await openNode(t, () => [[0, 16_383, ['', port]]])
  ;({port} = node)
  const connection = await openAt(t, port)
  t.equal(await connection.command(['SET', 'foo', '1']), 'OK')
})

t.test('a node that no longer answers is left for its successor, but for one that answers again', async t => {
  const {ports, nodes} = await openThree(t)
  const connection = await openMasters({host: '127.0.0.1', port: nodes[0].port, readTimeoutMs: 200})
  t.teardown(async () => connection.close())
  const {hang, engine} = nodes[1]
  t.equal(await connection.command(['SET', 'foo', '1']), 'OK')
  hang(true)
  await t.rejects(connection.command(['SET', 'foo', '2']), /has not answered/)
  hang(false)
  t.equal(await connection.command(['SET', 'foo', '3']), 'OK')
  t.equal(engine.database(0).string('foo'), '3')
  hang(true)
  await t.rejects(connection.command(['SET', 'foo', '4']), /has not answered/)
  ports[1] = nodes[2].port
  t.equal(await connection.command(['SET', 'foo', '5']), 'OK')
  t.equal(nodes[2].engine.database(0).string('foo'), '5')
})

t.test('who could not listen everywhere listens nowhere', async t => {
  const {nodes, open} = await openThree(t)
  const connection = await open(nodes[0].port)
  const run = nodes[1].engine.run.bind(nodes[1].engine)
  nodes[1].engine.run = (session, args) =>
    args[0]?.toUpperCase() === 'PSUBSCRIBE' ? new RedisError('NOPERM') : run(session, args)
  await t.rejects(
    connection.subscribe('change', () => undefined),
    /NOPERM/
  )
  t.equal(nodes[0].engine.channels.patternCount, 0)
})

t.test('a master that cannot be reached keeps no other from being heard', async t => {
  const {ports, nodes, open} = await openThree(t)
  const connection = await open(nodes[2].port)
  await connection.subscribe('change', () => undefined)
  // both have a successor, and only one of these can be reached
  ports.splice(0, 2, 1, nodes[2].port)
  nodes[0].end()
  nodes[1].end()
  for (let turns = 0; turns < 200 && nodes[2].engine.channels.patternCount === 0; turns++)
    await new Promise(resolve => setTimeout(resolve, 10))
  t.equal(nodes[2].engine.channels.patternCount, 1)
})

t.test('the node of a key is that which commands on it go to', async t => {
  const {connection} = await openTwo(t)
  for (const key of ['a', 'b', 'c', 'd']) await connection.command(['SET', key, 'x'])
  for (const key of ['a', 'b', 'c', 'd'])
    t.equal(await (await connection.nodeOf?.(key))?.command(['EXISTS', key]), 1, key)
})

t.test('a cluster that is made after the connection was opened is found', async t => {
  const all: Result[] = []
  const node = await openNode(t, () => all)
  const [connection, other] = [await openAt(t, node.port), await openAt(t, node.port)]
  const hasty = await openMasters({host: '127.0.0.1', port: node.port, connectTimeoutMs: 100})
  t.teardown(async () => hasty.close())
  await t.rejects(hasty.command(['SET', 'foo', '1']), /CLUSTERDOWN/)
  all.push([0, 16_383, ['127.0.0.1', node.port]])
  t.match([await connection.command(['SET', 'foo', '1']), await other.command(['KEYS', '*'])], ['OK', {length: 1}])
})

t.test(
  'masters that were never needed know who follows the only one that was, also for another connection',
  async t => {
    const {ports, nodes, open} = await openThree(t)
    const connection = await open(nodes[0].port)
    ports[0] = nodes[2].port
    nodes[0].end()
    // it may not have heard of it yet
    await connection.command(['SET', 'bar', '1']).catch(() => undefined)
    t.equal(await connection.command(['SET', 'bar', '1']), 'OK')
    const other = await connection.duplicate()
    t.teardown(async () => other.close())
    t.equal(await other.command(['SET', 'bar', '2']), 'OK')
  }
)
