import {Writable} from 'node:stream'
import t from 'tap'
import {writeCopy} from '../../../../src/proxy/net/write-copy.ts'

interface Held {
  readonly chunk: Buffer
  readonly written: () => void
}

/** Says when each piece is written. */
const slowStream = (): {readonly stream: Writable; readonly held: Held[]} => {
  const held: Held[] = []
  const stream = new Writable({
    write(chunk: Buffer, _, written) {
      held.push({chunk, written})
    }
  })
  return {stream, held}
}

t.test('a copy keeps its bytes until they are written; then its buffer is used again', t => {
  const shared = Buffer.alloc(20_000)
  const [first, second] = [slowStream(), slowStream()]
  shared.fill('a')
  writeCopy(first.stream, shared)
  shared.fill('b')
  writeCopy(second.stream, shared)
  shared.fill('c')
  t.equal(first.held[0]?.chunk.toString(), 'a'.repeat(20_000))
  t.equal(second.held[0]?.chunk.toString(), 'b'.repeat(20_000))
  first.held[0]?.written()
  setImmediate(() => {
    writeCopy(first.stream, shared.subarray(0, 17_000))
    t.equal(first.held[1]?.chunk.buffer, first.held[0]?.chunk.buffer)
    t.equal(first.held[1]?.chunk.toString(), 'c'.repeat(17_000))
    t.equal(second.held[0]?.chunk.toString(), 'b'.repeat(20_000), 'what is still being written is left alone')
    t.end()
  })
})

t.test('pieces that are larger than any buffer are copied, too', async t => {
  const {stream, held} = slowStream()
  const bytes = Buffer.alloc(70_000, 'x')
  writeCopy(stream, bytes)
  bytes.fill('y')
  t.equal(held[0]?.chunk.toString(), 'x'.repeat(70_000))
})

t.test('small pieces that wait for a slow reader take about what they hold', t => {
  const {stream, held} = slowStream()
  for (let at = 0; at < 100; at++) writeCopy(stream, Buffer.from(`message ${at}`))
  const next = (): void => {
    held.at(-1)?.written()
    if (held.length < 100) return void setImmediate(next)
    const memory = new Set(held.map(({chunk}) => chunk.buffer))
    const bytes = [...memory].reduce((sum, {byteLength}) => sum + byteLength, 0)
    t.ok(bytes <= 4 * 65_536, `${bytes} bytes`)
    t.strictSame(
      held.map(({chunk}) => chunk.toString()),
      held.map((_, at) => `message ${at}`)
    )
    t.end()
  }
  next()
})
