import t from 'tap'
import {Outbox} from '../../../src/work/outbox.ts'
import {WorkFile} from '../../../src/work/work-file.ts'

const EVENT = {app: 'shop', store: 's', marker: 'm', pubsub: 'p', topic: 't', event: Buffer.from('{}'), made: 1}

t.test('an event belongs to who keeps it, from the instant in which that is asked for', async t => {
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const outbox = new Outbox(file)
  const kept = outbox.keep([EVENT])
  t.strictSame(outbox.claim('shop'), [], 'before its commit')
  const [event] = await kept
  t.strictSame(outbox.claim('shop'), [])
  if (event === undefined) throw new Error('nothing is kept')
  outbox.release(event)
  t.match(outbox.claim('shop'), [{topic: 't'}])
  await outbox.drop([event])
  t.strictSame(outbox.claim('shop'), [])
  // one that is not kept takes nothing from the next one, which may have its number
  const refused = outbox.keep([EVENT])
  file.database.exec('ROLLBACK')
  file.flush()
  await t.rejects(refused)
  await outbox.keep([EVENT])
  t.equal(new Outbox(file).claim('shop').length, 1)
  file.close()
})

t.test('who waits for events is told once of all that are released together', async t => {
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const outbox = new Outbox(file)
  const kept = await outbox.keep(Array.from({length: 1000}, () => EVENT))
  const claimed: number[] = []
  const off = outbox.onRelease(() => claimed.push(outbox.claim('shop').length))
  for (const event of kept) outbox.release(event)
  await new Promise(setImmediate)
  t.strictSame(claimed, [1000])
  off()
  for (const event of kept) outbox.release(event)
  await new Promise(setImmediate)
  t.equal(claimed.length, 1)
  file.close()
})
