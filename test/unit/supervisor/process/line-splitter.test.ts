import {test} from 'tap'
import {LineSplitter, Tail} from '../../../../src/supervisor/process/line-splitter.ts'

const KIB = 1024

/** What comes of these chunks: each batch as it is handed on, the end last. */
const batches = (chunks: readonly (string | Buffer)[]): string[] => {
  const splitter = new LineSplitter()
  const pushed = chunks.map(chunk => splitter.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk))
  return [...pushed, splitter.end()].filter(text => text !== '')
}

test('a text is the same lines, wherever it is cut into two or three chunks', async t => {
  const text = 'one\r\n\r\n\ntwo\rhalf\nthree \xe9\xff\x00\r\r\nlast'
  const wanted = 'one\n\n\ntwo\rhalf\nthree \xe9\xff\x00\r\nlast\n'
  const wrong: string[] = []
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      const chunks = [text.slice(0, first), text.slice(first, second), text.slice(second)]
      const seen = batches(chunks)
      if (seen.join('') !== wanted || seen.some(batch => !batch.endsWith('\n'))) wrong.push(JSON.stringify(chunks))
    }
  }
  t.same(wrong, [])
})

test('byte by byte it is the same lines, one at a time', async t => {
  t.same(batches('a\r\nb\n\r\nc'.split('')), ['a\n', 'b\n', '\n', 'c\n'])
})

test('the lines of one chunk are one batch', async t => {
  t.same(batches(['a\nb\nc\nd']), ['a\nb\nc\n', 'd\n'])
})

test('a line is kept back until its newline comes', async t => {
  const splitter = new LineSplitter()
  t.equal(splitter.push(Buffer.from('half')), '')
  t.equal(splitter.push(Buffer.from(' and half\nnext')), 'half and half\n')
  t.equal(splitter.end(), 'next\n')
  t.equal(splitter.end(), '')
})

test('nothing makes nothing', async t => {
  t.same(batches([]), [])
  t.same(batches(['']), [])
  t.same(batches(['\n']), ['\n'])
})

test('a carriage return at the very end belongs to the newline that is added', async t => {
  t.same(batches(['a\r']), ['a\n'])
})

test('bytes of any encoding pass through as they are', async t => {
  const bytes = Buffer.from(Array.from({length: 256}, (_, byte) => byte))
  const text = batches([bytes]).join('')
  t.same(Buffer.from(text, 'latin1'), Buffer.concat([bytes, Buffer.from('\n')]))
})

test('a line of exactly 64 KiB is kept whole', async t => {
  const line = 'x'.repeat(64 * KIB)
  t.same(batches([line, '\n']), [`${line}\n`])
})

test('a longer line comes in pieces without a newline, but for the last', async t => {
  const piece = 'x'.repeat(64 * KIB)
  t.same(batches([piece, piece, piece, 'end\nnext\n']), [piece + piece, `${piece}end\nnext\n`])
  t.same(batches([`${piece}x`, '\n']), [`${piece}x`, '\n'], 'the newline comes alone')
})

test('a line that ends after a piece gets its newline', async t => {
  const line = 'x'.repeat(64 * KIB + 1)
  t.same(batches([line]), [line, '\n'])
  t.same(batches([`short\n${line}`]), [`short\n${line}`, '\n'])
})

test('a piece never parts a carriage return from its newline', async t => {
  const line = 'x'.repeat(64 * KIB)
  t.same(
    batches([`${line}\r`, '\nnext']),
    [line, '\nnext\n'].flatMap(text => text.split(/(?<=\n)(?=next)/))
  )
  t.same(batches([`${line}\r`, 'on\n']), [line, '\ron\n'])
  t.same(batches([`${line}\r`]), [line, '\n'])
})

test('memory for a line that never ends stays flat', async t => {
  const splitter = new LineSplitter()
  const chunk = Buffer.alloc(64 * KIB, 'x')
  let longest = 0
  let total = 0
  for (let round = 0; round < 100; round++) {
    const {length} = splitter.push(chunk)
    longest = Math.max(longest, length)
    total += length
  }
  t.equal(longest, 128 * KIB)
  t.equal(total, 100 * 64 * KIB)
})

test('a tail keeps the last ten lines that say something, as UTF-8', async t => {
  const tail = new Tail()
  t.same(tail.lines, [])
  for (let line = 1; line <= 12; line++) tail.see(Buffer.from(`é${line}\n\n`).toString('latin1'))
  t.same(tail.lines, ['é3', 'é4', 'é5', 'é6', 'é7', 'é8', 'é9', 'é10', 'é11', 'é12'])
})

test('a tail keeps as much as it was told to, and no more than twice that', async t => {
  const tail = new Tail(100)
  for (let line = 100; line < 1000; line++) tail.see(`${line}\n`)
  t.ok(tail.all.length >= 25 && tail.all.length <= 50, `${tail.all.length} lines of 4 characters`)
  t.equal(tail.all.at(-1), '999')
})

test('a tail of long lines is bounded', async t => {
  const tail = new Tail()
  tail.see('x'.repeat(100_000))
  tail.see('last\n')
  t.ok(tail.lines.join('').length <= 64 * 1024)
  t.match(tail.lines.at(-1), /last$/)
})

test('of a tail what came since a time can be read', async t => {
  const tail = new Tail()
  t.same(tail.since(0), [])
  tail.see('old\n', 1000)
  tail.see('older than two seconds\n', 1100)
  tail.see('late\n', 5000)
  tail.see('last\n', 6500)
  t.same(tail.since(4900), ['late', 'last'])
  t.same(tail.since(6000), ['last'])
  t.same(tail.since(7000), [])
  t.same(new Tail(10).since(0), [])
})

test('a flood keeps few times, and of them those that count', async t => {
  const tail = new Tail(100)
  for (let at = 0; at < 100_000; at++) tail.see(`${at}\n`, at)
  t.equal(tail.since(99_990).at(-1), '99999')
  t.equal(tail.since(0).length, tail.all.length, 'no more than is kept')
})
