import {execFileSync} from 'node:child_process'
import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import {setTimeout as sleep} from 'node:timers/promises'
import t from 'tap'
import {systemClock} from '../../../src/platform/clock.ts'

t.test('a delay longer than timers can hold does not fire at once', async t => {
  let fired = 0
  const cancel = systemClock.after(2 ** 40, () => fired++)
  await new Promise<void>(resolve => {
    systemClock.after(5, resolve)
  })
  cancel()
  t.equal(fired, 0)
})

t.test('what was cancelled does not fire', async t => {
  let fired = 0
  systemClock.after(1, () => fired++)()
  await sleep(5)
  t.equal(fired, 0)
})

t.test('what has arrived by then is read first, also of a new connection, where this process was held up', async t => {
  const said: string[] = []
  const server = net.createServer(socket => {
    socket.on('data', bytes => {
      said.push(String(bytes))
      socket.destroy()
      server.close()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const {port} = server.address() as AddressInfo
  const fired = Promise.withResolvers<void>()
  systemClock.after(1, () => {
    said.push('fired')
    fired.resolve()
  })
  // connected and written while this thread is held up
  const script = `require('node:net').connect(${port}, '127.0.0.1').end('in time', () => process.exit())`
  execFileSync(process.execPath, ['-e', script])
  await fired.promise
  t.strictSame(said, ['in time', 'fired'])
})

t.test('what is cancelled when its time has come, and before it fires, does not fire', async t => {
  let fired = 0
  setTimeout(() => setImmediate(() => cancel()), 1) // it is due at the same time, and first
  const cancel = systemClock.after(1, () => fired++)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  await sleep(10)
  t.equal(fired, 0)
})
