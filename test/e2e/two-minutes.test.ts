import t from 'tap'
import {filesOf} from '../rig/page.ts'
import {openRig} from '../rig/rig.ts'

t.test('the page of two minutes, word by word', async t => {
  const rig = await openRig(t)
  const files = filesOf('two-minutes.md')
  t.same(Object.keys(files), ['stock/app.js', 'shop/app.js', 'dapr.yaml'])
  await rig.write(files)
  t.match(await rig.run(['validate']), {code: 0, stderr: ''})
  const run = rig.pillion(['up', '--watch'])
  await run.waitForLine('== APP - stock == open')
  await run.waitForLine('== APP - shop == {"apple":3,"pear":2}')
  await rig.write({'stock/app.js': (files['stock/app.js'] ?? '').replace('apple: 3', 'apple: 30')})
  await run.waitForLine('== APP - shop == {"apple":30,"pear":2}')
  t.notMatch(run.stdout.text, /error/i, 'no call was lost')
  t.match(await rig.run(['ps']), {code: 0, stdout: /^stock +ready/m})
  t.match(await rig.run(['calls']), {code: 0, stdout: /shop.*stock/})
  t.match(await rig.run(['down']), {code: 0})
  t.same(await run.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})
