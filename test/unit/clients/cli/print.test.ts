import {PassThrough} from 'node:stream'
import t from 'tap'
import {writeBytes} from '../../../../src/clients/cli/print.ts'

t.test('many writers wait for a slow reader, each line once and in order, and none of them listens', async t => {
  const stream = new PassThrough({highWaterMark: 4})
  const texts = Array.from({length: 20}, (_, n) => `line ${n} \xe9\n`)
  const written = Promise.all(texts.map(async text => writeBytes(stream, text)))
  for (const event of ['drain', 'error', 'close']) t.ok(stream.listenerCount(event) <= 1, event)
  t.ok(stream.writableNeedDrain)
  let read = ''
  stream.setEncoding('latin1').on('data', (piece: string) => (read += piece))
  await written
  t.equal(read, texts.join(''))
})
