import {once} from 'node:events'
import http from 'node:http'
import type {AddressInfo} from 'node:net'
import t from 'tap'
import {requestWeb} from '../../../../src/proxy/net/external-adapter.ts'

t.test('a redirect whose body does not end is not read for ever', async t => {
  const closed = Promise.withResolvers<void>()
  const server = http.createServer(({url}, response) => {
    if (url === '/b') return void response.end('done')
    response.writeHead(302, {Location: '/b'})
    const more = (): void => {
      if (!response.destroyed) response.write('x'.repeat(10_000), () => setImmediate(more))
    }
    response.on('close', closed.resolve)
    more()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const options = {origin, credentials: {ca: '', cert: '', key: ''}, followsRedirects: true, secretHeaders: []}
  const status = await new Promise<number>((respond, fail) =>
    requestWeb(options, {method: 'GET', path: '/a', pairs: [], hasBody: false}, {respond, fail}, Buffer.alloc(0))
  )
  t.equal(status, 200)
  await closed.promise
})

t.test('a redirect of a path that begins with two slashes stays at its host', async t => {
  const server = http.createServer(({url}, response) => {
    if (url?.startsWith('//') === true) response.writeHead(302, {Location: '/b'})
    response.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const options = {origin, credentials: {ca: '', cert: '', key: ''}, followsRedirects: true, secretHeaders: []}
  for (const path of ['//', '//api/a', '//api:v1/a']) {
    const status = await new Promise<number>((respond, fail) =>
      requestWeb(options, {method: 'GET', path, pairs: [], hasBody: false}, {respond, fail}, Buffer.alloc(0))
    )
    t.equal(status, 200, path)
  }
})
