import {request} from './caller.ts'

const START = 'POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\n'
/** What stands behind a bad request, and must never be served. */
export const HIDDEN = request({method: 'GET', path: '/hidden'})

/** A request with these lines, and a body that fits none of its readings better than another. */
const withLines = (lines: string): string => `${START}${lines}\r\nabc`
const coding = (value: string): string => `${START}Transfer-Encoding: ${value}\r\n\r\n3\r\nabc\r\n0\r\n\r\n`
const length = (value: string): string => withLines(`Content-Length: ${value}\r\n`)
const line = (first: string, lines = 'Host: localhost\r\n'): string => `${first}\r\n${lines}\r\n`
export const chunks = (text: string): string => `${START}Transfer-Encoding: chunked\r\n\r\n${text}`

/** By what is wrong with them: requests of which the app sees nothing. */
export const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'two lengths that differ, and lengths that are none': [
    withLines('Content-Length: 3\r\nContent-Length: 4\r\n'),
    withLines('Content-Length: 4\r\nContent-Length: 3\r\n'),
    ...[
      '+3',
      '-1',
      '0x3',
      '"3"',
      '3 3',
      '3,4',
      '3;',
      '3.0',
      '1e1',
      '',
      '9'.repeat(20),
      '18446744073709551619',
      '3\xb2'
    ].map(length)
  ],
  'codings that are none': [
    'chunked, identity',
    'xchunked',
    'chunked, chunked',
    'identity',
    'gzip',
    '\vchunked',
    'chunked\0',
    'chun\tked',
    '"chunked"',
    'chunked;q=1',
    'chunked\r\nTransfer-Encoding: identity'
  ].map(coding),
  'white space where a name stands': [
    withLines('Content-Length : 3\r\n'),
    withLines('X-A : 1\r\nContent-Length: 3\r\n'),
    `${START}Transfer-Encoding : chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    `POST /v1.0/invoke/b/method/x HTTP/1.1\r\n Host: localhost\r\nContent-Length: 3\r\n\r\nabc`,
    coding('\r\n chunked')
  ],
  'line ends that are none': [
    `POST /v1.0/invoke/b/method/x HTTP/1.1\nHost: localhost\nContent-Length: 3\n\nabc`,
    withLines('X-A: 1\nContent-Length: 3\r\n'),
    withLines('X-A: 1\rContent-Length: 3\r\nContent-Length: 3\r\n'),
    withLines('X-A: 1\r\r\nContent-Length: 3\r\n')
  ],
  'bytes that may not stand in a field': [
    ...['\0', '\x7f', '\x07', '\x0b'].map(byte => withLines(`X-A: a${byte}b\r\nContent-Length: 3\r\n`)),
    ...['\0', ' ', '(', ',', '/', '\x80'].map(byte => withLines(`X${byte}A: ab\r\nContent-Length: 3\r\n`)),
    withLines(': ab\r\nContent-Length: 3\r\n'),
    withLines('no colon\r\nContent-Length: 3\r\n')
  ],
  'request lines that are none': [
    ...['PO(T', 'PO\0T', 'PO\tT', 'PO\x80T', ''].map(method => line(`${method} /v1.0/invoke/b/method/x HTTP/1.1`)),
    ...['1.2', '2.0', '0.9', '1.10', '1', '1.1 x'].map(version => line(`GET /v1.0/invoke/b/method/x HTTP/${version}`)),
    line('GET /v1.0/invoke/b/method/x http/1.1'),
    line('GET /v1.0/invoke/b/method/x'),
    line('GET /v1.0/invoke/b/method/x y HTTP/1.1'),
    line('GET /v1.0/invoke/b/method/x\x01 HTTP/1.1'),
    line('GET\t/v1.0/invoke/b/method/x HTTP/1.1'),
    line('GET v1.0/invoke/b/method/x HTTP/1.1'),
    line('GET localhost:80 HTTP/1.1'),
    line('CONNECT localhost:80 HTTP/1.1')
  ],
  'no Host, or two': [
    line('GET /v1.0/invoke/b/method/x HTTP/1.1', ''),
    line('GET /v1.0/invoke/b/method/x HTTP/1.1', 'Host: localhost\r\nHost: localhost\r\n'),
    line('GET /v1.0/invoke/b/method/x HTTP/1.0', 'Host: localhost\r\nHost: localhost\r\n')
  ],
  'chunks in HTTP/1.0': [
    'POST /v1.0/invoke/b/method/x HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
  ],
  'broken chunks': [
    ...['zz', '', '-1', '+3', '0x3', '1'.repeat(17), 'ffffffffffffffff1', '3 3', '3;\0', '3;\r', '3;\n'].map(size =>
      chunks(`${size}\r\nabc\r\n0\r\n\r\n`)
    ),
    chunks('3\r\nabcd\r\n0\r\n\r\n'),
    chunks('3\nabc\r\n0\r\n\r\n'),
    chunks('3\rabc\r\n0\r\n\r\n'),
    chunks('3\r\nabc\n0\r\n\r\n')
  ],
  'heads that are too large': [
    line('GET /v1.0/invoke/b/method/x HTTP/1.1', `Host: localhost\r\nX-A: ${'a'.repeat(100_000)}\r\n`),
    `${START}X-A: ${'a'.repeat(100_000)}`,
    line('GET /v1.0/invoke/b/method/x HTTP/1.1', `Host: localhost\r\n${'X-A: b\r\n'.repeat(5000)}`),
    line(`GET /v1.0/invoke/b/method/${'a'.repeat(100_000)} HTTP/1.1`)
  ]
}

/** Good chunks below a coding that nobody here undoes: 501, as RFC 9112 §6.1 and Go have it. */
export const UNKNOWN_CODINGS: readonly string[] = [
  'gzip, chunked',
  'GZIP ,Chunked',
  'deflate, gzip, chunked',
  'identity, chunked',
  'x,chunked',
  'gzip;q=1, chunked',
  'gzip\r\nTransfer-Encoding: chunked'
].map(coding)

/** What two readers could read differently: refused, or served once with one meaning. */
export const TWO_MEANINGS: readonly string[] = [
  withLines('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'),
  withLines('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n'),
  withLines('Content-Length: 3\r\nContent-Length: 3\r\n'),
  length('3, 3'),
  coding('chunked\r\nTransfer-Encoding: chunked'),
  coding(', chunked'),
  withLines('X-Folded: a\r\n b\r\nContent-Length: 3\r\n')
]
