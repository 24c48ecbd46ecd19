import t from 'tap'
import {Chunks} from '../../../../../src/proxy/net/http1/chunked.ts'

interface Read {
  readonly data: string
  /** -1 = invalid, else the index after the message. */
  readonly end: number
  readonly done: boolean
}

/** Parses a text in pieces of this size. */
const read = (text: string, size = text.length): Read => {
  const chunks = new Chunks()
  let data = ''
  for (let at = 0; at < text.length; at += size) {
    const piece = Buffer.from(text.slice(at, at + size), 'latin1')
    const end = chunks.parse(piece, 0, piece.length, (bytes, from, to) => {
      data += bytes.toString('latin1', from, to)
    })
    if (end < 0) return {data, end, done: false}
    if (chunks.done) return {data, end: at + end, done: true}
  }
  return {data, end: text.length, done: false}
}

const MESSAGE = '3;a="b"\r\nabc\r\n0A \t\r\n0123456789\r\n000\r\nX-A: 1\r\nX-B:\r\n\r\n'

t.test('chunks are parsed alike in pieces of any size', async t => {
  for (let size = 1; size <= MESSAGE.length; size++)
    t.strictSame(read(MESSAGE, size), {data: 'abc0123456789', end: MESSAGE.length, done: true}, size.toString())
})

/** The sizes of the pieces that are taken of one read. */
const sizes = (text: string): readonly number[] => {
  const found: number[] = []
  const bytes = Buffer.from(text)
  new Chunks().parse(bytes, 0, bytes.length, (_, from, to) => found.push(to - from))
  return found
}

t.test('small chunks of one read become one piece, and large ones stay where they are', async t => {
  const large = `7d0\r\n${'y'.repeat(2000)}\r\n`
  t.strictSame(sizes(`${'1\r\nx\r\n'.repeat(10_000)}0\r\n\r\n`), [10_000])
  t.strictSame(sizes(`1\r\na\r\n${large}1\r\nb\r\n1\r\nc\r\n${large}`), [1, 2002, 2000])
})

t.test('from one read to the next the bytes may be moved, or stay', async t => {
  const tiny = '1\r\nx\r\n'.repeat(50)
  const chunks = new Chunks(false)
  const pieces: number[] = []
  for (const text of [tiny, tiny, `${tiny}2\r`, `\nab\r\n${tiny}0\r\n\r\n`]) {
    const bytes = Buffer.from(text)
    let data = ''
    let count = 0
    t.equal(
      chunks.parse(bytes, 0, bytes.length, (read, from, to) => {
        data += read.toString('latin1', from, to)
        count++
      }),
      bytes.length
    )
    t.match(data, /^(?:ab)?x{50}$/)
    if (!chunks.mayMove) t.equal(bytes.toString(), text, 'as it came')
    pieces.push(count)
    chunks.mayMove = !chunks.mayMove
  }
  t.strictSame(pieces, [50, 1, 50, 1])
  t.ok(chunks.done)
})

t.test('bytes after the last chunk are not consumed', async t => {
  t.strictSame(read('1\r\na\r\n0\r\n\r\nHTTP/1.1'), {data: 'a', end: 11, done: true})
  t.strictSame(read('5\r\nab'), {data: 'ab', end: 5, done: false})
})

t.test('invalid chunks', async t => {
  const broken = [
    'zz\r\n', '\r\n', '-1\r\n', '+3\r\nabc\r\n', '0x3\r\nabc\r\n', `${'0'.repeat(17)}\r\n`, `${'1'.repeat(16)}\r\n`, '3 ;a\r\nabc\r\n', `3${' '.repeat(5000)}\r\n`, '3 3\r\nabc\r\n', ' 3\r\nabc\r\n',
    '3\nabc\r\n', '3\rabc\r\n', '3\r\nabcd\r\n', '3\r\nabc\n', '3\r\nabc\rX', '3;\0\r\nabc\r\n', '3;\n\r\nabc\r\n',
    '0\r\n\n', '0\r\n: x\r\n\r\n', '0\r\nX-A: \0\r\n\r\n', '0\r\nX-A: b\n\r\n', `3;${'x'.repeat(5000)}`, `0\r\nX: ${'x'.repeat(9000)}`
  ] // prettier-ignore
  for (const text of broken) t.equal(read(text).end, -1, JSON.stringify(text.slice(0, 30)))
  const chunks = new Chunks()
  for (const text of ['3\n', '\n', '3\r\n'])
    t.equal(
      chunks.parse(Buffer.from(text), 0, text.length, () => undefined),
      -1,
      'nothing behind them is read either'
    )
  t.notOk(chunks.done)
})
