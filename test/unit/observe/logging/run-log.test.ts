import {getEventListeners} from 'node:events'
import t from 'tap'
import {Memory} from '../../../../src/observe/logging/log-memory.ts'
import {linesIn, prefixed} from '../../../../src/model/text-lines.ts'
import {readRunLog, withoutHeads} from '../../../../src/observe/logging/run-log-reader.ts'
import {RunLog, type RunLogWriter} from '../../../../src/observe/logging/run-log.ts'

const never = new AbortController().signal
const all = {tail: -1, since: 0, isFollowed: false, gone: never}

/** Apps that write into a log of a run, and into records of their own, as an app's log does. */
function scene(max?: {readonly lines: number; readonly bytes: number}) {
  const log = new RunLog(max)
  const app = (name: string) => {
    const [writer, record] = [log.writer(name), new Memory({lines: 1e9, bytes: 1e9})]
    const prefix = `== APP - ${name} == `
    const open = {prefix}
    return {
      name,
      writer,
      record,
      write: (text: string, isKept = true) => {
        writer.write('stdout', text, linesIn(text), record.lines.placeAt(record.length))
        if (isKept) record.write({writer: open, text: prefixed(text, prefix)})
      }
    }
  }
  return {log, app}
}

const read = async (texts: AsyncIterable<string>): Promise<string> => {
  let whole = ''
  for await (const text of texts) whole += text
  return whole
}

/** App and text of each line. */
const shown = (text: string): readonly string[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => line.replace(/^(\d+) (\S+) /, (_, time: string) => (time === '0' ? '- ' : '')))

t.test('lines of all apps stand in the order in which they came, with their times', async t => {
  const {log, app} = scene()
  const [a, b] = [app('a'), app('b')]
  const before = Date.now()
  a.write('one\n')
  b.write('two\nthree\n')
  a.write('fo')
  b.write('five\n')
  a.write('ur\nsi')
  const text = await read(readRunLog(log, [a, b], all))
  t.same(shown(text), ['a one', 'b two', 'b three', 'b five', 'a four'])
  for (const line of text.split('\n').slice(0, -1)) {
    const time = Number(line.split(' ')[0])
    t.ok(time >= before && time <= Date.now())
  }
  a.writer.end(a.record.length)
  t.same(shown(await read(readRunLog(log, [a, b], all))).at(-1), 'a si')
  t.same(shown(await read(readRunLog(log, [b], all))), ['b two', 'b three', 'b five'])
  t.same(shown(await read(readRunLog(log, [a, b], {...all, tail: 2}))), ['a four', 'a si'])
  t.same(shown(await read(readRunLog(log, [a, b], {...all, tail: 0}))), [])
  t.same(shown(await read(readRunLog(log, [a, b], {...all, since: Date.now() + 1000}))), [])
})

t.test('what memory has no more comes from where it is kept, app by app, each line once', async t => {
  const {log, app} = scene({lines: 1000, bytes: 1e9})
  const [a, b] = [app('a'), app('b')]
  const long = 'x'.repeat(500)
  for (let i = 0; i < 3000; i++) {
    a.write(`${i} ${long}\n`)
    b.write(`${i} ${long}\n${i} again\n`)
  }
  const lines = shown(await read(readRunLog(log, [a, b], all)))
  t.equal(lines.length, 9000)
  const timed = lines.filter(line => !line.startsWith('- '))
  t.ok(timed.length >= 1000 && timed.length < 3000, timed.length.toString())
  t.notOk(
    lines.slice(-timed.length).some(line => line.startsWith('- ')),
    'files first'
  )
  for (const name of ['a', 'b']) {
    const own = lines
      .filter(line => line.startsWith(`${name} `) || line.startsWith(`- ${name} `))
      .map(line => line.replace(/^- /, '').replace(`== APP - ${name} == `, ''))
    const expected = Array.from({length: 3000}, (_, i) => [
      `${name} ${i} ${long}`,
      ...(name === 'b' ? [`b ${i} again`] : [])
    ]).flat()
    t.same(own, expected)
  }
  t.same(shown(await read(readRunLog(log, [a, b], {...all, tail: 2}))), [`b 2999 ${long}`, 'b 2999 again'])
  const many = shown(await read(readRunLog(log, [a, b], {...all, tail: 5000})))
  t.same(many, lines.slice(-5000), 'a tail that is longer than memory')
})

t.test('what was written before a place in the log, whatever has come since', async t => {
  const {log, app} = scene({lines: 1000, bytes: 1e9})
  const [a, b] = [app('a'), app('b')]
  const long = 'x'.repeat(500)
  for (let i = 0; i < 3000; i++) {
    a.write(`${i} ${long}\n`)
    b.write(`${i} ${long}\n`)
  }
  const place = log.next
  const [whole, last] = [
    await read(readRunLog(log, [a, b], all)),
    await read(readRunLog(log, [a, b], {...all, tail: 3}))
  ]
  for (const text of ['more\n', 'and more\nand\n', 'open']) a.write(text)
  t.equal(await read(readRunLog(log, [a, b], {...all, before: place})), whole)
  t.equal(await read(readRunLog(log, [a, b], {...all, before: place, tail: 3})), last)
  t.notSame(await read(readRunLog(log, [a, b], {...all, tail: 3})), last)
})

t.test('memory is bounded in lines and in bytes, and by the longest line', async t => {
  const {log, app} = scene()
  const a = log.writer('a')
  const text = `${'x'.repeat(99)}\n`.repeat(600)
  for (let i = 0; i < 1000; i++) a.write('stdout', text, 600, 0)
  let lines = 0
  for (const batch of log.latest()) lines += linesIn(batch.text)
  t.ok(lines >= 50_000 && lines < 54_000, lines.toString())
  const big = `${'x'.repeat(1_000_000)}\n`
  for (let i = 0; i < 100; i++) a.write('stdout', big, 1, 0)
  let size = 0
  for (const batch of log.latest()) size += batch.text.length
  t.ok(size > 30e6 && size < 34e6, size.toString())
  const b = app('b')
  for (let i = 0; i < 100; i++) b.writer.write('stdout', 'x'.repeat(100_000), 0, 0)
  b.writer.write('stdout', '\n', 1, 0)
  const [last] = log.latest()
  t.equal(last?.text.length, 1024 * 1024 + 1)
})

t.test('who follows gets what is kept, an empty line, and what comes, until all have ended', async t => {
  const {log, app} = scene()
  const [a, b, c] = [app('a'), app('b'), app('c')]
  a.write('one\n')
  const texts = readRunLog(log, [a, b], {...all, isFollowed: true})
  t.match((await texts.next()).value, /^\d+ stdout a one\n$/)
  t.equal((await texts.next()).value, '\n')
  const next = texts.next()
  c.write('not wanted\n')
  b.write('two\n')
  t.match((await next).value, /^\d+ stdout b two\n$/)
  const end = texts.next()
  await a.record.close()
  await b.record.close()
  t.match(await end, {done: true})
})

t.test('who has left is given nothing more', async t => {
  const {log, app} = scene()
  const a = app('a')
  const gone = new AbortController()
  const texts = readRunLog(log, [a], {...all, isFollowed: true, gone: gone.signal})
  t.equal((await texts.next()).value, '\n')
  const next = texts.next()
  t.equal(getEventListeners(a.record.closed, 'abort').length, 1)
  gone.abort()
  t.match(await next, {done: true})
  t.equal(getEventListeners(a.record.closed, 'abort').length, 0, 'nothing of it stays at the log')
})

const names = (text: string) => shown(text).map(line => line.replace(/ x*$/, '').split(' ').at(-1))

t.test('older lines of an app come whole where its log lacks some that memory has', async t => {
  const {log, app} = scene({lines: 2, bytes: 1e9})
  const a = app('a')
  const long = 'x'.repeat(100_000)
  a.write('first\n')
  a.write(`second ${long}\n`)
  a.write(`third ${long}\n`)
  a.write(`lost ${long}\n`, false)
  for (const name of ['fourth', 'last']) a.write(`${name} ${long}\n`)
  t.equal(log.oldest, 3, 'three are no longer in memory')
  t.same(names(await read(readRunLog(log, [a], all))), ['first', 'second', 'third', 'lost', 'fourth', 'last'])
  t.same(names(await read(readRunLog(log, [a], {...all, tail: 4}))), ['third', 'lost', 'fourth', 'last'])
})

t.test('each line comes once where pieces end within lines, and while a line of the other stream is open', async t => {
  const {log, app} = scene({lines: 1000, bytes: 1e9})
  const [a, b] = [app('a'), app('b')]
  const lines = Array.from({length: 5000}, (_, n) => `${n} ${'x'.repeat(200)}`)
  const text = lines.map(line => `${line}\n`).join('')
  for (let at = 0; at < text.length; at += 5000) a.write(text.slice(at, at + 5000))
  const numbers = async (of: typeof a, tail = -1) =>
    shown(await read(readRunLog(log, [of], {...all, tail}))).map(line => Number(line.split(' ').at(-2)))
  const expected = lines.map((_, n) => n)
  t.same(await numbers(a), expected)
  t.same(await numbers(a, 4500), expected.slice(-4500))
  b.write('Password: ')
  const other = {prefix: 'b '}
  for (const line of lines) {
    b.writer.write('stderr', `${line}\n`, 1, b.record.lines.placeAt(b.record.length))
    b.record.write({writer: other, text: `b ${line}\n`})
  }
  await b.record.close()
  const answered = (await numbers(b)).filter(number => !Number.isNaN(number))
  t.same(answered, expected)
})

t.test('a last line without a newline is there as long as its log', async t => {
  const {log, app} = scene({lines: 10, bytes: 1e9})
  const [a, b] = [app('a'), app('b')]
  a.write('first\nlast')
  a.writer.end(a.record.length)
  await a.record.close()
  t.same(shown(await read(readRunLog(log, [a], all))), ['a first', 'a last'], 'in memory')
  for (let n = 0; n < 40; n++) b.write(`${'x'.repeat(100_000)}\n`)
  t.ok(log.oldest > 2)
  const older = (await read(readRunLog(log, [a], all))).split('\n').map(line => line.split(' ').at(-1))
  t.same(older, ['first', 'last', ''])
})

t.test('a stretch of the log can be read by its place, as far as it is kept', async t => {
  const log = new RunLog({lines: 10, bytes: 1e9})
  const writer = log.writer('a')
  const between = (from: number, to: number): string =>
    [...log.between(from, to)].map(({number, text}) => `${number} ${text}`).join('')
  for (let n = 0; n < 5; n++) writer.write('stdout', `line ${n}\n`, 1, 0)
  t.strictSame([log.oldest, log.next], [0, 5])
  t.equal(between(1, 3), '1 line 1\n2 line 2\n')
  t.equal(between(4, 99), '4 line 4\n')
  t.equal(between(5, 5), '')
  const reading = log.between(0, 2)
  t.match(reading.next().value, {number: 0, text: 'line 0\n'})
  const large = `${'x'.repeat(200_000)}\n`
  for (let n = 5; n < 40; n++) writer.write('stdout', large, 1, 0)
  t.match(reading.next().value, {number: 1, text: 'line 1\n'}, 'what is being read stays intact')
  t.ok(reading.next().done)
  t.ok(log.oldest > 5 && log.oldest <= 30, 'older ones are gone')
  t.equal([...log.between(0, 99)][0]?.number, log.oldest)
  t.strictSame(
    [...log.between(0, 99)].map(({number}) => number),
    Array.from({length: 40 - log.oldest}, (_, n) => log.oldest + n)
  )
})

t.test('a line in which the cursor goes back to its beginning stays as the app wrote it', async t => {
  const {log, app} = scene()
  const a = app('a')
  const progress = 'start\r10 of 100% are done\r99 of 100 done\n'
  a.write(progress)
  t.equal(await read(withoutHeads(readRunLog(log, [a], all), true)), `== APP - a == ${progress}`)
})

t.test('who follows gets the lines of apps that come later, until these have ended, too', async t => {
  const {log, app} = scene()
  const [a, other] = [app('a'), app('other')]
  let now = [a]
  const isMeant = (writer: RunLogWriter): boolean => now.some(each => each.writer === writer)
  const texts = readRunLog(log, [a], {...all, isFollowed: true}, {isMeant, next: async () => now})
  t.equal((await texts.next()).value, '\n')
  const first = texts.next()
  const b = app('b')
  now = [b]
  await a.record.close()
  other.write('not wanted\n')
  b.write('two\n')
  t.match((await first).value, /^\d+ stdout b two\n$/)
  const end = texts.next()
  await b.record.close()
  t.match(await end, {done: true})
})

t.test('what comes while older lines are read waits, and is not dropped', async t => {
  const {log, app} = scene()
  const a = app('a')
  a.write('old\n')
  const texts = readRunLog(log, [a], {...all, isFollowed: true})
  t.match((await texts.next()).value, /^\d+ stdout a old\n$/)
  const large = `${'x'.repeat(200_000)}\n`
  for (let n = 0; n < 20; n++) a.write(large)
  t.equal((await texts.next()).value, '\n')
  // a difference of megabytes takes minutes to show
  t.equal(
    String((await texts.next()).value)
      .replace(/^\d+ /, '')
      .slice(0, 12),
    'stdout a xxx'
  )
  for (let n = 0; n < 20; n++) a.write(large)
  t.match(String((await texts.next()).value).slice(0, 40), / lines dropped\n/, 'later it has to keep up')
  await texts.return(undefined)
})

t.test('lines of both streams come once where memory begins while a line is open', async t => {
  const {log, app} = scene({lines: 10, bytes: 1e9})
  const a = app('a')
  const other = {prefix: 'a '}
  const written: number[] = []
  const part = 'x'.repeat(20_000)
  // each line of stdout comes in two pieces, with one of stderr in between
  for (let n = 0; n < 120; n += 2) {
    a.write(`${part} `)
    a.writer.write('stderr', `${part} ${n}\n`, 1, a.record.lines.placeAt(a.record.length))
    a.record.write({writer: other, text: `a ${part} ${n}\n`})
    a.write(`${n + 1}\n`)
    written.push(n, n + 1)
    const numbers = async (tail: number): Promise<readonly number[]> =>
      (await read(readRunLog(log, [a], {...all, tail})))
        .split('\n')
        .slice(0, -1)
        .map(line => Number(line.split(' ').at(-1)))
        .toSorted((one, two) => one - two)
    if (n % 14 !== 0) continue
    t.same(await numbers(-1), written)
    t.equal((await numbers(30)).length, Math.min(30, written.length))
  }
  t.ok(log.oldest > 0)
})
