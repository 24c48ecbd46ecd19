import t from 'tap'
import {openShop, publish} from '../e2e/pubsub-shop.ts'

/** A regular expression made of it backtracks for years on many times `a`. */
const STARS = `${'*a'.repeat(12)}*b`
const MANY = 'a'.repeat(3000)

t.test('patterns of many stars, of a filter and of a topic, hold nothing up', async t => {
  const {rig, shop} = await openShop(t, [
    {pubsubname: 'bus', topic: STARS, route: '/stars'},
    {pubsubname: 'bus', topic: `*a*${'a'.repeat(100)}`, route: '/found'}
  ])
  await publish(shop, `bus/${MANY}`, '{}')
  const delivered = await shop.nextRequest()
  t.equal(delivered.url, '/found')
  await delivered.reply()
  await shop.fetch(`/v1.0/invoke/nobody/method/${MANY}`)
  for (const field of ['path', 'to', 'from', 'app'])
    t.match(await rig.run(['calls', `${field}:${STARS}`]), {code: 0, stdout: /^No call matches/}, field)
  t.match(await rig.run(['calls', `path:*a*${'a'.repeat(100)}*`]), {code: 0, stdout: /GET \/aaa/})
})
