import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {app, edited} from './edited.ts'

t.test('each of many edits changes what it says, and nothing else', async t => {
  const rig = await openRig(t)
  const run = await edited(t, rig, [app('a', '1'), app('b', '1'), app('c', '1')])
  await run.edit('a first edit', [app('a', '2'), app('b', '1'), app('c', '1')], {starts: ['a']})
  await run.edit('of another app', [app('a', '2'), app('b', '1'), app('c', '2')], {starts: ['c']})
  t.same([run.word('a'), run.word('c')], ['2', '2'])
  await run.edit('an app leaves', [app('a', '2'), app('c', '2')], {gone: ['b']})
  await run.edit('order and notes', [app('c', '2'), app('a', '2', {_note: 'a'})])
  await run.edit('an app comes back', [app('b', '3'), app('c', '2'), app('a', '2')], {starts: ['b']})
  await run.edit('its sidecar changes', [app('b', '3', {logLevel: 'debug'}), app('c', '2'), app('a', '2')], {
    starts: ['b']
  })
  await run.edit('all change', [app('b', '4'), app('c', '4', {logLevel: 'debug'}), app('a', '4')], {
    starts: ['a', 'b', 'c']
  })
  t.same([run.word('a'), run.word('b'), run.word('c')], ['4', '4', '4'])
  await run.edit('back again', [app('a', '2'), app('b', '3'), app('c', '2')], {starts: ['a', 'b', 'c']})
  await run.edit('two leave', [app('b', '3')], {gone: ['a', 'c']})
  await run.edit('one changes', [app('b', '5')], {starts: ['b']})
  t.equal(run.word('b'), '5')
})

t.test('an edit says what becomes of the apps, and warns of its own mistakes alone', async t => {
  const rig = await openRig(t)
  const it = await edited(t, rig, [app('a', '1', {appPrt: 1}), app('b', '1')])
  await it.edit('rename', [app('c', '1'), app('a', '1', {appPrt: 1})], {starts: ['c'], gone: ['b']})
  await it.run.waitForLine('edit of the template: added c; removed b; changed mark')
  await it.edit('a mistake', [app('c', '1', {enw: {}}), app('a', '1', {appPrt: 1})])
  await it.run.waitForLine(/enw is ignored: unknown key \(did you mean env\?\)/, {stream: 'stderr'})
  t.equal(it.run.stderr.text.split('appPrt is ignored').length, 2, 'once')
})
