import t from 'tap'
import {openActorHouse, TestHost, types} from '../../../rig/actor-house.ts'

t.test('a turn that waits for itself is told once, with its circle, also over other actors', async t => {
  const {actors, call, circles, clock} = openActorHouse()
  const [orders, carts] = [new TestHost('orders'), new TestHost('carts')]
  actors.host(orders, types(['Order']))
  actors.host(carts, types(['Cart']))
  void call('Order/2', 'list', {trace: 'b'})
  void call('Cart/8', 'list', {trace: 'c'})
  void call('Order/1', 'pay', {trace: 'a'})
  void call('Cart/7', 'total', {trace: 'a', caller: orders})
  const last = call('Order/1', 'price', {trace: 'a', caller: carts})
  clock.pass(1900)
  t.strictSame(circles, [], 'it may only be slow')
  clock.pass(4000)
  const circle = 'Order/1.pay → Cart/7.total → Order/1.price'
  const told = `Order/1 waits for itself: ${circle}; enable reentrancy for Order, or do not await the call`
  t.strictSame(circles, [told])
  last.leave()
  t.match(await last.outcome, /^gone/)
})

t.test('apps that pass no trace on: told if one turn alone is under way in each process', async t => {
  const {actors, call, circles, clock} = openActorHouse()
  const host = new TestHost('orders')
  actors.host(host, types(['Order']))
  void call('Order/1', 'pay')
  void call('Order/1', 'price', {caller: host})
  clock.pass(4000)
  t.match(circles, [/^Order\/1 seems to wait for itself: Order\/1\.pay → Order\/1\.price;/])
  void call('Order/2', 'pay')
  void call('Order/2', 'price', {caller: host})
  clock.pass(4000)
  t.equal(circles.length, 1, 'either may have made the call')
})

t.test('what waits for another turn is not told', async t => {
  const {actors, call, circles, clock} = openActorHouse()
  const host = new TestHost('orders')
  actors.host(host, types(['Order']))
  void call('Order/1', 'pay', {trace: 'a'})
  void call('Order/1', 'price', {trace: 'a'}) // of the same caller, at the same time
  void call('Order/1', 'sum', {trace: 'b'})
  clock.pass(6000)
  t.strictSame(circles, [])
  for (let turn = 0; turn < 3; turn++) await host.open[0]?.answer()
  clock.pass(6000)
  t.strictSame(circles, [])
})
