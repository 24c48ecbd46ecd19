import t from 'tap'
import {CONNECTION, DROP, LENGTH, nameReader, RENAME} from '../../../../../src/proxy/net/http1/header-lines.ts'
import {NOTED, OTHER, readPlain, TAKEN, type PlainRules} from '../../../../../src/proxy/net/http1/plain-request.ts'

const named = nameReader({
  host: TAKEN,
  'x-told': NOTED + 1,
  'x-dropped': DROP,
  'x-renamed': RENAME,
  'content-length': LENGTH,
  connection: CONNECTION,
  'transfer-encoding': OTHER,
  expect: OTHER,
  upgrade: OTHER
})
const plainRules: PlainRules = {kinds: named, prefix: 'New-', valueCount: 2}

t.test('a plain request is read in one pass', t => {
  const text =
    'Post /a/b?c=d HTTP/1.1\r\nHost:  localhost \r\nX-A: 1\r\nX-Dropped: 1\r\nx-b:2\r\nX-Told: \tme\r\n' +
    'X-Renamed: 3\r\nConnection: Keep-Alive\r\nContent-Length: 3\r\n\r\nabc'
  t.strictSame(readPlain(text, plainRules), {
    protocol: 'HTTP/1.1',
    method: 'POST',
    path: '/a/b',
    query: '?c=d',
    lines: 'X-A: 1\r\nx-b:2\r\nX-Told: \tme\r\nNew-X-Renamed: 3\r\n',
    length: 3,
    hasLength: true,
    values: ['localhost', 'me'],
    size: text.length - 3,
    text
  })
  t.match(readPlain('FOO /a HTTP/1.1\r\nHost: a\r\n\r\n', plainRules), {method: 'FOO', length: 0, hasLength: false})
  t.end()
})

t.test('rare, ambiguous or incomplete requests are not plain', t => {
  const base = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'
  t.ok(readPlain(base, plainRules))
  for (let cut = 0; cut < base.length - 3; cut++) t.equal(readPlain(base.slice(0, cut), plainRules), undefined)
  const others = [
    'POST /a%20b HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /a//b HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /a/../b HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /a/ HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /a?#b HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST http://a/ HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n',
    'PRI /a HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /a HTTP/1.0\r\nHost: a\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: \r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
    'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n',
    'POST /a HTTP/1.1\nHost: a\n\n'
  ]
  for (const text of others) t.equal(readPlain(text, plainRules), undefined, JSON.stringify(text))
  t.equal(readPlain('POST / HTTP/1.1\r\nHost: a\r\n\r\n', plainRules)?.path, '/')
  t.match(readPlain('get /a? HTTP/1.1\r\nHost: a\r\n\r\n', plainRules), {method: 'GET', path: '/a', query: ''})
  t.end()
})
