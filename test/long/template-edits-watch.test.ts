import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {app, edited} from '../e2e/edited.ts'

t.test('after a save, stop and start and edits start an app once', async t => {
  const rig = await openRig(t)
  const run = await edited(t, rig, [app('a', '1'), app('b', '1')])
  await rig.write({'a/a.js': '1'})
  await run.settled('saved', {starts: ['a']})
  for (const word of ['2', '3']) {
    await rig.run(['stop', 'a'])
    await run.settled('stopped', {gone: ['a']})
    const starting = rig.run(['start', 'a'])
    await run.settled('started', {starts: ['a']})
    await starting
    await run.edit('edited', [app('a', word), app('b', '1')], {starts: ['a']})
    await run.edit('reopened', [app('a', word, {logLevel: 'debug'}), app('b', '1')], {starts: ['a']})
    await rig.write({'a/a.js': word})
    await run.settled('saved again', {starts: ['a']})
  }
})

t.test('an edit of watch counts at once, and restarts nothing', async t => {
  const rig = await openRig(t)
  const run = await edited(t, rig, [app('a', '1', {watch: false}), app('b', '1')])
  await rig.write({'a/a.js': '1'})
  await run.edit('watched', [app('a', '1', {watch: ['*.js']}), app('b', '1')])
  await rig.write({'a/a.js': '2'})
  await run.settled('saved', {starts: ['a']})
  await run.edit('otherwise', [app('a', '1', {watch: ['*.txt']}), app('b', '1')])
  await rig.write({'a/a.js': '3'})
  await rig.write({'a/a.txt': '3'})
  await run.settled('saved', {starts: ['a']})
  await run.edit('no more', [app('a', '1', {watch: false}), app('b', '1', {watch: ['*.js']})])
  await rig.write({'a/a.txt': '4', 'b/b.txt': '4'})
  await rig.write({'b/b.js': '4'})
  await run.settled('saved', {starts: ['b']})
  await run.edit('again', [app('a', '2', {watch: true}), app('b', '1')], {starts: ['a']})
  await rig.write({'a/new.txt': '5', 'b/b.txt': '5'})
  await run.settled('saved', {starts: ['a', 'b']})
})
