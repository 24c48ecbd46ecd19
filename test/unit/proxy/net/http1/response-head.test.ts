import t from 'tap'
import {
  RESPONSE_KINDS,
  CHUNKED,
  HEAD_LIMIT,
  readResponseHead,
  UNTIL_CLOSE,
  type HeaderRules
} from '../../../../../src/proxy/net/http1/response-head.ts'
import {MARKED, nameReader, RENAME} from '../../../../../src/proxy/net/http1/header-kinds.ts'

const head = (lines: string, first = 'HTTP/1.1 200 OK'): string => `${first}\r\n${lines}\r\n`

const leftOf = (lines: string, first?: string, toHead = false): number | undefined =>
  readResponseHead(head(lines, first), toHead)?.left

const keepOf = (lines: string, first?: string): boolean | undefined => readResponseHead(head(lines, first), false)?.keep

t.test('the end of a body', async t => {
  t.equal(leftOf('Content-Length: 3\r\n'), 3)
  t.equal(leftOf('Transfer-Encoding: Chunked\r\n'), CHUNKED)
  t.equal(leftOf(''), UNTIL_CLOSE)
  t.equal(leftOf('Content-Length: 3\r\n', undefined, true), 0)
  for (const status of ['100', '103', '204', '304'])
    t.equal(leftOf('Content-Length: 3\r\n', `HTTP/1.1 ${status} X`), 0, status)
})

t.test('whether the connection can be reused', async t => {
  t.equal(keepOf('Content-Length: 3\r\n'), true)
  t.equal(keepOf('Content-Length: 3\r\nConnection: x, Close\r\n'), false)
  t.equal(keepOf('Content-Length: 3\r\n', 'HTTP/1.0 200 OK'), false)
  t.equal(keepOf('Content-Length: 3\r\nConnection: Keep-Alive\r\n', 'HTTP/1.0 200 OK'), true)
  t.equal(keepOf(''), false)
  t.equal(keepOf('', 'HTTP/1.1 101 Switching'), false)
})

t.test('which headers are passed on', async t => {
  const lines =
    'X-A: 1\r\nConnection: X-Named\r\nKeep-Alive: 1\r\nx-named: 2\r\nContent-Length: 3\r\nTE: x\r\nX-B:  \xa0y \r\n'
  t.match(readResponseHead(head(lines, 'HTTP/1.1 404 Not\tfound \xe9'), false), {
    status: 404,
    lines: 'X-A: 1\r\nContent-Length: 3\r\nX-B:  \xa0y \r\n',
    size: lines.length + 'HTTP/1.1 404 Not\tfound \xe9'.length + 4
  })
  t.equal(readResponseHead(head('Content-Length: 0\r\nX-A: 1\r\n', 'HTTP/1.1 204 X'), false)?.lines, 'X-A: 1\r\n')
  t.equal(readResponseHead('HTTP/1.1 200\r\nX-A: 1\r\n\r\n', false)?.status, 200, 'no words behind it')
  t.equal(
    readResponseHead(head('', 'HTTP/1.1 099 OK'), false)?.status,
    99,
    'whether it is one is not for the reader to say'
  )
})

t.test("a sidecar's own rules mark and rename headers", async t => {
  const rules: HeaderRules = {
    kinds: nameReader({...RESPONSE_KINDS, 'x-mark': MARKED, 'x-other': MARKED * 2, 'x-old': RENAME}),
    prefix: 'New-'
  }
  t.match(readResponseHead(head('X-Mark: 1\r\nX-Old: 2\r\nx-old: 3\r\nX-Z: 4\r\n'), false, rules), {
    lines: 'X-Mark: 1\r\nNew-X-Old: 2\r\nNew-x-old: 3\r\nX-Z: 4\r\n',
    flags: MARKED
  })
})

t.test('every prefix of a head is incomplete', async t => {
  const text = head('X-A: 1\r\nContent-Length: 3\r\n')
  for (let cut = 0; cut < text.length; cut++) t.equal(readResponseHead(text.slice(0, cut), false), undefined)
  t.ok(readResponseHead(text, false))
  t.equal(readResponseHead('x'.repeat(HEAD_LIMIT), false), null, 'but not for ever')
  t.equal(readResponseHead(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(HEAD_LIMIT)}`, false), null)
})

t.test('invalid heads', async t => {
  const broken = [
    head('', 'HTTP/1.1 20 OK'),
    head('', 'HTTP/2.0 200 OK'),
    head('', 'HTTP/1.1 200 O\x01K'),
    head('', 'http/1.1 200 OK'),
    head('', 'hello'),
    head('X-A : 1\r\n'),
    head(' X-A: 1\r\n'),
    head(': 1\r\n'),
    head('X-A 1\r\n'),
    head('X-A: 1\r\n folded\r\n'),
    head('X-A: 1\n'),
    head('X-A: a\rb\r\n'),
    head('X-A: a\0b\r\n'),
    head('Content-Length: 1\r\nContent-Length: 1\r\n'),
    head('Content-Length: +1\r\n'),
    head('Content-Length: \xa01\r\n'),
    head('Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'),
    head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'),
    head('Transfer-Encoding: gzip, chunked\r\n')
  ]
  for (const text of broken) t.equal(readResponseHead(text, false), null, JSON.stringify(text))
})
