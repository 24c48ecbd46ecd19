import type {Test} from 'tap'
import {chunks, HIDDEN, REFUSED, TWO_MEANINGS, UNKNOWN_CODINGS} from './abuse.ts'
import {connect, request} from './caller.ts'
import {echoApp, onBothPaths, openTestSidecar} from './rig.ts'

/** Whether a text is refused: nothing of it, and nothing behind it, is served, and the line is closed. */
const isRefused = async (t: Test, port: number, text: string): Promise<string> => {
  const caller = await connect(t, port)
  caller.send(`${text}\r\n${HIDDEN}`)
  const answer = await caller.closed()
  caller.socket.destroy()
  return answer === '' || /^HTTP\/1\.1 (?:4\d\d|501) /.test(answer) ? 'refused' : answer
}

for (const [name, texts] of Object.entries(REFUSED)) {
  onBothPaths(`refused: ${name}`, async t => {
    const {port: appPort, seen} = await echoApp(t)
    const {port} = await openTestSidecar(t, {appPort})
    for (const text of texts) {
      t.equal(await isRefused(t, port, text), 'refused', JSON.stringify(text.slice(0, 120)))
      t.equal(seen.length, 0, 'the app saw nothing')
      seen.length = 0
    }
  })
}

onBothPaths(
  'a coding below the chunks is refused with 501, whatever is asked for, and never taken off in silence',
  async t => {
    const {port: appPort, seen} = await echoApp(t)
    const {port} = await openTestSidecar(t, {appPort})
    const ways = ['', 'Expect: 100-continue\r\n', 'Connection: Upgrade\r\nUpgrade: websocket\r\n']
    for (const text of UNKNOWN_CODINGS) {
      for (const way of ways) {
        const caller = await connect(t, port)
        caller.send(`${request({body: 'good'})}${text.replace('\r\n', `\r\n${way}`)}${HIDDEN}`)
        t.match(await caller.answer(), {status: 200, body: 'good'})
        t.match(await caller.answer(), {status: 501, body: 'Unsupported transfer encoding'}, JSON.stringify(way + text))
        t.equal(await caller.closed(), '')
      }
    }
    t.ok(seen.every(({body}) => body === 'good'))
  }
)

onBothPaths('ambiguous requests are refused, or have one meaning', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  for (const text of TWO_MEANINGS) {
    seen.length = 0
    const caller = await connect(t, port)
    caller.send(text)
    const answer = await caller.answer()
    caller.socket.destroy()
    const isServed = answer?.status === 200 && seen.length === 1 && seen[0]?.body === 'abc'
    t.ok(isServed || seen.length === 0, JSON.stringify(text.slice(54, 120)))
    const lengths = seen[0]?.headers.filter(each => /^(content-length|transfer-encoding)$/i.test(each)) ?? []
    t.ok(lengths.length <= 1, 'a single length is sent on')
    t.notMatch(seen[0]?.headers.join('\n') ?? '', /a\s*[\r\n]+ b/, 'nothing folded is sent on')
  }
})

onBothPaths('invalid bytes behind a valid call do not affect it, and nothing after them is served', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send(`${request({body: 'good'})}BROKEN \0\r\n\r\n${HIDDEN}`)
  t.match(await caller.answer(), {status: 200, body: 'good'})
  t.match(await caller.answer(), {status: 400})
  await caller.closed()
  t.strictSame(
    seen.map(({body}) => body),
    ['good']
  )
})

onBothPaths('a body truncated by its caller is never a complete request', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port, underWay} = await openTestSidecar(t, {appPort})
  for (const text of [request({body: 'abcdef'}).slice(0, -2), chunks('3\r\nabc\r\n')]) {
    const caller = await connect(t, port)
    caller.send(text)
    caller.socket.end()
    t.notMatch(await caller.closed(), /^HTTP\/1\.1 2/)
  }
  t.equal(seen.length, 0)
  t.equal(underWay(), 0)
})

onBothPaths('a body that looks like a request is only a body', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send(request({body: HIDDEN}))
  t.match(await caller.answer(), {status: 200, body: HIDDEN})
  t.equal(seen.length, 1)
})

onBothPaths('a TLS handshake with a sidecar fails at once', async t => {
  const {port} = await openTestSidecar(t)
  const caller = await connect(t, port)
  caller.send('\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03')
  t.match(await caller.closed(), /^HTTP\/1\.1 400 /)
})
