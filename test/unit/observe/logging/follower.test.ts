import t from 'tap'
import {Follower} from '../../../../src/observe/logging/follower.ts'

t.test('what comes is given in its order, and nothing after the end', async t => {
  const follower = new Follower()
  const first = follower.next()
  follower.take('a\n')
  t.equal(await first, 'a\n')
  follower.take('b\n')
  follower.take('c\n')
  follower.end()
  follower.take('too late\n')
  t.equal(await follower.next(), 'b\nc\n')
  t.equal(await follower.next(), undefined)
  t.equal(await follower.next(), undefined)
})

t.test('the oldest lines are dropped, counted and told of before what is left', async t => {
  const follower = new Follower(6)
  for (const text of ['1\n2\n', '3\n', '4\n', '5\n']) follower.take(text)
  t.equal(Buffer.from((await follower.next()) ?? '', 'latin1').toString(), '… 2 lines dropped\n3\n4\n5\n')
  follower.take('6\n')
  t.equal(await follower.next(), '6\n')
})

t.test('what a stuck reader loses costs next to nothing, however many pieces wait', async t => {
  const follower = new Follower()
  const pieces = 4_000_000 // at 67 µs each this would be minutes, and the test would not end in its time
  for (let i = 0; i < pieces; i++) follower.take('a line\n')
  const kept = 149_796 // the lines in 1 MiB
  const text = Buffer.from((await follower.next()) ?? '', 'latin1').toString()
  t.ok(text.startsWith(`… ${pieces - kept} lines dropped\na line\n`), text.slice(0, 40))
  t.equal(text.split('\n').length - 2, kept)
})
