import t from 'tap'
import {readFault, type FaultFields} from '../../../../src/files/config/fault.ts'
import {FaultRule} from '../../../../src/proxy/faults/fault-rule.ts'
import {Faults} from '../../../../src/proxy/faults/faults.ts'
import type {Call} from '../../../../src/model/call.ts'

const call = (path = '/orders/7', more: Partial<Call> = {}): Call => ({
  caller: 'shop',
  callee: 'stock',
  method: 'GET',
  path,
  ...more
})

const plan = (fields: FaultFields) => readFault({from: 'shop', to: 'stock', status: 503, ...fields})

const hitsOf = (fields: FaultFields, calls: number): readonly boolean[] => {
  const rule = new FaultRule(1, plan(fields))
  return Array.from({length: calls}, () => rule.strikes())
}

t.test('the same calls are hit in every run: the seed and the number of the call decide, nothing else', async t => {
  const once = hitsOf({rate: 0.2, seed: 42}, 1000)
  t.strictSame(hitsOf({rate: 0.2, seed: 42}, 1000), once)
  t.notSame(hitsOf({rate: 0.2, seed: 43}, 1000), once)
  // the sequence is part of what a template says: it must not change between versions either
  t.strictSame(once.flatMap((isHit, n) => (isHit ? [n + 1] : [])).slice(0, 8), [3, 11, 13, 14, 20, 44, 45, 46])
  for (const seed of [0, 1, 42, 4_294_967_295]) {
    const hits = hitsOf({rate: 0.2, seed}, 10_000).filter(Boolean).length
    t.ok(hits > 1850 && hits < 2150, `seed ${seed}: ${hits} of 10,000`)
  }
  t.ok(hitsOf({}, 100).every(Boolean), 'without a rate each one is')
})

/** Of 50 calls that a rule matches, each after so many others. */
const decisions = (others: number): readonly boolean[] => {
  const faults = new Faults({tell: () => undefined, kill: () => undefined})
  faults.add(plan({rate: 0.5, seed: 7, path: '/orders/*'}))
  return Array.from({length: 50}, () => {
    for (let n = 0; n < others; n++) faults.hit(call('/items'))
    return faults.hit(call()) !== undefined
  })
}

const delays = (): readonly number[] => {
  const rule = new FaultRule(1, plan({delay: '300ms', jitter: '100ms'}))
  return Array.from({length: 200}, () => {
    rule.strikes()
    return rule.delayMs
  })
}

const matches = (fields: FaultFields, what: Call): boolean => new FaultRule(1, plan(fields)).matches(what)

t.test('calls that the rule does not match do not move the sequence', async t => {
  t.strictSame(decisions(0), decisions(3))
})

t.test('jitter lengthens and shortens the delay, the same way in every run', async t => {
  const once = delays()
  t.strictSame(delays(), once)
  t.ok(once.every(ms => ms >= 200 && ms <= 400))
  t.ok(Math.min(...once) < 220 && Math.max(...once) > 380)
})

t.test('what a rule matches', async t => {
  t.ok(matches({}, call()))
  t.notOk(matches({from: 'other'}, call()))
  t.notOk(matches({to: 'other'}, call()))
  t.ok(matches({from: 'any', to: '*'}, call()))
  t.notOk(matches({method: 'post'}, call()))
  t.ok(matches({method: 'get'}, call()))
  const table: readonly (readonly [glob: string, path: string, isMatch: boolean])[] = [
    ['/orders/7', '/orders/7', true],
    ['/orders/7', '/orders/7?x=1', true],
    ['/orders/7?x=1', '/orders/7?x=1', true],
    ['/orders/7?x=2', '/orders/7?x=1', false],
    ['/orders', '/orders/7', false],
    ['/orders/*', '/orders/7/lines', true],
    ['/orders/*', '/orders/', true],
    ['/orders/*', '/order/7', false],
    ['*/lines', '/orders/7/lines', true],
    ['/o*s/*/l*s', '/orders/7/lines', true],
    ['/a*a', '/a', false],
    ['/a*b*b', '/ab', false],
    ['/orders.*', '/ordersX', false],
    ['*', '/', true]
  ]
  for (const [path, sent, isMatch] of table) t.equal(matches({path}, call(sent)), isMatch, `${path} ${sent}`)
})

t.test('the first matching rule decides; a spent one is passed over; a sidecar’s own requests pass', async t => {
  const told: string[] = []
  const faults = new Faults({tell: ({text}) => void told.push(text), kill: () => undefined})
  t.equal(faults.add(plan({times: 2})), 1)
  t.equal(faults.add(plan({from: 'any', to: 'any', status: 500})), 2)
  const marked = call()
  t.strictSame([faults.hit(marked)?.number, marked.fault], [1, 1])
  t.equal(faults.hit(call())?.number, 1)
  t.equal(faults.hit(call())?.number, 2)
  t.equal(faults.hit(call('/', {isOwn: true})), undefined)
  t.equal(faults.hit(call('/', {caller: 'stock', isOwn: true, from: 'orders/new'}))?.number, 2, 'a delivery')
  t.match(faults.list(), [
    {number: 1, hits: 2, matched: 2},
    {number: 2, hits: 2, matched: 2, leftMs: Infinity}
  ])
  t.ok(faults.remove(1))
  t.notOk(faults.remove(1))
  t.equal(faults.removeAll(), 1)
  t.strictSame(told, [
    'fault 1 is on: shop → stock: 503 (2 times)',
    'fault 2 is on: any → any: 500',
    'fault 1 is off: shop → stock: it hit 2 of 2 calls',
    'fault 2 is off: any → any: it hit 2 of 2 calls'
  ])
})

t.test('a rule that is taken off lets go what it holds, and hits no more', async t => {
  const faults = new Faults({tell: () => undefined, kill: () => undefined})
  faults.add(plan({delay: '1h'}))
  const hit = faults.hit(call())
  t.equal(hit?.kind, 'status')
  let ended = 0
  const off = hit?.onOver(() => ended++)
  hit?.onOver(() => ended++)
  off?.()
  faults.remove(1)
  t.strictSame([ended, hit?.kind], [1, 'none'])
})

t.test('a disabled rule is passed over, lets go what it holds, and goes on where it was', async t => {
  const told: string[] = []
  const faults = new Faults({tell: ({change, text}) => void told.push(`${change}: ${text}`), kill: () => undefined})
  faults.add(plan({rate: 0.5, seed: 7}))
  faults.add(plan({status: 500}))
  const numbers = (count: number) => Array.from({length: count}, () => faults.hit(call())?.number)
  const once = [...numbers(10), ...numbers(10)]
  const again = new Faults({tell: ({change, text}) => void told.push(`${change}: ${text}`), kill: () => undefined})
  again.add(plan({rate: 0.5, seed: 7, delay: '1h'}))
  const ten = Array.from({length: 10}, () => again.hit(call()))
  const held = ten.find(hit => hit !== undefined)
  let released = 0
  held?.onOver(() => released++)
  t.ok(again.enable(1, false))
  t.strictSame([released, held?.kind], [1, 'none'])
  t.strictSame(
    Array.from({length: 5}, () => again.hit(call())),
    Array.from({length: 5}),
    'it hits nothing'
  )
  t.match(again.list(), [{isEnabled: false, matched: 10}])
  told.length = 0
  t.ok(again.enable(1, false), 'once more changes nothing')
  t.ok(again.enable(1, true))
  t.strictSame(told, ['enabled: fault 1 is enabled again: shop → stock'])
  const rest = Array.from({length: 10}, () => again.hit(call())?.number)
  t.strictSame([...ten.map(hit => hit?.number), ...rest], once, 'the sequence goes on')
  t.notOk(again.enable(7, true), 'there is none')
  faults.enable(1, false)
  t.strictSame(numbers(3), [2, 2, 2], 'the next one decides')
})

t.test('mistakes name the key and what is expected', async t => {
  const table: readonly (readonly [FaultFields, string, string, RegExp])[] = [
    [{rate: 7}, 'rate', 'wrong rate: "7"', /above 0 and up to 1/],
    [{rate: '0'}, 'rate', 'wrong rate: "0"', /above 0/],
    [{rate: 'often'}, 'rate', 'wrong rate: "often"', /like 0\.2/],
    [{status: 99}, 'status', 'wrong status: "99"', /from 200 up to 599/],
    [{status: '5xx'}, 'status', 'wrong status: "5xx"', /whole number/],
    [{delay: 'soon'}, 'delay', 'wrong delay: "soon"', /300ms, 5s, 2m, 1h/],
    [{delay: '0s'}, 'delay', 'wrong delay: "0s"', /duration/],
    [{delay: '90000m'}, 'delay', 'wrong delay: "90000m"', /24 days/],
    [{jitter: '1s', delay: '1ms'}, 'jitter', 'jitter is longer than delay', /at most the delay/],
    [{seed: -1}, 'seed', 'wrong seed: "-1"', /from 0 up to 4294967295/],
    [{times: 0}, 'times', 'wrong times: "0"', /from 1 up$/],
    [{for: 'ever'}, 'for', 'wrong for: "ever"', /duration/],
    [{method: 'GET it'}, 'method', 'wrong method: "GET it"', /POST/],
    [{path: 'orders'}, 'path', 'wrong path: "orders"', /begins with \//],
    [{abort: true}, 'abort', 'status and abort exclude each other', /one of them/],
    [{status: undefined, cut: 'head'}, 'cut', 'wrong cut: "head"', /whole number/],
    [{status: undefined}, '', 'the fault does nothing', /delay, status/],
    [{status: undefined, delay: '1s', body: 'x'}, 'body', 'body without status', /response/],
    [{from: ' '}, 'from', 'the fault lacks from', /id of an app/]
  ]
  for (const [fields, key, message, expected] of table)
    t.throws(() => plan(fields), {key, message, expected}, JSON.stringify(fields))
  t.match(plan({status: undefined, cut: true}), {kind: 'cut', cutAfter: 0})
  t.match(plan({status: undefined, cut: '100'}), {kind: 'cut', cutAfter: 100})
  t.match(plan({delay: 1.5, jitter: '500ms', for: '2m'}), {delayMs: 1500, jitterMs: 500, forMs: 120_000})
})

t.test('a rule that is changed keeps its number, its place, its counts, and whether it is enabled', async t => {
  const told: string[] = []
  const faults = new Faults({tell: ({change, text}) => told.push(`${change}: ${text}`), kill: () => undefined})
  faults.add(plan({times: 3, never: true, status: undefined}))
  faults.add(plan({status: 500}))
  const held = faults.hit(call())
  const over = new Promise<void>(resolve => held?.onOver(resolve))
  t.equal(held?.kind, 'never')
  faults.enable(1, false)
  t.equal(faults.replace(1, plan({times: 3, status: 504})), true)
  await over
  t.equal(held?.kind, 'none', 'the call that was held goes on')
  t.match(faults.list(), [{number: 1, isEnabled: false, matched: 1, hits: 1, plan: {status: 504}}, {number: 2}])
  t.match(told.at(-1), 'on: fault 1 is changed: shop → stock: 504')
  faults.enable(1, true)
  t.equal(faults.hit(call())?.number, 1, 'the first one decides still')
  faults.hit(call())
  t.equal(faults.hit(call())?.number, 2)
  faults.replace(1, plan({times: 2, status: 503}))
  t.equal(faults.hit(call())?.number, 1, 'one that was spent begins to count again')
  t.equal(faults.replace(7, plan({})), false)
})

t.test('a rule that is changed ends when its new time is up, not at that of the old one', async t => {
  const faults = new Faults({tell: () => undefined, kill: () => undefined})
  faults.add(plan({for: '1h'}))
  faults.replace(1, plan({}))
  t.match(faults.list(), [{leftMs: Infinity}])
})
