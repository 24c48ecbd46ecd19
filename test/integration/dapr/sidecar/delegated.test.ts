import {once} from 'node:events'
import http2 from 'node:http2'
import t, {type Test} from 'tap'
import {ask} from './caller.ts'
import {echoApp, openTestSidecar, valuesOf, type EchoApp} from './rig.ts'

const DELEGATED = 'Pillion-Caller: k/default/shop\r\n'
const NO_APP_ID = /failed getting app id either from the URL path or the header dapr-app-id/

const opened = async (t: Test): Promise<{port: number; seen: EchoApp['seen']}> => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort, key: 'k'})
  return {port, seen}
}

t.test('a call of another run whose path names no app in the URL is answered', async t => {
  const {port, seen} = await opened(t)
  const head = `GET /x HTTP/1.1\r\nHost: localhost\r\nDapr-App-Id: b\r\n${DELEGATED}`
  t.match(await ask(t, port, `${head}\r\n`), {status: 404, body: NO_APP_ID})
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  t.match(await ask(t, port, `${head}${upgrade}\r\n`), {status: 404, body: NO_APP_ID}, 'a websocket, too')
  const session = http2.connect(`http://localhost:${port}`, {family: 4} as object)
  t.teardown(() => session.destroy())
  const stream = session.request({':path': '/x', 'dapr-app-id': 'b', 'pillion-caller': 'k/default/shop'})
  const [answer] = (await once(stream.resume(), 'response')) as [Record<string, unknown>]
  t.equal(answer[':status'], 404, 'over HTTP/2, too')
  t.equal(seen.length, 0)
})

t.test('a caller of another run whose name is badly escaped keeps the name as it was sent', async t => {
  const {port, seen} = await opened(t)
  const line = 'GET /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\n'
  t.match(await ask(t, port, `${line}Pillion-Caller: k/default/my%zzshop\r\n\r\n`), {status: 200})
  t.strictSame(seen[0] && valuesOf(seen[0], 'dapr-caller-app-id'), ['my%zzshop'])
})
