import t from 'tap'
import type {CallLink} from '../../../../../src/model/api.generated.ts'
import {CallLinks, type TracedCall} from '../../../../../src/observe/api/trace/link-calls.ts'

const TRACE = (digit: string): string => `00-${digit.repeat(32)}-${'b'.repeat(16)}-01`

/** A call from one app to another that began and ended then; it was admitted and answered at once. */
const made = (
  number: number,
  edge: string,
  [startedAt, endedAt]: [number, number],
  more: Partial<TracedCall> = {}
): TracedCall => {
  const [from = '', to = ''] = edge.split(' ')
  return {
    number,
    from,
    to,
    method: 'GET',
    path: `/${to}/${number}`,
    startedAt,
    endedAt,
    admittedAt: startedAt,
    respondedAt: endedAt,
    publisher: '',
    cameWith: '',
    wentWith: '',
    ...more
  }
}

const linksOf = (...calls: readonly TracedCall[]): readonly (CallLink | undefined)[] => {
  const links = new CallLinks()
  for (const call of calls) links.add(call)
  return calls.map(({number}) => links.of(number))
}

t.test('the only call that the caller was answering', async t => {
  const [root, inner, later] = linksOf(
    made(1, 'web shop', [0, 10]),
    made(2, 'shop stock', [2, 4]),
    made(3, 'shop stock', [11, 12])
  )
  t.equal(root, undefined)
  t.same(inner, {parent: 1, reason: 'only', chance: 1, candidates: 1})
  t.equal(later, undefined, 'it was answering none')
})

t.test('of several the one that has made no such call yet, the oldest first; their chances', async t => {
  const [, , first, second, third] = linksOf(
    made(1, 'web shop', [0, 20]),
    made(2, 'web shop', [1, 20]),
    made(3, 'shop stock', [2, 3]),
    made(4, 'shop stock', [4, 5]),
    made(5, 'shop bank', [6, 7])
  )
  t.same(first, {parent: 1, reason: 'guess', chance: 0.5, candidates: 2})
  t.same(second, {parent: 2, reason: 'guess', chance: 0.8, candidates: 2})
  t.same(third, {parent: 1, reason: 'guess', chance: 0.5, candidates: 2})
})

t.test('the trace that apps pass on decides, also between several and after the answer', async t => {
  const [, , inner, own, late, event] = linksOf(
    made(1, 'web shop', [0, 10], {wentWith: TRACE('1')}),
    made(2, 'web shop', [1, 10], {wentWith: TRACE('2')}),
    made(3, 'shop stock', [2, 3], {cameWith: TRACE('2'), wentWith: TRACE('2')}),
    made(4, 'shop bank', [4, 5], {cameWith: TRACE('9')}),
    made(5, 'shop bank', [20, 21], {cameWith: TRACE('1')}),
    made(6, 'bus/orders mail', [30, 31], {publisher: 'stock', cameWith: TRACE('2')})
  )
  t.same(inner, {parent: 2, reason: 'trace', chance: 1, candidates: 1})
  t.match(own, {reason: 'guess', candidates: 2}, 'a trace that nobody gave it')
  t.match(late, {parent: 1, reason: 'trace'})
  t.match(event, {parent: 3, reason: 'trace'}, 'an event belongs to the call of its trace that its publisher got')
})

t.test('what is not sure is not called so: a begun answer, a trace of its own, a wait in the queue', async t => {
  const [, streamed] = linksOf(made(1, 'web shop', [0, 10], {respondedAt: 1}), made(2, 'shop stock', [2, 3]))
  t.same(streamed, {parent: 1, reason: 'guess', chance: 0.5, candidates: 1})
  const [, own] = linksOf(
    made(1, 'web shop', [0, 10], {wentWith: TRACE('1')}),
    made(2, 'shop stock', [2, 3], {cameWith: TRACE('2')})
  )
  t.same(own, {parent: 1, reason: 'guess', chance: 0.5, candidates: 1})
  const [, before] = linksOf(made(1, 'web shop', [0, 10], {admittedAt: 5}), made(2, 'shop stock', [2, 3]))
  t.equal(before, undefined, 'the app had not got it yet')
})

t.test('an event belongs to the call that its publisher was answering, and that is never sure', async t => {
  const [, event, , later] = linksOf(
    made(1, 'web shop', [0, 10]),
    made(2, 'bus/orders mail', [2, 3], {publisher: 'shop', cameWith: TRACE('1'), wentWith: TRACE('1')}),
    made(3, 'web shop', [4, 10]),
    made(4, 'bus/orders mail', [5, 6], {publisher: 'shop'})
  )
  t.same(event, {parent: 1, reason: 'guess', chance: 0.8, candidates: 1})
  t.match(later, {parent: 3, reason: 'guess', candidates: 2})
})

t.test('what is known is sure, however much was in flight: a published event, a step of a workflow', async t => {
  const [, , publish, event, , step] = linksOf(
    made(1, 'web shop', [0, 10]),
    made(2, 'web shop', [1, 10]),
    made(-1, 'shop bus/orders', [2, 3], {isLast: true}),
    made(3, 'bus/orders mail', [30, 31], {publisher: 'shop', madeFor: {parents: [-1], reason: 'event'}}),
    made(-2, 'shop shop', [4, 9], {isLast: true}),
    made(-3, 'shop bank', [5, 8], {madeFor: {parents: [-2], reason: 'history'}})
  )
  t.match(publish, {reason: 'guess', candidates: 2})
  t.same(event, {parent: -1, reason: 'event', chance: 1, candidates: 1})
  t.same(step, {parent: -2, reason: 'history', chance: 1, candidates: 1})
})

t.test('an activity calls, too: a request that its app answers meanwhile is not the only reason', async t => {
  const [, , call, traced] = linksOf(
    made(1, 'web shop', [0, 20]),
    made(-1, 'shop shop', [1, 20], {madeFor: {parents: [-9], reason: 'history'}, wentWith: TRACE('3')}),
    made(2, 'shop bank', [2, 3]),
    made(3, 'shop bank', [4, 5], {cameWith: TRACE('3')})
  )
  t.match(call, {reason: 'guess', candidates: 2})
  t.match(traced, {parent: -1, reason: 'trace'})
})

t.test('what is no app makes no calls; what a sidecar began as a trace of its own tells nothing', async t => {
  const [, publish, other] = linksOf(
    made(1, 'web shop', [0, 10], {wentWith: TRACE('1')}),
    made(-1, 'shop store', [2, 3], {isLast: true, cameWith: TRACE('2'), mayBeginTrace: true}),
    made(2, 'store mail', [2, 3])
  )
  t.match(publish, {parent: 1, reason: 'only'})
  t.equal(other, undefined)
})

t.test('a time in whole milliseconds: it may have begun a little later', async t => {
  const [, workflow] = linksOf(made(1, 'web shop', [0.4, 0.9]), made(-1, 'shop shop', [0, 50], {startsWithinMs: 1}))
  t.match(workflow, {parent: 1, reason: 'only'})
})

t.test('calls in a circle are a tree', async t => {
  const links = linksOf(
    made(1, 'web shop', [0, 10]),
    made(2, 'shop stock', [1, 9]),
    made(3, 'stock shop', [2, 8]),
    made(4, 'shop stock', [3, 7]),
    made(5, 'stock shop', [4, 6])
  )
  t.same(
    links.map(link => link?.parent),
    [undefined, 1, 2, 3, 4]
  )
})

t.test('calls that come from outside in one trace stand side by side', async t => {
  const [first, second] = linksOf(
    made(1, 'web shop', [0, 1], {cameWith: TRACE('1'), wentWith: TRACE('1')}),
    made(2, 'web stock', [2, 3], {cameWith: TRACE('1'), wentWith: TRACE('1')})
  )
  t.strictSame([first, second], [undefined, undefined])
})

t.test('after two answered calls of one trace it is not sure for which of them an app calls', async t => {
  const [, , late] = linksOf(
    made(1, 'web shop', [0, 1], {wentWith: TRACE('1')}),
    made(2, 'web shop', [2, 3], {wentWith: TRACE('1')}),
    made(3, 'shop bank', [10, 11], {cameWith: TRACE('1')})
  )
  t.match(late, {reason: 'guess', candidates: 2, chance: 0.5})
})

t.test('two workflows that each seem to have started the other one are no circle', async t => {
  const links = linksOf(
    made(-2, 'shop shop', [1, 9], {isLast: true, madeFor: {parents: [-1], reason: 'history'}}),
    made(-4, 'shop shop', [1, 9], {isLast: true, madeFor: {parents: [-3], reason: 'history'}}),
    made(-1, 'shop shop', [0, 9], {isLast: true, madeFor: {parents: [-4], reason: 'history'}}),
    made(-3, 'shop shop', [0, 9], {isLast: true, madeFor: {parents: [-2], reason: 'history'}})
  )
  t.same(
    links.map(link => link?.parent),
    [-1, -3, -4, undefined]
  )
})
