import t from 'tap'
import {compileTrip, defaultTrip, type BreakerCounts} from '../../../../../src/files/resources/resiliency/trip.ts'

const counts: BreakerCounts = {
  requests: 10,
  totalSuccesses: 4,
  totalFailures: 6,
  consecutiveSuccesses: 0,
  consecutiveFailures: 3
}

t.test('expressions over the counts', async t => {
  const table: readonly (readonly [string, boolean])[] = [
    ['consecutiveFailures > 2', true],
    ['consecutiveFailures > 3', false],
    ['consecutiveFailures >= 3 && requests > 9', true],
    ['totalFailures * 2 > requests', true],
    ['totalFailures / requests > 0', false], // whole numbers, as in cel-go
    ['double(totalFailures) / double(requests) >= 0.6', true],
    ['requests > 100 ? totalFailures > 50 : totalFailures > 5', true],
    ['consecutiveSuccesses == 0', true],
    ['consecutiveFailures > 2.5', true],
    ['[1, 2].exists(n, n < consecutiveFailures)', true],
    ['totalFailures / consecutiveSuccesses > 1', false] // fails when evaluated: does not trip
  ]
  for (const [expression, expected] of table) {
    const {trip, fault} = await compileTrip(expression)
    t.equal(fault, undefined, expression)
    t.equal(trip(counts), expected, expression)
  }
  t.equal(defaultTrip({...counts, consecutiveFailures: 5}), false)
  t.equal(defaultTrip({...counts, consecutiveFailures: 6}), true)
})

t.test('an expression that is read again is the same', async t => {
  const {trip} = await compileTrip('requests > 3')
  t.equal((await compileTrip('requests > 3')).trip, trip)
})

t.test('expressions that do not compile', async t => {
  const table: readonly (readonly [string, RegExp, number])[] = [
    ['consecutiveFailures >', /^trip does not compile: Unexpected token: EOF$/, 21],
    ['"a" > 3', /^trip does not compile: no such overload: string > int$/, 0],
    ['requests > 3 && frob(1)', /^trip does not compile: found no matching overload for 'frob\(int\)'$/, 16]
  ]
  for (const [expression, message, offset] of table) {
    const {trip, fault} = await compileTrip(expression)
    t.match(fault, {severity: 'error', message, offset}, expression)
    t.equal(trip(counts), false)
  }
})

t.test('expressions that Dapr takes, and that cannot do what they seem to', async t => {
  const unknown = await compileTrip('failures > 3')
  t.match(unknown.fault, {severity: 'warning', message: 'trip has no variable failures', offset: 0})
  t.equal(unknown.trip(counts), false)
  const misspelt = await compileTrip('consecutiveFailures > 2 || totalfailure > 3')
  t.match(misspelt.fault, {severity: 'warning', offset: 27, hint: 'did you mean totalFailures?'})
  t.equal(misspelt.trip(counts), true, 'what can be evaluated counts')
  const number = await compileTrip('1 + 1')
  t.match(number.fault, {severity: 'warning', message: /^trip is of type int and not true or false/})
  t.equal(number.trip(counts), false)
})
