import t from 'tap'
import {ByteTape, PIECE} from '../../../../../src/observe/telemetry/recorder/byte-tape.ts'

const textOf = (tape: ByteTape, call: number, first: number): readonly string[] =>
  tape.pieces(call, first).map(({kind, bytes}) => `${kind} ${bytes.toString('latin1')}`)

t.test('the pieces of a call are found one after the other, whatever stands between them', t => {
  const tape = new ByteTape(1024)
  const a = tape.addText(1, PIECE.requestHead, 'GET / HTTP/1.1 and a body', 14, -1)
  const b = tape.addText(2, PIECE.requestHead, 'POST', 4, -1)
  const more = tape.addBytes(1, PIECE.responseBody, Buffer.from('..\xff\0..', 'latin1'), [2, 4], a)
  tape.addText(2, PIECE.responseHead, '', 0, b)
  tape.addText(1, PIECE.failure, 'x', 1, more)
  t.same(textOf(tape, 1, a), ['1 GET / HTTP/1.1', '4 \xff\0', '5 x'])
  t.same(textOf(tape, 2, b), ['1 POST', '3 '])
  t.same(textOf(tape, 3, a), [], 'a piece of another call')
  t.same(textOf(tape, 1, -1), [])
  t.end()
})

t.test('what was overwritten is gone, and never read as something else', t => {
  const tape = new ByteTape(256)
  const positions: number[] = []
  for (let call = 0; call < 200; call++) {
    const text = `call ${call} ${'x'.repeat(call % 90)}`
    const first = tape.addText(call, PIECE.requestHead, text, text.length, -1)
    positions.push(first)
    tape.addText(call, PIECE.responseHead, 'ok', 2, first)
    for (let earlier = 0; earlier <= call; earlier++) {
      const at = positions[earlier] ?? -1
      const expected = `1 call ${earlier} ${'x'.repeat(earlier % 90)}`
      const [head = expected, end = '3 ok'] = textOf(tape, earlier, at)
      if (head !== expected || end !== '3 ok') t.fail(`${call}: ${head} ${end}`)
    }
  }
  t.same(textOf(tape, 0, positions[0] ?? -1), [])
  t.match(textOf(tape, 199, positions[199] ?? -1), [/^1 call 199/, '3 ok'])
  t.end()
})

t.test('pieces of every length up to the whole tape', t => {
  const tape = new ByteTape(512)
  for (let length = 0; length <= 512 - 16; length++) {
    const text = 'y'.repeat(length)
    const at = tape.addText(7, PIECE.trace, text, length, -1)
    if (textOf(tape, 7, at)[0] !== `6 ${text}`) t.fail(length.toString())
  }
  t.ok(tape.end > 512)
  t.end()
})
