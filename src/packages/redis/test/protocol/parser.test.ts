import t from 'tap'
import {ProtocolError, RequestParser} from '../../protocol/parser.ts'
import {request} from '../../../../../test/rig/resp.ts'

/** All requests in these pieces. */
function parse(...pieces: readonly Buffer[]): readonly (readonly string[])[] {
  const parser = new RequestParser()
  const found: (readonly string[])[] = []
  for (const piece of pieces) {
    parser.feed(piece)
    for (let args = parser.next(); args !== undefined; args = parser.next()) found.push(args)
  }
  return found
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

t.test('requests are the same wherever the bytes are cut', async t => {
  const requests = [['GET', 'a'], ['SET', 'bin\r\n\0\xff', ''], ['PING'], ['ECHO', '$5\r\n*1\r\n']]
  const whole = bytes(`${requests.map(request).join('')}set k "a b"\r\n\r\n*0\r\n*-1\r\nping\nGET 'it\\'s'\r\n`)
  const expected = [...requests, ['set', 'k', 'a b'], ['ping'], ['GET', "it's"]]
  t.same(parse(whole), expected)
  for (let at = 1; at < whole.length; at++) {
    const found = parse(whole.subarray(0, at), whole.subarray(at))
    if (JSON.stringify(found) !== JSON.stringify(expected)) t.same(found, expected, `cut at ${at}`)
  }
  t.same(parse(...Array.from(whole, byte => Buffer.from([byte]))), expected)
})

t.test('a long argument in many pieces is joined once', async t => {
  const value = 'x'.repeat(4 * 1024 * 1024)
  const whole = bytes(request(['SET', 'k', value, 'EX', '10']) + request(['PING']))
  const pieces = Array.from({length: Math.ceil(whole.length / 10_000)}, (_, at) =>
    whole.subarray(at * 10_000, (at + 1) * 10_000)
  )
  t.same(parse(...pieces), [['SET', 'k', value, 'EX', '10'], ['PING']])
})

t.test('a long argument in pieces of one byte takes little more than its bytes', async t => {
  const parser = new RequestParser()
  const length = 1024 * 1024
  parser.feed(bytes(`*1\r\n$${length}\r\n`))
  t.equal(parser.next(), undefined)
  const before = process.memoryUsage()
  for (let at = 0; at < length; at++) parser.feed(Buffer.from('x'))
  const after = process.memoryUsage()
  const grown = after.heapUsed + after.external - before.heapUsed - before.external
  t.ok(grown < 16 * length, `${Math.round(grown / length)} bytes for one`)
  parser.feed(bytes('\r\n'))
  t.equal(parser.next()?.[0]?.length, length)
})

t.test('what is no request is named as Redis names it', async t => {
  const faults: Readonly<Record<string, string>> = {
    '*x\r\n': 'invalid multibulk length',
    '*99999999999\r\n': 'invalid multibulk length',
    '*2147483648\r\n': 'invalid multibulk length',
    '*1\r\nx': "expected '$', got 'x'",
    '*1\r\n$x\r\n': 'invalid bulk length',
    '*1\r\n$-1\r\n': 'invalid bulk length',
    '*1\r\n$536870913\r\n': 'invalid bulk length',
    'SET "a\r\n': 'unbalanced quotes in request',
    'SET "a"b\r\n': 'unbalanced quotes in request',
    'SET a\0 b\r\n': 'control character in inline request',
    '\x16\x03\x01': 'control character in inline request',
    '\0\x01\0\0\x21\x12\xa4\x42\nFLUSHALL\n': 'control character in inline request'
  }
  for (const [text, fault] of Object.entries(faults))
    t.throws(() => parse(bytes(text)), new ProtocolError(fault), JSON.stringify(text))
})

t.test('a typed command is split at ASCII spaces only, never within the bytes of a letter', async t => {
  for (const word of ['voilà', 'Роман', '†'])
    for (const typed of [word, `"${word}"`, `'${word}'`])
      t.same(
        parse(Buffer.from(`SET\tname  ${typed} \r\n`)),
        [['SET', 'name', Buffer.from(word).toString('latin1')]],
        typed
      )
})

t.test('a line without an end is refused at 64 KiB', async t => {
  const long = 'a'.repeat(64 * 1024 + 1)
  t.throws(() => parse(bytes(long)), new ProtocolError('too big inline request'))
  t.throws(() => parse(bytes(`*${long}`)), new ProtocolError('too big mbulk count string'))
  t.throws(() => parse(bytes(`*1\r\n$${long}`)), new ProtocolError('too big bulk count string'))
})

t.test('what is kept is no more than what has arrived', async t => {
  const parser = new RequestParser()
  parser.feed(bytes('*2000000000\r\n$400000000\r\nabc'))
  const before = process.memoryUsage().arrayBuffers
  t.equal(parser.next(), undefined)
  t.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024)
})

t.test('arguments without bytes count, too', async t => {
  const parser = new RequestParser(32_000)
  parser.feed(bytes(`*2147483647\r\n${'$0\r\n\r\n'.repeat(1000)}`))
  t.equal(parser.next(), undefined)
  parser.feed(bytes('$0\r\n\r\n'))
  t.throws(() => parser.next(), new ProtocolError('too big request'))
})
