import t from 'tap'
import {isHalfLine, isPreface, readable} from '../../../../../src/proxy/net/http1/first-line.ts'

const read = (line: string): string => readable(Buffer.from(line, 'latin1'), {}).toString('latin1')

t.test('a first line is rewritten so that node:http accepts it', async t => {
  const lines = {
    'GET /x HTTP/1.1': 'GET /x HTTP/1.1',
    'get /x HTTP/1.1': 'GET /x HTTP/1.1',
    'Delete /x HTTP/1.0': 'DELETE /x HTTP/1.0',
    'FOO /x HTTP/1.1': 'POST /x HTTP/1.1',
    'A.B-c~ /x HTTP/1.1': 'POST /x HTTP/1.1',
    'M-SEARCH /x HTTP/1.1': 'M-SEARCH /x HTTP/1.1',
    'GET /caf\xc3\xa9?\xff=%20 HTTP/1.1': 'GET /caf%C3%A9?%FF=%20 HTTP/1.1'
  }
  for (const [line, expected] of Object.entries(lines)) t.equal(read(`${line}\r\n`), `${expected}\r\n`, line)
})

t.test('an invalid first line is not changed', async t => {
  for (const line of [
    'FOO  /x HTTP/1.1',
    'F(O /x HTTP/1.1',
    'FOO /x HTTP/1.2',
    'FOO /\0 HTTP/1.1',
    'FOO /x',
    '',
    'FOO\t/x HTTP/1.1',
    'FOO /x\x7f HTTP/1.1'
  ])
    t.equal(read(`${line}\r\n`), `${line}\r\n`)
  t.equal(read('FOO /x HTTP/1.1\n'), 'FOO /x HTTP/1.1\n', 'a bare line feed')
  t.equal(read('FOO /x HT'), 'FOO /x HT')
})

t.test('the HTTP/2 preface is recognised by its first line', async t => {
  t.equal(isPreface(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')), true)
  t.equal(isPreface(Buffer.from('PRI * HTTP/2.0\n')), false)
  t.equal(isPreface(Buffer.from('PRI / HTTP/1.1\r\n')), false)
})

t.test('an incomplete first line is distinguished from bytes that cannot start one', async t => {
  for (const text of ['G', 'GET /x', 'PRI * HTTP/2.0\r']) t.equal(isHalfLine(Buffer.from(text)), true, text)
  for (const text of ['\x16\x03\x01', '\0', ' GET', 'GET /x HTTP/1.1\r\n', '\r', ''])
    t.equal(isHalfLine(Buffer.from(text)), false, JSON.stringify(text))
})
