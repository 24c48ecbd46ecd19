import t from 'tap'
import {ChunkMerger} from '../../../../../src/proxy/net/http1/chunk-merger.ts'

/** What comes out of a text that comes in pieces of this size. */
const merged = (text: string, size = text.length): string => {
  const merger = new ChunkMerger(line => line)
  let result = ''
  for (let at = 0; at < text.length; at += size)
    for (const piece of merger.merge(Buffer.from(text.slice(at, at + size), 'latin1')))
      result += piece.toString('latin1')
  return result
}

const POST = 'POST /x HTTP/1.1\r\nHost: localhost\r\n'
const CHUNKED = `${POST}transfer-Encoding:  Chunked \r\n\r\n`

t.test('small chunks become one for each read', async t => {
  const body = '1\r\nx\r\n'.repeat(300)
  t.equal(merged(`${CHUNKED}${body}0\r\nTrailer: 1\r\n\r\n`), `${CHUNKED}12c\r\n${'x'.repeat(300)}\r\n0\r\n\r\n`)
})

/** The messages without their chunks: what is left of one in each read is a chunk of its own. */
const plain = (sent: string): string =>
  sent.replaceAll(/(?<=\n)[0-9a-f]+(?:;a=b)?\r\n([a-h]|hi|i)+\r\n/g, found => found.replaceAll(/^.*\r\n|\r\n$/g, ''))

t.test('the messages stay the same in pieces of any size', async t => {
  const text = [
    `${CHUNKED}3\r\nabc\r\n5;a=b\r\ndefgh\r\n0\r\n\r\n`,
    `${POST}Content-Length: 9\r\n\r\n1\r\nx\r\n\r\n\r`,
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    `${POST}Upgrade: foo\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    `${POST}Content-Length: 0\r\n\r\n`
  ].join('')
  for (let size = 1; size <= text.length; size++)
    if (plain(merged(text, size)) !== plain(text)) t.equal(plain(merged(text, size)), plain(text), size.toString())
})

t.test('what cannot be read is passed on, or is invalid still', async t => {
  const same = [
    `${POST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n1\r\nx\r\n1\r\nx\r\n`,
    `${POST}Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /x`,
    'CONNECT a:1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n1\r\nx\r\n',
    `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n1\r\nx\r\n`,
    'x'.repeat(200_000),
    '\r\n\r\nGET / HTTP/1.1\r\n\r\n'
  ]
  for (const text of same) t.ok(merged(text) === text, text.slice(0, 40))
  t.equal(merged(`${CHUNKED}1\r\nx\r\nzz\r\nab`), `${CHUNKED}1\r\nx\r\n?\r\n`)
})
