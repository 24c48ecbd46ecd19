import http, {type IncomingMessage} from 'node:http'
import {Duplex} from 'node:stream'
import t from 'tap'
import {plainRules} from '../../../../../src/dapr/sidecar/http/plain-call.ts'
import {escapedTarget, readable} from '../../../../../src/proxy/net/http1/first-line.ts'
import {pairsOf} from '../../../../../src/proxy/net/http1/header-lines.ts'
import {KEEP} from '../../../../../src/proxy/net/http1/header-kinds.ts'
import {NOTED, readPlain, type PlainRequest} from '../../../../../src/proxy/net/http1/plain-request.ts'

/*
 * The fast path rejects nothing, so it must accept nothing that node:http would parse differently. This is checked by
 * mutation: every recognised request is also parsed by node, and both results must be equal.
 */

const SEEDS = [
  'POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabc',
  'GET /a/b?c=%20d HTTP/1.1\r\nHost: localhost:3500\r\nAccept: */*\r\nUser-Agent: x\r\n\r\n',
  'PUT /x HTTP/1.1\r\nhost:localhost\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n',
  'DELETE /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\r\n0\r\n\r\n',
  'OPTIONS /x HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nExpect: 100-continue\r\nDapr-App-Id: b\r\n\r\n',
  'PATCH /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer x\r\n\r\n'
]

const PIECES = [
  '\r\n', '\n', '\r', ' ', '\t', ':', ',', '\0', '\x7f', '\x80', '\xff', '/', '//', '/.', '%', '?', '#', ';', '+', '-', '0', '9',
  'HTTP/1.0', 'HTTP/1.1', 'chunked', 'Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: a\r\n', 'close', ' \r\n x'
] // prettier-ignore

/** Numbers below a bound, reproducible by seed. */
const generator = (seed: number): ((below: number) => number) => {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const mutate = (text: string, pick: (below: number) => number): string => {
  let mutated = text
  for (let count = pick(3) + 1; count > 0; count--) {
    const at = pick(mutated.length + 1)
    const length = pick(4) === 0 ? pick(12) : pick(2)
    const piece = pick(3) === 0 ? String.fromCharCode(pick(256)) : (PIECES[pick(PIECES.length)] ?? '')
    mutated = mutated.slice(0, at) + (pick(4) === 0 ? '' : piece) + mutated.slice(at + length)
  }
  return mutated
}

/** The first request that node:http parses in a text; undefined if it rejects it. */
const nodeReader = (): ((text: string) => Promise<IncomingMessage | undefined>) => {
  let tell: ((request: IncomingMessage | undefined) => void) | undefined
  const server = http.createServer({requireHostHeader: false, shouldUpgradeCallback: () => false})
  server.on('request', request => {
    tell?.(request)
  })
  server.on('clientError', () => {
    tell?.(undefined)
  })
  return async text => {
    const socket = new Duplex({read: () => undefined, write: (_chunk, _encoding, done) => done()})
    const read = new Promise<IncomingMessage | undefined>(resolve => {
      tell = resolve
    })
    server.emit('connection', socket)
    const line = text.slice(0, text.indexOf('\n') + 1)
    socket.push(readable(Buffer.from(line, 'latin1'), socket))
    socket.push(text.slice(line.length), 'latin1')
    const request = await read
    socket.destroy()
    return request
  }
}

/** The header lines that are passed on, as pairs. */
const keptOf = ({rawHeaders}: IncomingMessage): string[] => {
  const kept: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const kind = plainRules.kinds(name, 0, name.length)
    if (/^user-agent$/i.test(name) && rawHeaders[at + 1] === '') continue
    if (kind === KEEP || kind >= NOTED) kept.push(name, rawHeaders[at + 1] ?? '')
  }
  return kept
}

const meaningOf = (request: PlainRequest): unknown => ({
  method: request.method,
  url: escapedTarget(request.path + request.query),
  kept: pairsOf(request.lines),
  host: request.values[0],
  length: request.hasLength ? request.length : undefined
})

const nodeMeaningOf = (request: IncomingMessage): unknown => ({
  method: request.method,
  url: request.url?.replace(/^([^?]*)\?$/, '$1'),
  kept: keptOf(request),
  host: request.headers.host,
  length: request.headers['content-length'] === undefined ? undefined : Number(request.headers['content-length'])
})

t.test('node:http parses every request that is recognised as plain, with the same result', async t => {
  const pick = generator(20_261_120)
  const read = nodeReader()
  let recognised = 0
  const different: unknown[] = []
  for (let count = 0; count < 30_000; count++) {
    const text = mutate(SEEDS[pick(SEEDS.length)] ?? '', pick)
    const plain = readPlain(text, plainRules)
    // Methods that node does not know are still valid HTTP.
    if (plain === undefined || !http.METHODS.includes(/^[^ ]*/.exec(text)?.[0] ?? '')) continue
    recognised++
    const request = await read(text)
    const ours = JSON.stringify(meaningOf(plain))
    const theirs = JSON.stringify(request && nodeMeaningOf(request))
    if (ours !== theirs) different.push({text, ours, theirs})
  }
  t.ok(recognised > 2000, `${recognised} were recognised`)
  t.strictSame(different.slice(0, 5), [])
})
