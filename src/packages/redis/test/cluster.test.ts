import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {ClusterConnection} from '../cluster-connection.ts'
import {RedisEngine} from '../engine/engine.ts'
import type {Result} from '../engine/result.ts'
import {RequestParser} from '../protocol/parser.ts'
import {encodeResult} from '../protocol/writer.ts'

/** A node that has half of the slots; `slots` is what it says of the cluster. */
async function openNode(t: Test, slots: () => Result): Promise<{readonly engine: RedisEngine; readonly port: number}> {
  const engine = new RedisEngine()
  const server = net.createServer(socket => {
    const parser = new RequestParser()
    const write = (result: Result): boolean => socket.write(encodeResult(result, 2), 'latin1')
    const session = engine.open(write)
    socket.on('data', (bytes: Buffer) => {
      parser.feed(bytes)
      for (let args = parser.next(); args !== undefined; args = parser.next())
        write(args[0]?.toUpperCase() === 'CLUSTER' ? slots() : (engine.run(session, args) as Result))
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return {engine, port: (server.address() as AddressInfo).port}
}

t.test('each message is heard once, from nodes that were open and from others, until the end', async t => {
  const ports: number[] = []
  const slots = (): Result => [
    [0, 8191, ['127.0.0.1', ports[0] ?? 0]],
    [8192, 16_383, ['127.0.0.1', ports[1] ?? 0]]
  ]
  const nodes = [await openNode(t, slots), await openNode(t, slots)]
  ports.push(...nodes.map(({port}) => port))
  const connection = await ClusterConnection.open({host: '127.0.0.1', port: ports[0] ?? 0})
  t.teardown(async () => connection.close())
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

t.test('nothing is opened for commands that come after its end', async t => {
  let port = 0
  const node = await openNode(t, () => [[0, 16_383, ['127.0.0.1', port]]])
  ;({port} = node)
  const connection = await ClusterConnection.open({host: '127.0.0.1', port})
  await connection.close()
  await t.rejects(connection.command(['GET', 'a']), {message: 'the connection to Redis is closed'})
  await t.rejects(
    connection.subscribe('*', () => undefined),
    {message: 'the connection to Redis is closed'}
  )
})
