import t from 'tap'
import {BulkReader} from '../bulk-reader.ts'
import {FrameReader, type FrameSink} from '../frame-reader.ts'
import {DATA, END_HEADERS, END_STREAM, frameHead, HEADERS, MAX_PAYLOAD, PADDED, PING} from '../frames.ts'

/** What frames say, pieces of data joined: one stream's after the other's. */
function heard(): {readonly sink: FrameSink; readonly told: Map<number, string>; readonly other: string[]} {
  const told = new Map<number, string>()
  const other: string[] = []
  const add = (stream: number, text: string): void => void told.set(stream, (told.get(stream) ?? '') + text)
  const sink: FrameSink = {
    data: (stream, bytes, padding, isLast) =>
      add(stream, bytes.toString('latin1') + (padding > 0 ? `+${padding}` : '') + (isLast ? '.' : '')),
    fields: (stream, block, isLast) => add(stream, `<${block}>${isLast ? '.' : ''}`),
    control: (type, flags, stream, text, at, length) =>
      void other.push(`${type} ${flags} ${stream} ${text.slice(at, at + length)}`)
  }
  return {sink, told, other}
}

const frame = (type: number, flags: number, stream: number, payload: string): string =>
  frameHead(payload.length, type, flags, stream) + payload

/** A number below `limit`, the same ones each time. */
function numbers(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** Frames of three streams, in an order by chance; the third one's data are padded now and then. */
function someFrames(next: (limit: number) => number): string {
  let text = ''
  for (let n = 0; n < 40; n++) {
    const stream = 1 + 2 * next(3)
    const payload = String.fromCharCode(33 + n).repeat(next(4) === 0 ? next(MAX_PAYLOAD) : next(30))
    const kind = next(6)
    if (kind === 0) text += frame(HEADERS, END_HEADERS, stream, payload)
    else if (kind === 1) text += frame(PING, 0, 0, '12345678')
    else if (kind === 2) text += frame(DATA, PADDED, stream, `\u0003${payload}\0\0\0`)
    else text += frame(DATA, next(9) === 0 ? END_STREAM : 0, stream, payload)
  }
  return text
}

t.test('frames are the same in whatever pieces they come, whether their data are read as bytes or as text', async t => {
  for (let seed = 1; seed <= 300; seed++) {
    const next = numbers(seed)
    const text = someFrames(next)
    const expected = heard()
    new FrameReader(expected.sink).read(text)
    const got = heard()
    const reader = new FrameReader(got.sink)
    // it takes over within a frame, and leaves within one
    const from = next(text.length)
    const to = from + next(text.length - from)
    reader.read(text.slice(0, from))
    let isWanted = true
    const bulk = new BulkReader(
      {
        takesBytes: stream => isWanted && stream !== 5,
        data: (stream, bytes, padding, isLast) => got.sink.data(stream, bytes, padding, isLast),
        text: piece => reader.read(piece)
      },
      reader.leave()
    )
    let at = from
    while (at < to) {
      const piece = text.slice(at, Math.min(to, at + 1 + next(next(2) === 0 ? 12 : 20_000)))
      bulk.read(Buffer.from(piece, 'latin1'))
      at += piece.length
    }
    isWanted = false
    let rest = bulk.leave()
    while (rest === undefined) {
      bulk.read(Buffer.from(text.slice(at, at + 1), 'latin1'))
      at++
      rest = bulk.leave()
    }
    reader.read(rest + text.slice(at))
    if (JSON.stringify([...got.told]) !== JSON.stringify([...expected.told]))
      t.strictSame([...got.told], [...expected.told], `seed ${seed}`)
    t.strictSame(got.other, expected.other, `seed ${seed}`)
  }
})

t.test('bytes are handed on before their frame is whole, and not copied', async t => {
  const got: Buffer[] = []
  const bulk = new BulkReader(
    {takesBytes: () => true, data: (_, bytes) => void got.push(bytes), text: text => t.fail(text)},
    ''
  )
  const piece = Buffer.from(`${frameHead(1000, DATA, END_STREAM, 1)}abc`, 'latin1')
  bulk.read(piece)
  t.equal(got[0]?.toString(), 'abc')
  t.equal(got[0]?.buffer, piece.buffer)
  t.equal(bulk.leave(), undefined, 'the rest of the frame is its own')
})

t.test('an empty frame that ends a stream is told; one that is too large goes to who refuses it', async t => {
  const ends: [number, boolean][] = []
  const texts: string[] = []
  const bulk = new BulkReader(
    {
      takesBytes: () => true,
      data: (_, {length}, _padding, isLast) => ends.push([length, isLast]),
      text: text => texts.push(text)
    },
    ''
  )
  bulk.read(Buffer.from(frameHead(0, DATA, END_STREAM, 1), 'latin1'))
  t.strictSame(ends, [[0, true]])
  bulk.read(Buffer.from(frameHead(MAX_PAYLOAD + 1, DATA, 0, 1), 'latin1'))
  t.equal(texts.join('').length, 9)
  t.equal(ends.length, 1)
})
