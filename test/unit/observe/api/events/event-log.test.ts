import t from 'tap'
import {EventLog} from '../../../../../src/observe/api/events/event-log.ts'

t.test('the latest events are kept; whoever was away for longer is told so', async t => {
  const log = new EventLog(1000, () => 0, 3)
  const ids = ['a', 'b', 'c', 'd', 'e'].map(
    data => log.add({type: 'note', app: '', subject: '', data: JSON.stringify(data)}).id
  )
  t.same(ids, [1001, 1002, 1003, 1004, 1005])
  t.match(log.after(1003), [{data: '"d"'}, {data: '"e"'}])
  t.same(log.after(1005), [])
  t.equal(log.after(1002)?.length, 3, 'all that is kept is after it')
  t.equal(log.after(1001), undefined, 'one is missing')
  t.equal(log.after(5), undefined, 'of an earlier run')
  t.equal(log.after(1006), undefined, 'of a later run')
})

t.test('large events take the place of more small ones', async t => {
  const log = new EventLog(0, () => 0)
  for (let i = 0; i < 4; i++) log.add({type: 'note', app: '', subject: '', data: 'x'.repeat(500_000)})
  t.equal(log.after(2)?.length, 2)
  t.equal(log.after(1), undefined)
})
