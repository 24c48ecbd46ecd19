import t from 'tap'
import {openActorHouse, TestHost, types} from '../../../rig/actor-house.ts'

const WISH = {dueTime: '1s', period: '1s', ttl: '', callback: '', data: undefined}

t.test('timers of actors whose names read alike are several', t => {
  const {actors, clock} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart', 'Cart||a']))
  const names = [
    {type: 'Cart', id: 'a||b', name: 'c'},
    {type: 'Cart', id: 'a', name: 'b||c'},
    {type: 'Cart||a', id: 'b', name: 'c'}
  ]
  for (const name of names) actors.timers.set(name, WISH, 'carts')
  clock.pass(1000)
  t.strictSame(host.inside.toSorted(), ['Cart/a b||c', 'Cart/a||b c', 'Cart||a/b c'])
  actors.timers.delete({type: 'Cart', id: 'a', name: 'b||c'})
  t.strictSame(actors.timers.of('Cart', 'a||b'), [names[0]])
  actors.close()
  t.end()
})

t.test('a timer that its actor cancels does not fire again', async t => {
  const {actors, clock} = openActorHouse()
  const host = new TestHost('carts')
  actors.host(host, types(['Cart']))
  const name = {type: 'Cart', id: '1', name: 'tick'}
  actors.timers.set(name, WISH, 'carts')
  clock.pass(1000)
  await host.open[0]?.answer()
  t.strictSame(actors.timers.of('Cart', '1'), [name])
  clock.pass(1000)
  await host.open[0]?.answer('', {isCancelled: true})
  t.strictSame(actors.timers.of('Cart', '1'), [])
  actors.close()
})
