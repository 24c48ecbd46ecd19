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

t.test('many that are left at once are claimed at once: each claim reads all rows', async t => {
  const file = await WorkFile.open(undefined, text => t.fail(text))
  const outbox = new Outbox(file)
  const kept = await outbox.keep(Array.from({length: 3}, () => EVENT))
  const claims: number[] = []
  const told = new Promise<void>(resolve => {
    outbox.onRelease(() => {
      claims.push(outbox.claim('shop').length)
      resolve()
    })
  })
  for (const event of kept) outbox.release(event)
  await told
  t.same(claims, [3])
  for (const event of kept) outbox.release(event)
  await new Promise(setImmediate)
  t.same(claims, [3, 3], 'and so are those of the next one')
  file.close()
})
