import t from 'tap'
import {textLines} from '../../../../src/control/api-client.ts'
import {lineBatches} from '../../../../src/model/text-lines.ts'

/** One line of 20 MB in many pieces, and what follows it. */
async function* pieces(): AsyncGenerator<string> {
  for (let n = 0; n < 20_000; n++) yield 'x'.repeat(1000)
  yield 'y\nz\n\nrest'
}

const read = async (lines: AsyncIterable<string>): Promise<readonly string[]> => {
  const shown: string[] = []
  for await (const line of lines) shown.push(line.length > 9 ? `${line.length}` : line)
  return shown
}

/** As the reader of a log has it, and as a client does. */
const both = {
  batches: async function* () {
    for await (const batch of lineBatches(pieces())) yield* batch
  },
  bytes: async function* () {
    for await (const piece of pieces()) yield Buffer.from(piece)
  }
}

t.test('a long line that comes in many pieces is put together once', async t => {
  t.same(await read(both.batches()), ['20000001', 'z', '', 'rest'])
  t.same(await read(textLines(both.bytes())), ['20000001', 'z', ''], 'what a run could not finish is left out')
})
