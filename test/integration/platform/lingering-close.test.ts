import {once} from 'node:events'
import net, {type AddressInfo, type Socket} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {closeLingering} from '../../../src/platform/lingering-close.ts'

const MEGABYTE = 1 << 20

/** Both sides of a connection, of which this side is closed with an answer. */
async function answered(t: Test, answer = 'answer'): Promise<{readonly ours: Socket; readonly theirs: Socket}> {
  const server = net.createServer({allowHalfOpen: true}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  const theirs = net.connect({port, host: '127.0.0.1', allowHalfOpen: true}).on('error', () => undefined)
  const [ours] = (await once(server, 'connection')) as [Socket]
  t.teardown(() => {
    theirs.destroy()
    server.close()
  })
  closeLingering(ours, answer)
  return {ours, theirs}
}

/** All that comes to the other side until the answer is over. */
async function read(theirs: Socket): Promise<string> {
  let text = ''
  for await (const piece of theirs.iterator({destroyOnReturn: false})) text += String(piece)
  return text
}

t.test('what came while this process had no turn is no silence', async t => {
  const {ours, theirs} = await answered(t)
  ours.setTimeout = () => ours // the test alone says when it was silent for long
  t.equal(await read(theirs), 'answer')
  await new Promise(resolve => theirs.write('x', resolve))
  ours.emit('timeout')
  while (ours.bytesRead === 0 && !ours.destroyed) await new Promise(setImmediate)
  // it is looked twice before it is closed
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  t.notOk(ours.destroyed)
  ours.emit('timeout')
  await once(ours, 'close')
})

t.jobs = 4

t.test('who ends is closed at once', async t => {
  const {ours, theirs} = await answered(t)
  theirs.end('the rest')
  t.equal(await read(theirs), 'answer')
  await once(ours, 'close')
})

t.test('who says nothing is closed soon', async t => {
  const {ours, theirs} = await answered(t)
  const began = performance.now()
  t.equal(await read(theirs), 'answer')
  await once(ours, 'close')
  t.ok(performance.now() - began < 4000)
})

t.test('who drips is closed in the end', async t => {
  const {ours, theirs} = await answered(t)
  const drip = setInterval(() => theirs.write('x'), 100)
  const began = performance.now()
  t.equal(await read(theirs), 'answer')
  await once(ours, 'close')
  clearInterval(drip)
  t.ok(performance.now() - began > 4000)
})

t.test('who sends without end is cut off', async t => {
  const {ours, theirs} = await answered(t)
  const piece = Buffer.alloc(MEGABYTE)
  while (!ours.destroyed) await new Promise(resolve => theirs.write(piece, resolve))
  t.ok(ours.bytesRead < 100 * MEGABYTE, `${ours.bytesRead} bytes`)
})

t.test('who reads late gets all of a long answer', async t => {
  const answer = 'x'.repeat(32 * MEGABYTE)
  const {ours, theirs} = await answered(t, answer)
  await pause(1000)
  t.notOk(ours.destroyed)
  t.equal((await read(theirs)).length, answer.length)
})

t.test('a second time does nothing', async t => {
  const {ours, theirs} = await answered(t)
  closeLingering(ours, 'once more')
  t.equal(await read(theirs), 'answer')
})
