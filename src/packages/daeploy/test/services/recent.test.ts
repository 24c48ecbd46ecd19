import {getEventListeners} from 'node:events'
import t from 'tap'
import {RecentLines} from '../../services/recent-lines.ts'

const nobody = (): void => undefined

const scene = () => {
  let take: (text: string) => void = nobody
  const closing = new AbortController()
  const recent = new RecentLines('scales', {
    tap: each => {
      take = each
      return nobody
    },
    closed: closing.signal
  })
  return {recent, write: (text: string) => take(text), close: () => closing.abort()}
}

const all = async (texts: AsyncIterable<string>): Promise<string> => {
  let whole = ''
  for await (const text of texts) whole += text
  return whole
}

const never = new AbortController().signal
const wanted = {tail: 0, isFollowed: false, since: 0}

t.test("the app's lines are kept without prefix, and lines of ours are left out", async t => {
  const {recent, write} = scene()
  write('== APP - scales == one\nExited App successfully\n== APP - sca')
  write('les == zw\u00c3\u00b6lf\n')
  t.equal(await all(recent.read(wanted, never)), 'one\nzwölf\n')
  t.equal(await all(recent.read({...wanted, tail: 1}, never)), 'zwölf\n')
  t.equal(await all(recent.read({...wanted, tail: 9}, never)), 'one\nzwölf\n')
  t.equal(await all(recent.read({...wanted, since: Date.now() + 1000}, never)), '')
})

t.test('who follows gets each line once, to the end of the log', async t => {
  const {recent, write, close} = scene()
  write('== APP - scales == one\n== APP - scales == two\n')
  const texts = recent.read({...wanted, tail: 1, isFollowed: true}, never)
  t.same(await texts.next(), {value: 'two\n', done: false})
  const next = texts.next()
  write('== APP - scales == three\n')
  t.same(await next, {value: 'three\n', done: false})
  const end = texts.next()
  close()
  t.match(await end, {done: true})
})

t.test('who does not follow gets what is there, though the app prints as fast as it is read', async t => {
  const {recent, write} = scene()
  write('== APP - scales == one\n')
  const texts: string[] = []
  for await (const text of recent.read(wanted, never)) {
    texts.push(text)
    if (texts.length < 10) write('== APP - scales == more\n')
  }
  t.same(texts, ['one\n'])
})

t.test('who has left is not waited for', async t => {
  const {recent} = scene()
  const gone = new AbortController()
  const texts = recent.read({...wanted, isFollowed: true}, gone.signal)
  const next = texts.next()
  gone.abort()
  t.match(await next, {done: true})
})

t.test('however much comes, a follower listens once for its reader’s end, not at all when it has left', async t => {
  const {recent, write, close} = scene()
  const {signal} = new AbortController()
  const texts = recent.read({...wanted, isFollowed: true}, signal)
  for (let i = 0; i < 20; i++) {
    const next = texts.next()
    write('== APP - scales == one\n')
    await next
    t.equal(getEventListeners(signal, 'abort').length, 1)
  }
  close()
  t.match(await texts.next(), {done: true})
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('a line that never ends, as that of a progress bar, is kept in parts', async t => {
  const {recent, write} = scene()
  const piece = `\r50 % ${'\u00c3\u00b6'.repeat(20_000)}`
  write('== APP - scales == one\n== APP - sca')
  write('les == ')
  for (let i = 0; i < 20; i++) write(piece)
  t.match(await all(recent.read(wanted, never)), /^one\n\r50 % ö+\r[\r50 %ö]+$/, 'no character is cut')
  for (let i = 0; i < 500; i++) write(piece)
  write('\n== APP - scales == two\n')
  t.ok((await all(recent.read(wanted, never))).length < 18 * 1024 * 1024)
  t.equal(await all(recent.read({...wanted, tail: 1}, never)), 'two\n')
})

t.test('the parts of a long line of ours are left out', async t => {
  const {recent, write} = scene()
  write(`Exited App ${'x'.repeat(100_000)}`)
  write(`${'x'.repeat(100_000)}\n== APP - scales == one\n`)
  t.equal(await all(recent.read(wanted, never)), 'one\n')
})
