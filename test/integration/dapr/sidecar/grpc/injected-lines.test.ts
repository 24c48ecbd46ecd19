import t, {type Test} from 'tap'
import {connect} from '../caller.ts'
import {END_STREAM, data, framesOf, headers, PREFACE, RST_STREAM} from '../frames.ts'
import {onRequest, rawApp} from '../rig.ts'
import {echoClient, openTestGrpcPort} from './rig.ts'

/** An app of HTTP that keeps the heads that it gets. */
const headsOf = async (t: Test): Promise<{readonly appPort: number; readonly heads: string[]}> => {
  const heads: string[] = []
  const appPort = await rawApp(t, socket =>
    onRequest(socket, head => {
      heads.push(head)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  )
  return {appPort, heads}
}

const ENDS = [
  '\r\nX-Injected: 1',
  '\u010d\u010aX-Injected: 1',
  ' HTTP/1.1\r\nX-Injected: 1\r\nX-Rest:',
  '\0X-Injected: 1'
]

t.test('no text of InvokeService becomes a line of the head that the app gets', async t => {
  const {appPort, heads} = await headsOf(t)
  const {port} = await openTestGrpcPort(t, {appPort, appProtocol: 'http'})
  const client = echoClient(t, port)
  for (const end of ENDS)
    for (const more of [{contentType: `text/plain${end}`}, {query: `a=1${end}`}, {method: `x${end}`}]) {
      await client.invoke('b', {method: 'x', verb: 1, ...more})
      t.notMatch(heads.splice(0).join(''), /^x-injected/im, JSON.stringify(more))
    }
})

t.test('no header of a caller that writes its own frames becomes two', async t => {
  const {appPort, heads} = await headsOf(t)
  for (const isTracing of [true, false]) {
    const {port} = await openTestGrpcPort(t, {appPort, appProtocol: 'http', tracing: {isTracing, tracer: undefined}})
    for (const name of ['user-agent', 'tracestate', 'traceparent', 'x-own', 'authorization']) {
      const caller = await connect(t, port)
      // id: b, message: {method: x, http_extension: {verb: GET}}
      const message = '\x0a\x01b\x1a\x07\x0a\x01x\x22\x02\x08\x01'
      const sent = `\0\0\0\0${String.fromCharCode(message.length)}${message}`
      caller.send(
        PREFACE +
          headers(
            1,
            {
              ':method': 'POST',
              ':scheme': 'http',
              ':authority': 'localhost',
              ':path': '/dapr.proto.runtime.v1.Dapr/InvokeService',
              'content-type': 'application/grpc',
              traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
              [name]: 'v\r\nX-Injected: 1'
            },
            0
          ) +
          data(1, sent, END_STREAM)
      )
      await caller.until(
        text => text.includes('grpc-status') || framesOf(text).frames.some(each => each.type === RST_STREAM)
      )
      t.notMatch(heads.splice(0).join(''), /^x-injected/im, `${name}, traced: ${isTracing}`)
      caller.socket.destroy()
    }
  }
})
