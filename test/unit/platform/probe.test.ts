import {once} from 'node:events'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
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
