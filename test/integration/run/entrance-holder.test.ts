import {once} from 'node:events'
import net from 'node:net'
import t from 'tap'
import {boundAt} from '../../../src/proxy/net/claimed-server.ts'
import {takeInTurn} from '../../../src/run/port-holder.ts'

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
    folder: '/none',
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
    folder: '/none',
    signal: AbortSignal.timeout(60_000),
    held: why => {
      reported.push(why)
      program.close()
    },
    take: async () => Promise.resolve(!program.listening)
  })
  t.match(reported, [/names do not answer at port \d+: /])
})
