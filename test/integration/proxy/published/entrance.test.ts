import {once} from 'node:events'
import net from 'node:net'
import t from 'tap'
import {WAITING} from '../../../../src/model/app-name.ts'
import {listen} from '../../../../src/proxy/ports/bind.ts'
import {boundAt, release} from '../../../../src/proxy/net/claimed-server.ts'
import {Entrance} from '../../../../src/proxy/published/entrance.ts'
import {EntrancePorts} from '../../../../src/run/entrance-ports.ts'
import {takeInTurn} from '../../../../src/run/port-holder.ts'
import {freePort} from '../../../rig/free-port.ts'

/** An entrance that knows no app. */
const newEntrance = (): Entrance =>
  new Entrance({
    appNamed: () => undefined,
    dashboardNamed: () => undefined,
    socketOf: () => '',
    names: () => [],
    contextOf: async () => undefined,
    appAt: () => '',
    warn: text => t.fail(text),
    hostRefused: text => t.fail(text),
    folder: 'abc'
  })

/** Whether a connection to an address is accepted. */
const accepts = async (port: number, host: string): Promise<boolean> => {
  const socket = net.connect(port, host)
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false
  )
  socket.destroy()
  return isOpen
}

t.test('one run has the entrance, and the next one listens at 127.0.0.1 before the first one leaves it', async t => {
  const port = await freePort()
  const newPorts = (): EntrancePorts => new EntrancePorts({PILLION_NAMES_PORT: `${port}`})
  const [first, second, third] = [newPorts(), newPorts(), newPorts()]
  t.equal(await first.bind({apps: []}), true)
  t.teardown(() => first.bound.forEach(release))
  if (first.bound.length < 2) return void t.pass('without ::1, the address is left first', {skip: true})
  t.equal(await second.bind({apps: []}), false, 'it is taken')
  const entrance = newEntrance()
  entrance.listen(first.bound)
  const heir = net.connect({port, host: '127.0.0.1', allowHalfOpen: true}).setEncoding('latin1')
  heir.write(`GET /${WAITING} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${WAITING}\r\n\r\n`)
  t.match(await once(heir, 'data'), [/^HTTP\/1\.1 101 /])
  const over = entrance.handOver()
  const bound: net.Server[] = []
  heir.on('end', () => heir.destroy())
  for await (const address of heir) {
    t.equal(await accepts(port, '127.0.0.1'), true, `a caller is not refused while ${address} is left`)
    bound.push(...(await listen(port, [String(address)], [], address === '127.0.0.1')))
    heir.write('\n')
  }
  await over
  t.equal(await second.bind({apps: []}, bound), true)
  t.equal(await third.bind({apps: []}), false, 'it is taken again')
  second.bound.forEach(release)
  await entrance.close(AbortSignal.abort())
})

t.test('a run that asks for the entrance while its holder closes does not report another program', async t => {
  let asked = 0
  const holder = net.createServer(socket => {
    asked++
    socket.destroy()
  })
  t.teardown(() => holder.close())
  holder.listen(0, '127.0.0.1')
  await once(holder, 'listening')
  await takeInTurn({
    port: boundAt(holder).port ?? 0,
    folder: t.testdir(),
    signal: AbortSignal.timeout(60_000),
    held: why => t.fail(why),
    take: async () => Promise.resolve(asked === 3)
  })
  t.equal(asked, 3)
})

t.test('a program that closes all connections is reported once', async t => {
  const program = net.createServer(socket => socket.destroy())
  program.listen(0, '127.0.0.1')
  await once(program, 'listening')
  const reported: string[] = []
  await takeInTurn({
    port: boundAt(program).port ?? 0,
    folder: t.testdir(),
    signal: AbortSignal.timeout(60_000),
    held: why => {
      reported.push(why)
      program.close()
    },
    take: async () => Promise.resolve(!program.listening)
  })
  t.match(reported, [/names do not answer at port \d+: /])
})

t.test('a port that cannot be had is a mistake of the user', async t => {
  for (const PILLION_NAMES_PORT of ['abc', '99999999', '-1'])
    await t.rejects(
      new EntrancePorts({PILLION_NAMES_PORT}).bind({apps: []}),
      /names cannot be answered at port .*: .*65536/
    )
})
