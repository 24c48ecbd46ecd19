import t from 'tap'
import {
  Budget,
  collect,
  collectFirst,
  Collector,
  READ_BODIES,
  UncollectedBody
} from '../../../src/platform/collector.ts'

const ROOM = 1000

t.test('pieces of any size become the same body', async t => {
  const text = Array.from({length: 20_000}, (_, i) => String.fromCharCode(i % 256)).join('')
  for (const size of [1, 7, 4096, 5000, text.length])
    for (const isText of [false, true]) {
      const collector = new Collector(0)
      for (let at = 0; at < text.length; at += size) {
        const piece = text.slice(at, at + size)
        collector.add(isText ? piece : Buffer.from(piece, 'latin1'))
      }
      t.ok(collector.take().toString('latin1') === text, `${size} ${isText ? 'text' : 'bytes'}`)
    }
  t.equal(new Collector(0).take().length, 0)
})

t.test('a body in pieces of one byte is held in few blocks', async t => {
  const collector = new Collector(0)
  const piece = Buffer.from('x')
  for (let i = 0; i < 4_000_000; i++) collector.add(piece)
  t.ok(collector.blocks < 20, `${collector.blocks} blocks`)
  t.equal(collector.take().length, 4_000_000)
})

t.test('pieces are copied: their buffers may be used again', async t => {
  const collector = new Collector(0)
  const piece = Buffer.from('abc')
  collector.add(piece)
  piece.fill('x')
  t.equal(collector.take().toString(), 'abc')
})

t.test('a body has a limit of its own, and one together with all others', async t => {
  const room = new Budget(ROOM)
  const first = new Collector(600, room)
  t.equal(first.add(Buffer.alloc(601)), 'too large')
  t.equal(first.add(Buffer.alloc(600)), 'added')
  const second = new Collector(600, room)
  t.equal(second.add(Buffer.alloc(400)), 'added')
  t.equal(second.add(Buffer.alloc(1)), 'no room')
  first.release()
  t.equal(second.add(Buffer.alloc(1)), 'added')
  second.release()
  t.equal(new Collector(0, room).add(Buffer.alloc(2 * ROOM)), 'added', 'one that is alone may take more')
})

async function* pieces(count: number, size: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(size)
}

t.test('a stream is collected, or says why it is not; nothing stays counted', async t => {
  const body = await collect(pieces(3, 10), 30)
  t.equal(body.take().length, 30)
  await t.rejects(collect(pieces(4, 10), 30), new UncollectedBody(true))
  const held = new Collector(0)
  held.add(Buffer.alloc(READ_BODIES.max))
  await t.rejects(collect(pieces(1, 10), 30), {message: 'bodies of 64 MiB are being read already: send it again later'})
  held.release()
  t.strictSame(await collectFirst(pieces(Infinity, 10), 25), Buffer.alloc(25))
  t.strictSame(await collectFirst(pieces(1, 10), 0), Buffer.alloc(10))
  t.ok(READ_BODIES.take(READ_BODIES.max, 0))
  t.notOk(READ_BODIES.take(1, 0))
  READ_BODIES.give(READ_BODIES.max)
})
