import {once} from 'node:events'
import http2 from 'node:http2'
import tls from 'node:tls'

/** An entrance, and the authority that its caller trusts. */
export interface Caller {
  readonly port: number
  readonly ca?: string
}

/** Opens a connection with TLS; rejects with the code of a failed handshake. */
export async function connected({port, ca}: Caller, servername: string): Promise<tls.TLSSocket> {
  const socket = tls.connect({port, host: '127.0.0.1', servername, ALPNProtocols: ['http/1.1'], ...(ca && {ca})})
  await once(socket, 'secureConnect')
  return socket
}

/** Calls a name with TLS by HTTP/1.1. Returns all that arrives until the connection closes. */
export async function answerOf(caller: Caller, name: string, lines = 'Connection: close\r\n'): Promise<string> {
  const socket = await connected(caller, name)
  let text = ''
  socket.setEncoding('latin1').on('data', (piece: string) => (text += piece))
  socket.write(`GET / HTTP/1.1\r\nHost: ${name}:${caller.port}\r\n${lines}\r\n`)
  await once(socket, 'close')
  return text
}

/** Calls a name by HTTP/2. Returns the status, and the body as JSON. */
export async function overHttp2(
  {port, ca = ''}: Caller,
  name: string,
  body = '',
  asked: http2.OutgoingHttpHeaders = {}
) {
  const session = http2.connect(`https://${name}:${port}`, {
    ca,
    lookup: (_name, _options, found) => found(null, [{address: '127.0.0.1', family: 4}])
  })
  const stream = session.request({
    ':path': '/a?b=1',
    ':method': body === '' ? 'GET' : 'POST',
    accept: 'application/json',
    ...asked
  })
  stream.setEncoding('utf8')
  if (body !== '') stream.end(body)
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader]
  let text = ''
  for await (const piece of stream) text += piece
  session.close()
  return {status: headers[':status'], ...(JSON.parse(text) as object)}
}
