import t from 'tap'
import {LogCursor} from '../cluster/log-cursor.ts'

const at = (second: number, nanos = 0): string => `2026-01-01T00:00:0${second}.${nanos.toString().padStart(9, '0')}Z`
const bytes = (...lines: readonly string[]): Buffer => Buffer.from(lines.map(line => `${line}\n`).join(''))

t.test('times are taken off, however the bytes come', t => {
  const cursor = new LogCursor()
  const all = bytes(`${at(1)} one`, `${at(2)} `, `${at(3)} größe\r`)
  let text = ''
  for (const byte of all) text += cursor.push(Buffer.from([byte]))
  t.equal(Buffer.from(text, 'latin1').toString(), 'one\n\ngröße\n')
  t.equal(cursor.lastLine, 'größe')
  t.equal(cursor.since, at(3))
  t.equal(cursor.push(Buffer.from(`${at(4)} no newline`)), '')
  t.equal(cursor.end(), 'no newline\n')
  t.equal(cursor.end(), '')
  t.end()
})

t.test('after a cut whole seconds come again: each line is passed on once', t => {
  const cursor = new LogCursor()
  t.equal(cursor.push(bytes(`${at(1, 1)} a`, `${at(1, 2)} b`, `${at(1, 2)} c`)), 'a\nb\nc\n')
  t.equal(cursor.push(Buffer.from(`${at(1, 2)} d that is cu`)), '')
  t.equal(cursor.resume(), '')
  const again = bytes(`${at(1, 1)} a`, `${at(1, 2)} b`, `${at(1, 2)} c`, `${at(1, 2)} d that is cut`, `${at(2)} e`)
  t.equal(cursor.push(again), 'd that is cut\ne\n')
  t.equal(cursor.resume(), '')
  t.equal(cursor.push(bytes(`${at(2)} e`, `${at(3)} f`)), 'f\n')
  t.end()
})

t.test('after a cut no line comes twice, though the first ones were not asked for and have the same time', t => {
  const cursor = new LogCursor()
  t.equal(cursor.push(bytes(`${at(1)} b`, `${at(1)} c`)), 'b\nc\n', 'the last two of three')
  t.equal(cursor.resume(), '')
  const again = cursor.push(bytes(`${at(1)} a`, `${at(1)} b`, `${at(1)} c`, `${at(2)} d`))
  t.match(again, /d\n$/)
  t.notMatch(again, /[bc]/)
  t.end()
})

t.test(
  'after a cut no line comes twice, though the two streams of a container were not written in the order of their times',
  t => {
    const cursor = new LogCursor()
    const before = [`${at(1, 1)} out 1`, `${at(1, 5)} out 2`, `${at(1, 3)} err 1`, `${at(1, 4)} err 2`]
    t.equal(cursor.push(bytes(...before)), 'out 1\nout 2\nerr 1\nerr 2\n')
    t.equal(cursor.resume(), '')
    t.equal(cursor.push(bytes(...before, `${at(1, 6)} out 3`)), 'out 3\n')
    t.end()
  }
)

t.test('a very long line comes in pieces; a cut within it ends it', t => {
  const cursor = new LogCursor()
  const long = 'x'.repeat(100_000)
  let text = cursor.push(Buffer.from(`${at(1)} ${long}`))
  text += cursor.push(Buffer.from('yz\n'))
  t.equal(text, `${long}yz\n`)
  t.equal(cursor.push(Buffer.from(`${at(2)} ${long}`)), long)
  t.equal(cursor.resume(), '\n')
  t.equal(cursor.push(bytes(`${at(2)} ${long}`, `${at(3)} next`)), 'next\n')
  t.equal(cursor.push(Buffer.from(`${at(4)} ${long}`)), long)
  t.equal(cursor.push(Buffer.from('yz')), '')
  t.equal(cursor.resume(), 'yz\n')
  t.end()
})

t.test('words of the kubelet have no time: they are no line, and no place to continue from', t => {
  const words = [
    'failed to create fsnotify watcher: too many open files',
    'unable to retrieve container logs for x://1'
  ]
  for (const each of words) {
    const cursor = new LogCursor()
    t.equal(cursor.push(Buffer.from(`${at(1)} a\n${each}`)), 'a\n')
    t.equal(cursor.end(), '')
    cursor.resume()
    t.equal(cursor.since, at(1))
    t.equal(cursor.push(bytes(`${at(1)} a`, `${at(2)} b`)), 'b\n')
    t.equal(cursor.lastLine, 'b')
  }
  t.end()
})
