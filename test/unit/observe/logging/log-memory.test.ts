import t from 'tap'
import {Memory, startOfLastLines} from '../../../../src/observe/logging/log-memory.ts'
import {readLog} from '../../../../src/observe/logging/log-record.ts'

const out = {prefix: ''}
const err = {prefix: ''}

const whole = async (memory: Memory, tail = -1): Promise<string> => {
  let text = ''
  for await (const piece of readLog(memory, {tail, since: 0})) text += piece
  return text
}

t.test('the last lines are kept, so many and no more bytes than so many', async t => {
  const few = new Memory({lines: 2})
  for (const text of ['a\n', 'b\n', 'c\n', 'd']) few.write({writer: out, text})
  t.equal(await whole(few), 'c\nd')
  t.equal(await whole(few, 1), 'd')
  t.equal(await whole(few, 0), '')
  t.equal(await whole(few, 9), 'c\nd')
  const small = new Memory({bytes: 200_000, lines: 1_000_000})
  for (let i = 0; i < 30_000; i++) small.write({writer: out, text: `line ${i}\n`})
  const kept = await whole(small)
  t.ok(kept.length <= 200_000 && kept.length > 120_000, kept.length.toString())
  t.match(kept, /^line \d+\n/, 'it begins with a whole line')
  t.match(kept, /\nline 29999\n$/)
})

t.test('lines of two streams are never mixed', async t => {
  const memory = new Memory()
  memory.write({writer: out, text: 'be'})
  memory.write({writer: err, text: 'other\n'})
  memory.write({writer: out, text: 'gun\n'})
  t.equal(await whole(memory), 'begun\nother\n')
  memory.write({writer: out, text: 'open'})
  memory.write({writer: err, text: 'held\n'})
  await memory.close()
  t.equal(await whole(memory), 'begun\nother\nopen\nheld\n')
})

t.test('the start of the last lines of a text', async t => {
  for (const [text, count, start] of [
    ['', 1, 0],
    ['a', 1, 0],
    ['a\n', 1, 0],
    ['a\nb\n', 1, 2],
    ['a\nb', 1, 2],
    ['a\nb', 2, 0],
    ['a\nb\n', 0, 4],
    ['a\n\n', 1, 2],
    ['\n', 1, 0],
    ['a\nb\n', 9, 0]
  ] as const)
    t.equal(startOfLastLines(text, count), start, JSON.stringify([text, count]))
})
