import t from 'tap'
import {ActorHosts} from '../../../src/control/actor-hosts.ts'

t.test('a look for the host of a type that has failed is not kept: the next one looks again', async t => {
  let isFailing = true
  let looks = 0
  const hosts = new ActorHosts({
    candidates: async () => {
      looks++
      return isFailing ? Promise.reject(new Error('no folder')) : Promise.resolve([])
    },
    within: async () => Promise.resolve(undefined)
  })
  await t.rejects(Promise.all([hosts.of('Cart'), hosts.of('Cart')]), {message: 'no folder'})
  t.equal(looks, 1, 'one look for both')
  isFailing = false
  let found: unknown = 'none yet'
  while (found !== undefined)
    found = await hosts.of('Cart').catch(() => new Promise(setImmediate).then(() => 'none yet'))
  t.ok(looks > 1)
})

t.test('the host of a type is named by its id, without its version and the number of its instance', async t => {
  for (const host of ['cart', 'cart.2', 'cart@1.2.0', 'cart.2@1.2.0', 'cart@1.2.0-rc.1']) {
    const found = {candidates: async () => Promise.resolve([{path: ''}] as never), within: async () => host as never}
    t.equal(await new ActorHosts(found).of('Cart'), 'cart', host)
  }
})
