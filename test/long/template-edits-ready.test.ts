import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {app, edited, living, template} from '../e2e/edited.ts'

t.test('an edit that leaves an app without ever being ready is repaired by the next one', async t => {
  const rig = await openRig(t)
  const run = await edited(t, rig, [app('a', '1'), app('b', '1')])
  await template(rig, 1, [app('a', '2', {ready: {log: 'never printed'}}), app('b', '1')])
  await Promise.all([rig.driven('a'), rig.driven('mark')])
  await template(rig, 2, [app('a', '3', {ready: {log: 'never printed'}}), app('b', '2')])
  await Promise.all([rig.driven('a'), rig.driven('mark')])
  await run.edit('a repair', [app('a', '4'), app('b', '2')], {starts: ['a', 'b']})
  t.same([run.word('a'), run.word('b')], ['4', '2'])
})

t.test('an app is started after those that it depends on from the same edit on', async t => {
  const rig = await openRig(t)
  await edited(t, rig, [app('api', '1')])
  await template(rig, 1, [app('api', '1', {dependsOn: ['db']}), app('db', '1', {autoPort: true})])
  const [db, mark] = await Promise.all([rig.driven('db'), rig.driven('mark')])
  t.ok(mark)
  t.notOk(
    living(rig).some(each => each.startsWith('api ')),
    'it waits'
  )
  await db.listen()
  const again = await rig.driven('api')
  t.ok(again.pid > db.pid)
})
