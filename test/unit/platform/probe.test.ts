import {once} from 'node:events'
import {createServer} from 'node:http'
import {createServer as createTcpServer, type AddressInfo} from 'node:net'
import {test} from 'tap'
import {pauseAfter, statusOf} from '../../../src/platform/probe.ts'

test('a path with a blank, and with letters of any script, is asked for', async t => {
  const paths: (string | undefined)[] = []
  const server = createServer((request, response) => {
    paths.push(request.url)
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const {port} = server.address() as AddressInfo
  for (const path of ['/health check', '/健康?q=%20', '/\ud800'])
    t.equal(await statusOf({host: '127.0.0.1', port, path, isSecure: false}), 200, path)
  t.same(paths, ['/health%20check', '/%E5%81%A5%E5%BA%B7?q=%20', '/%EF%BF%BD'])
})

for (const [what, head] of [
  ['whose head never ends', 'HTTP/1.1 200 OK\r\nA: '],
  [
    'that becomes another protocol',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n'
  ],
  ['that is never more than interim', 'HTTP/1.1 103 Early Hints\r\n\r\n']
] as const)
  test(`an answer ${what} is none: who asks is not kept`, async t => {
    const server = createTcpServer(socket => {
      const timer = setInterval(() => socket.write(head.endsWith('\n') ? head : 'a'), 20)
      socket.on('error', () => undefined).on('close', () => clearInterval(timer))
      socket.write(head)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const {port} = server.address() as AddressInfo
    t.equal(await statusOf({host: '127.0.0.1', port, path: '/', isSecure: false, timeoutMs: 200}), 0)
  })

test('attempts are 5 ms apart for one second, 25 ms up to ten, then 250 ms', async t => {
  t.same(
    [0, 999, 1000, 9999, 10_000, 3_600_000].map(ms => pauseAfter(ms)),
    [5, 5, 25, 25, 250, 250]
  )
  t.same(
    [1, 10, 100, 200].map(probed => pauseAfter(0, probed)),
    [5, 5, 50, 100],
    'the more apps, the longer'
  )
})
