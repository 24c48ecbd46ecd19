import t from 'tap'
import {Times} from '../../../../src/observe/logging/times.ts'

t.test('what came since a time begins where its second begins', async t => {
  const times = new Times()
  times.note('one\n', 0, 10_000)
  times.note('two\n', 4, 10_900)
  times.note('three\n', 8, 11_100)
  times.note('four\n', 14, 20_000)
  t.equal(times.startSince(0), 0)
  t.equal(times.startSince(10_900), 0, 'within one second nothing is told apart')
  t.equal(times.startSince(10_901), 8)
  t.equal(times.startSince(11_100), 8)
  t.equal(times.startSince(11_101), 14)
  t.equal(times.startSince(20_001), undefined)
})

t.test('nothing has come', async t => {
  t.equal(new Times().startSince(0), undefined)
})

t.test('a line that comes in pieces is shown from its beginning', async t => {
  const times = new Times()
  times.note('a long ', 0, 10_000)
  times.note('line\n', 7, 15_000)
  times.note('next\n', 12, 16_500)
  t.equal(times.startSince(15_000), 0)
  t.equal(times.startSince(15_001), 12)
})

t.test('a clock that is set back hides nothing', async t => {
  const times = new Times()
  times.note('one\n', 0, 50_000)
  times.note('two\n', 4, 10_000)
  times.note('three\n', 8, 60_000)
  t.equal(times.startSince(50_000), 0)
  t.equal(times.startSince(55_000), 8)
})

t.test('a log of a week: never a line too few, and at most a hundredth of its age too many', async t => {
  const times = new Times()
  const seconds = 7 * 24 * 3600
  for (let second = 0; second < seconds; second++) times.note('x\n', second, second * 1000)
  for (const age of [1, 10, 60, 3600, 24 * 3600, 6 * 24 * 3600]) {
    const since = seconds - age
    const start = times.startSince(since * 1000) ?? Infinity
    t.ok(start <= since, `${age} s: not too few`)
    t.ok(since - start <= 1 + age / 100, `${age} s: ${since - start} s too many`)
  }
})
