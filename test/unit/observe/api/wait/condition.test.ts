import t from 'tap'
import {readCondition} from '../../../../../src/observe/api/wait/condition.ts'
import {readIgnored} from '../../../../../src/observe/api/wait/ignored-calls.ts'
import {readDuration} from '../../../../../src/model/duration.ts'

t.test('conditions are read in every form', async t => {
  t.match(readCondition('ready'), {kind: 'ready', app: ''})
  t.match(readCondition('ready:shop'), {kind: 'ready', app: 'shop'})
  t.match(readCondition('exit:shop.2'), {kind: 'exit', app: 'shop.2'})
  t.match(readCondition('idle'), {kind: 'idle', spanMs: 500})
  t.match(readCondition('idle:1.5s'), {kind: 'idle', spanMs: 1500})
  t.match(readCondition('log:shop:up: .*'), {kind: 'log', rest: 'shop:up: .*'})
  t.match(readCondition('calls:7'), {kind: 'calls', from: '', to: '', count: 7})
  t.match(readCondition('calls:stock:7'), {from: '', to: 'stock', count: 7})
  t.match(readCondition('calls:shop:stock:7'), {from: 'shop', to: 'stock', count: 7})
  t.match(readCondition('calls:any:stock:7'), {from: '', to: 'stock', count: 7})
  t.match(readCondition('workflow:o-17:completed'), {kind: 'workflow', id: 'o-17', state: 'completed'})
  t.match(readCondition('workflow:o-17:0001:ended'), {kind: 'workflow', id: 'o-17:0001', state: 'ended'})
  t.match(readCondition('calls:shop:*:7'), {from: 'shop', to: '', count: 7})
})

t.test('a wrong condition says how it is written', async t => {
  for (const text of [
    '',
    ...'ready: exit reloaded: idle: idle:0 idle:1d log:'.split(' '),
    'log:[',
    ...'calls calls:0 calls:1e3 calls::1 workflow workflow:o-17 workflow::failed workflow:o-17:done'.split(' '),
    ...'sleep:5s'.split(' ')
  ])
    t.throws(() => readCondition(text), {message: /is not a condition/}, text)
  t.throws(() => readCondition(`log:${'a'.repeat(2000)}`), {message: /more than 1000 characters/})
})

t.test('durations', async t => {
  const read = ['500ms', '2', '1.5s', '3m', '1h', '0.4ms', '0', '-1s', '1d', '1 s', '577h', '99999999999s'].map(
    readDuration
  )
  t.same(read, [
    500,
    2000,
    1500,
    180_000,
    3_600_000,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined
  ])
})

t.test('calls are ignored by method and path', async t => {
  const isIgnored = readIgnored(['GET /poll*', '/health', '* /a*b*c', 'POST /q?x=*'])
  const calls: readonly (readonly [string, string, boolean])[] = [
    ['GET', '/poll', true],
    ['GET', '/poll/7?since=3', true],
    ['POST', '/poll', false],
    ['HEAD', '/health?deep', true],
    ['GET', '/healthy', false],
    ['PUT', '/a-b-c', true],
    ['PUT', '/abc', true],
    ['PUT', '/ac', false],
    ['POST', '/q?x=1', true],
    ['POST', '/q', false]
  ]
  for (const [method, path, expected] of calls) t.equal(isIgnored?.({method, path}), expected, `${method} ${path}`)
  t.equal(readIgnored([]), undefined)
  t.throws(() => readIgnored(['poll']), {message: /names no calls/})
})
