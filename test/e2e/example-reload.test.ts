import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {copyExample} from '../rig/example.ts'
import {openRig} from '../rig/rig.ts'

t.test('reload: the price changes while customers ask, and none is left without an answer', async t => {
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'reload')
  const run = rig.pillion(['run', '-f', folder])
  await run.waitForLine('a pear costs 1.20')
  const code = readFileSync(join(folder, 'prices/prices.mjs'), 'utf8')
  await rig.write({'reload/prices/prices.mjs': code.replace("'1.20'", "'0.95'")})
  t.match(await run.waitForLine('a pear costs 0.95'), /asked \d+ times, 0 without an answer$/)
  t.match(await run.waitForLine('prices: reloaded in'), /requests? held \(longest \d+ ms\), 0 lost$/)
  t.match(await run.end('SIGINT'), {code: 0})
  t.same(await rig.leftovers(), [])
})
