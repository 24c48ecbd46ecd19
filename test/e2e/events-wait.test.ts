import t from 'tap'
import {openShop} from './pubsub-shop.ts'

const MEGABYTES = 2

t.test('events that an app does not take are said once, with their number and size', async t => {
  const {rig, run} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', route: 'orders'}])
  const {http} = await run.ports('shop')
  const body = 'x'.repeat(MEGABYTES * 2 ** 20)
  const publish = async (): Promise<number> =>
    (
      await fetch(`http://127.0.0.1:${http}/v1.0/publish/bus/orders`, {
        method: 'POST',
        body,
        headers: {'content-type': 'text/plain'}
      })
    ).status
  for (let n = 0; n < 36; n++) t.equal(await publish(), 204)
  // the first one is with the app, which has not answered it
  t.match((await rig.run(['ps'])).stdout, /^3\d events wait in memory for "shop" to take them$/m)
  const line = await run.waitForLine('has not taken', {stream: 'stderr'})
  t.match(line, /^⚠ {2}"shop" has not taken 3\d events of topic orders \(bus\): they take 6\d MiB of memory$/)
  t.equal(run.stderr.lines.filter(each => each.includes('has not taken')).length, 1)
})
