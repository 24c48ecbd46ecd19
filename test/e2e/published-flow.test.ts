import {createHash, randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {createServer, request, type IncomingMessage} from 'node:http'
import net, {type AddressInfo} from 'node:net'
import {buffer, text} from 'node:stream/consumers'
import t, {type Test} from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

/** Sends back what it gets as it comes; `/events` sends one event for each request of `/next`; `/most` says how many it had at once. */
const APP = `
const {createServer} = process.getBuiltinModule('node:http')
let events
let [now, most] = [0, 0]
createServer((request, response) => {
  const {url} = request
  const leave = () => response.end(String([most, now--][0]))
  if (url === '/die') process.exit(3)
  else if (url === '/events') (events = response).writeHead(200, {'content-type': 'text/event-stream'}).write('data: 1\\n\\n')
  else if (url === '/next') response.end(String(events.write('data: 2\\n\\n')))
  else if (url === '/late') setTimeout(() => response.end('late'), 50)
  else if (url === '/most') setTimeout(leave, 20, (most = Math.max(most, ++now)))
  else request.pipe(response)
}).listen(process.env.PORT, '127.0.0.1')
`

async function openApp(t: Test, more: object = {}): Promise<number> {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({'app.mjs': APP})
  const app = {appID: 'api', appDirPath: '.', port: `0.0.0.0:${port}`, command: ['node', 'app.mjs'], ...more}
  await rig.template([app])
  rig.pillion(['run', '-f', '.'])
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  return port
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

t.test('bodies of any size flow both ways, with a length or in chunks; events come one by one', async t => {
  const port = await openApp(t)
  const sent = randomBytes(24 * 1024 * 1024)
  for (const headers of [{'content-length': sent.length}, {'transfer-encoding': 'chunked'}]) {
    const upload = request({port, host: '127.0.0.1', method: 'PUT', path: '/big', headers})
    upload.end(sent)
    const [response] = (await once(upload, 'response')) as [IncomingMessage]
    t.equal(hashOf(await buffer(response)), hashOf(sent), Object.keys(headers).join())
  }
  const stream = await fetch(`http://127.0.0.1:${port}/events`)
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
  t.match(await reader?.read(), {value: 'data: 1\n\n'})
  t.equal(await (await fetch(`http://127.0.0.1:${port}/next`)).text(), 'true')
  t.match(await reader?.read(), {value: 'data: 2\n\n'})
  await reader?.cancel()
})

t.test('who gets no answer of an app that ends under the call is told so', async t => {
  const port = await openApp(t)
  const died = await fetch(`http://127.0.0.1:${port}/die`)
  t.equal(died.status, 502)
  t.match(await died.text(), /^"api" has not answered properly: .*exited with code 3/)
})

t.test('appMaxConcurrency holds for calls at the port, at each address that it has', async t => {
  const port = await openApp(t, {appMaxConcurrency: 1})
  const hosts = ['127.0.0.1', '127.0.0.2', '127.0.0.3']
  const answers = await Promise.all(hosts.map(async host => (await fetch(`http://${host}:${port}/most`)).text()))
  t.same(answers, ['1', '1', '1'])
})

/** All that comes to a caller that ends its side of the connection behind its request. */
async function afterEnd(port: number): Promise<string> {
  const socket = net.connect({port, host: '127.0.0.1', allowHalfOpen: true})
  socket.end('GET /late HTTP/1.1\r\nHost: a\r\n\r\n')
  return text(socket)
}

t.test('who ends its side of the connection within a call has left, as for a server of Node', async t => {
  const port = await openApp(t)
  const server = createServer((_, response) => setTimeout(() => response.end('late'), 50)).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  t.equal(await afterEnd((server.address() as AddressInfo).port), '')
  t.equal(await afterEnd(port), '')
})
