import t from 'tap'
import {copyExample, hasLines} from '../rig/example.ts'
import {openRig} from '../rig/rig.ts'

t.test('orders: a shop orders from a stock, and both end by themselves', async t => {
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'orders')
  const run = rig.pillion(['run', '-f', folder])
  t.same(await run.exited, {code: 0, signal: null})
  t.equal(run.stderr.text, '')
  hasLines(t, run, [
    'ℹ️  Validating config and starting app "stock"',
    'ℹ️  Validating config and starting app "shop"',
    `ℹ️  Writing log files to directory : ${folder}/shop/.dapr/logs`,
    '== APP - stock == open; on the shelf: 3 apple, 2 pear, 1 melon',
    '== APP - shop == Ada gets 2 × apple',
    '== APP - shop == Cem wanted 2 × apple, but only 1 left',
    '== APP - shop == closed for today',
    'Exited App successfully'
  ])
  t.same(await rig.leftovers(), [])
})

t.test('orders: Ctrl-C in between ends it with 0', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-f', (await copyExample(rig, 'orders')).folder])
  await run.waitForLine('== APP - shop == Ada gets')
  run.signalGroup('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})
