import {answerAfterAll} from '../../../rig/early-answer.ts'
import {connect} from './caller.ts'
import {onBothPaths, openTestSidecar, rawApp} from './rig.ts'

/** What is answered before its body was read: first lines, and the status. */
const REFUSED = {
  'a body beyond the limit': ['POST /v1.0/state/store HTTP/1.1', 400],
  'a body beyond the limit, of who wants to close': ['POST /v1.0/state/store HTTP/1.1\r\nConnection: close', 400],
  'a body beyond the limit, in HTTP/1.0': ['POST /v1.0/state/store HTTP/1.0', 400],
  'metadata beyond the limit': ['PUT /v1.0/metadata/x HTTP/1.1', 400],
  'a path of nobody': ['POST /v1.0/nothing HTTP/1.1\r\nConnection: close', 404],
  'a call to nobody': ['POST /v1.0/invoke/nobody/method/x HTTP/1.1\r\nConnection: close', 500],
  'a target that cannot be parsed': ['POST /v1.0/invoke/%zz HTTP/1.1', 400],
  'a second host': ['POST /v1.0/state/store HTTP/1.1\r\nHost: x', 400],
  'a web page': ['POST /v1.0/state/store HTTP/1.1\r\nOrigin: http://evil.example\r\nConnection: close', 403],
  'a websocket': ['GET /v1.0/invoke/nobody/method/x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket', 500],
  'what is no request': ['POST HTTP/9', 400]
} as const

for (const [what, [head, status]] of Object.entries(REFUSED))
  onBothPaths(`${what}: who sends all before reading gets the whole answer`, async t => {
    const {port: to} = await openTestSidecar(t)
    for (const framing of head.endsWith('1.0') ? (['length'] as const) : (['length', 'chunks'] as const)) {
      const answer = await answerAfterAll({to, head: `${head}\r\nHost: localhost`, framing})
      t.match(answer, new RegExp(`^HTTP/1.1 ${status} .*\r\nConnection: close\r\n(?:.*\r\n)?\r\n.`, 'is'), framing)
    }
  })

const put = (key: string, value: string): string =>
  `PUT /v1.0/metadata/${key} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${value.length}\r\n\r\n${value}`

onBothPaths('nothing is done of what follows a request that was refused', async t => {
  const {port, sidecar} = await openTestSidecar(t, {limits: {maxBodyBytes: 1000, readBufferBytes: 4096}})
  const caller = await connect(t, port)
  caller.send(put('large', 'x'.repeat(2000)) + put('after', 'x'))
  t.match(await caller.answer(), {status: 400, body: /stream too large/})
  caller.send(put('later', 'x'))
  t.equal(await caller.closed(), '')
  t.same([...sidecar.customMetadata.keys()], [])
})

const LARGE = 'HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge'

onBothPaths('the answer of an app that refuses a body and hangs up reaches a caller who still sends', async t => {
  const appPort = await rawApp(t, socket =>
    socket.once('data', () => {
      socket.pause() // what is not read resets the connection
      socket.write(LARGE, () => socket.destroy())
    })
  )
  const {port, underWay} = await openTestSidecar(t, {appPort})
  for (let n = 0; n < 10; n++) {
    const caller = await connect(t, port)
    caller.send('POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n')
    const answer = caller.answer()
    for (let sent = 0; sent < 150; sent++) {
      caller.send('x'.repeat(20_000))
      await new Promise(setImmediate)
    }
    t.match(await answer, {status: 413, body: 'large'})
    t.equal(underWay(), 0)
  }
})
