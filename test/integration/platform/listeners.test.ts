import {once} from 'node:events'
import {readdirSync, readFileSync} from 'node:fs'
import {connect, createServer, type AddressInfo} from 'node:net'
import {join} from 'node:path'
import {test} from 'tap'
import {holds, isListenedOn, listenersOn} from '../../../src/platform/listeners.ts'
import {portsHeldBy} from '../../../src/platform/port-owners.ts'

test('a listening socket is found by its port, and by an address that reaches it', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  const caller = connect(port, '127.0.0.1')
  await once(caller, 'connect')
  t.teardown(() => {
    caller.destroy()
    server.close()
  })
  const found = listenersOn({port})
  t.equal(found.size, 1)
  t.ok(holds(process.pid, found))
  t.same(listenersOn({port, addresses: ['::1', '127.0.0.1']}), found)
  t.same(listenersOn({port, addresses: ['::1']}), new Set())
  const open = readdirSync('/proc/self/fd').length
  t.ok(isListenedOn({port}))
  t.equal(readdirSync('/proc/self/fd').length, open, 'the table is closed again')
  t.notOk(isListenedOn({port, addresses: ['::1']}))
})

const row = (number: number, port: string, state: string): string =>
  `${number.toString().padStart(4)}: 0100007F:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${1000 + number} 1 0 100 0 0 10 0`.padEnd(
    149
  )

test('the table is read up to the first connection only', async t => {
  const listening = Array.from({length: 100}, (_, at) => row(at, at === 99 ? '0050' : '1F90', '0A'))
  const connections = Array.from({length: 100}, (_, at) => row(100 + at, '0050', '01'))
  const beyond = row(200, '0050', '0A')
  const folder = t.testdir({
    tcp: `${['  sl  local_address rem_address   st …', ...listening, ...connections, beyond].join('\n')}\n`
  })
  t.same(listenersOn({port: 0x50, addresses: ['127.0.0.1'], tables: [join(folder, 'tcp')]}), new Set(['socket:[1099]']))
  t.equal(listenersOn({port: 0x1f90, tables: [join(folder, 'tcp'), join(folder, 'none')]}).size, 99)
})

/** The calls of read(2) by this process so far (proc_pid_io(5)). */
const readsSoFar = (): number => Number(/^syscr: (\d+)/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1])

test('processes that are looked up at once share one reading of the sockets', async t => {
  const servers = Array.from({length: 30}, () => createServer().listen(0, '127.0.0.1'))
  t.teardown(() => servers.forEach(server => server.close()))
  await Promise.all(servers.map(async server => once(server, 'listening')))
  const before = readsSoFar()
  t.equal((await portsHeldBy([process.pid]))?.length, 30)
  const single = readsSoFar()
  await Promise.all(Array.from({length: 50}, async () => portsHeldBy([process.pid])))
  t.ok(readsSoFar() - single < 3 * (single - before), 'fifty look-ups read hardly more than one')
})
