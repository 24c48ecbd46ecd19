import type {Test} from 'tap'
import {ask, request} from './caller.ts'
import {onRequest, openTestSidecar, rawApp} from './rig.ts'

export const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n'
export const LENGTH = 'Content-Length: 2\r\n'

/** What net/http of Go reads, and its status and fields. All say `ok`. */
export const READ: readonly (readonly [what: string, bytes: string, status?: number, fields?: RegExp])[] = [
  ['no CR at all', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ['LF in the status line alone', `HTTP/1.1 201 Created\n${LENGTH}\r\nok`, 201],
  ['LF behind the fields alone', 'HTTP/1.1 200 OK\r\nContent-Length: 2\n\nok'],
  ['LF for the empty line alone', `HTTP/1.1 200 OK\r\n${LENGTH}\nok`],
  ['no CR and an error', 'HTTP/1.1 404 Not Found\nX-A: b\nContent-Length: 2\n\nok', 404, /x-a\W+b/i],
  ['an interim answer without CR', `HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\n${LENGTH}\nok`],
  ['five interim answers', `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(5)}HTTP/1.1 200 OK\r\n${LENGTH}\r\nok`],
  ['another version', `HTTP/1.2 200 OK\r\n${LENGTH}\r\nok`],
  ['the number of HTTP/2', `HTTP/2.0 200 OK\r\n${LENGTH}\r\nok`],
  ['blanks before the status', `HTTP/1.1   200 OK\r\n${LENGTH}\r\nok`],
  ['a control character in the reason', `HTTP/1.1 200 O\x01K\r\n${LENGTH}\r\nok`],
  ['a folded field', `HTTP/1.1 200 OK\r\nX-A: b\r\n  c\r\n\td\r\n${LENGTH}\r\nok`, 200, /x-a\W+b c d/i],
  ['the same length twice', `HTTP/1.1 200 OK\r\n${LENGTH}${LENGTH}\r\nok`],
  ['a length beside chunks', `HTTP/1.1 200 OK\r\n${LENGTH}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  ['chunks before a length', `HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n${LENGTH}\n2\r\nok\r\n0\r\n\r\n`],
  [
    'blanks behind the size of a chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 \t\r\nok\r\n0  \r\n\r\n'
  ],
  ['a size of 16 digits', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000002\r\nok\r\n0\r\n\r\n'],
  ['a blank in a name', `HTTP/1.1 200 OK\r\nX-A : b\r\nX-B: c\r\n${LENGTH}\r\nok`, 200, /^(?!.*x-a).*x-b/is]
]

/** An app hangs up at those bytes of each answer that are wanted: its callers never take it for whole. */
export async function isCut(t: Test, isWanted: (at: number) => boolean): Promise<void> {
  const appPort = await rawApp(t, socket =>
    onRequest(socket, head => {
      const [, row = '', at = ''] = /row=(\d+)&at=(\d+)/.exec(head) ?? []
      const [, bytes] = READ[Number(row)] ?? ['', '']
      socket.end(bytes.slice(0, Number(at)), 'latin1')
    })
  )
  const {port, underWay} = await openTestSidecar(t, {appPort})
  const wrong: string[] = []
  /** Answers that begin alike are cut once where they are alike. */
  const cut = new Set<string>()
  for (const [row, [what, bytes]] of READ.entries()) {
    for (let at = 0; at < bytes.length; at++) {
      if (!isWanted(at) || cut.has(bytes.slice(0, at))) continue
      cut.add(bytes.slice(0, at))
      const path = `/?row=${row}&at=${at}`
      const answers = [
        await ask(t, port, request({path, body: 'x'})),
        await ask(t, port, request({path, body: 'x'}).replace('HTTP/1.1', 'HTTP/1.0')),
        await ask(t, port, request({method: 'GET', path, lines: UPGRADE}))
      ]
      for (const answer of answers)
        if (answer !== undefined && answer.status !== 500) wrong.push(`${what} at ${at}: ${answer.body}`)
    }
  }
  t.ok(cut.size > 0)
  t.strictSame(wrong, [])
  t.equal(underWay(), 0)
}
