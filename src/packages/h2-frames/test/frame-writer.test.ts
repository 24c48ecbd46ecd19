import {mock} from 'node:test'
import {PassThrough} from 'node:stream'
import t from 'tap'
import {FrameWriter} from '../frame-writer.ts'

const LATE_MS = 5

/** What it writes, a text for each write. */
const writer = (): {readonly frames: FrameWriter; readonly written: readonly string[]} => {
  const socket = new PassThrough()
  const written: string[] = []
  socket.on('data', (bytes: Buffer) => written.push(bytes.toString('latin1')))
  return {frames: new FrameWriter(socket, () => undefined), written}
}

const turn = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

t.before(() => mock.timers.enable({apis: ['setTimeout']}))
t.after(() => mock.timers.reset())

t.test('what one turn brings is one write', async t => {
  const {frames, written} = writer()
  frames.send('a')
  frames.send('b')
  await turn()
  frames.send('c')
  await turn()
  t.strictSame(written, ['ab', 'c'])
})

t.test('an acknowledgement goes with the next frames', async t => {
  const {frames, written} = writer()
  frames.sendLate('ack ')
  await turn()
  t.strictSame(written, [])
  frames.send('answer')
  await turn()
  mock.timers.tick(LATE_MS)
  t.strictSame(written, ['ack answer'])
})

t.test('… or soon without any', async t => {
  const [one, other] = [writer(), writer()]
  one.frames.sendLate('1')
  other.frames.sendLate('2')
  one.frames.sendLate('3')
  mock.timers.tick(LATE_MS)
  await turn()
  t.strictSame(one.written, ['13'])
  t.strictSame(other.written, ['2'])
  one.frames.sendLate('4')
  mock.timers.tick(LATE_MS)
  await turn()
  t.strictSame(one.written, ['13', '4'])
})

t.test('longer output of one turn is written in parts', async t => {
  const {frames, written} = writer()
  for (let at = 0; at < 20; at++) frames.send('x'.repeat(16_384))
  while (written.join('').length < 20 * 16_384) await turn()
  t.ok(written.every(text => text.length <= 100_000))
})
