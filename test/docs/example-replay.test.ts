import type * as Api from '../../src/model/api.generated.ts'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {copyExample} from '../rig/example.ts'
import {openRig} from '../rig/rig.ts'

t.test('replay: a request kills an app, why names it, a save, the pinned call is sent again: 500 → 200', async t => {
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'replay')
  const run = rig.pillion(['run', '-f', folder])
  await run.ports('shop')
  const pear = async (currency: string): Promise<string> => {
    const {stdout, stderr} = await rig.run([
      ...'invoke --app-id shop --verb GET --method'.split(' '),
      `pear/${currency}`
    ])
    return stdout + stderr
  }
  t.match(await pear('EUR'), /"pear":1\.2,"symbol":"€"/)
  await pear('usd')
  await run.waitForLine(/pillion why 1 shows/, {stream: 'stderr'})
  const why = JSON.parse((await rig.run(['why', 'prices', '-o', 'json'])).stdout) as Api.Why
  const [inside] = why.death?.inside ?? []
  t.match(inside, {from: 'shop', to: 'prices', method: 'GET', path: '/pear/usd'})
  const number = (inside?.number ?? 0).toString()
  t.match(await rig.run(['replay', number]), {code: 1, stdout: /not sent: .*prices/}, 'prices is gone')
  t.match((await rig.run(['replay', '--pin', number])).stdout, /GET \/pear\/usd, shop → prices, is pinned/)

  const file = 'replay/prices/prices.mjs'
  const code = readFileSync(join(rig.folder, file), 'utf8')
  await rig.write({[file]: code.replace("replace('/pear/', '')", "replace('/pear/', '').toUpperCase()")})
  t.match(
    await run.waitForLine(/pinned call/),
    `pinned call ${number}, GET /pear/usd, shop → prices: 500 → 200, after prices.mjs of "prices" was saved`
  )
  await rig.write({[file]: code.replace("replace('/pear/', '')", "replace('/pear/', '').toUpperCase() // repaired")})
  await run.waitForLine(/1 pinned call is answered as before, after prices\.mjs of "prices" was saved/)
  const {pins} = JSON.parse((await rig.run(['replay', '-o', 'json'])).stdout) as Api.Pins
  t.match(pins, [
    {
      noise: ['at'],
      results: [
        {replay: {before: {status: 500}, after: {status: 200}}},
        {replay: {after: {status: 200}, leftOut: ['at']}}
      ]
    }
  ])
  t.match(await run.end('SIGINT'), {code: 0})
  t.same(await rig.leftovers(), [])
})
