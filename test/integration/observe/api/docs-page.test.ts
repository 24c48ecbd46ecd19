import {once} from 'node:events'
import {createServer, type RequestListener} from 'node:http'
import {createServer as createTcpServer, type AddressInfo} from 'node:net'
import t from 'tap'
import type * as Api from '../../../../src/model/api.generated.ts'
import {docsPageOf} from '../../../../src/observe/api/docs-page.ts'

let pid = 100

/** An app as the run lists it, with a server that notes what it is asked. */
async function served(
  test: {teardown(close: () => void): void},
  answer: RequestListener,
  more: Partial<Api.App> = {}
): Promise<{readonly app: Api.App; readonly asked: string[]}> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const {port} = server.address() as AddressInfo
  const app = {id: 'shop', version: '0.0.0', instance: 1, state: 'running', isReady: true, appProtocol: 'http'}
  const life = {pid: pid++, startedAt: '2026-01-31T14:40:00.000Z', appPort: port}
  return {app: {...app, ...life, ...more} as Api.App, asked}
}

/** Answers one path, and 404 to all others. */
const only =
  (path: string, body: string): RequestListener =>
  ({url}, response) =>
    void (url === path ? response.end(body) : response.writeHead(404).end('{"detail":"Not Found"}'))

t.test('the page of an API is found where frameworks have it; a process is asked once', async t => {
  const {app, asked} = await served(t, only('/docs', '<title>shop - Swagger UI</title>'))
  t.same(await Promise.all([docsPageOf(app), docsPageOf(app)]), [{path: '/docs'}, {path: '/docs'}])
  t.same(asked, ['/docs'])
  t.same(await docsPageOf({...app, pid: 1, startedAt: '2026-01-31T15:00:00.000Z'}), {path: '/docs'})
  t.equal(asked.length, 2, 'another process may have another one')
  const spring = await served(t, only('/swagger-ui/index.html', '<div id="swagger-ui">'))
  t.same(await docsPageOf(spring.app), {path: '/swagger-ui/index.html'})
  const bare = await served(t, only('/openapi.json', '{"openapi":"3.1.0"}'))
  t.same(await docsPageOf(bare.app), {path: '/openapi.json'})
})

t.test('a process that did not answer is asked again, one that did is not', async t => {
  let isWarm = false
  const {app, asked} = await served(t, (request, response) => {
    if (isWarm) only('/docs', 'Swagger UI')(request, response)
    else request.socket.destroy()
  })
  t.same(await docsPageOf(app), {path: ''})
  isWarm = true
  t.same(await docsPageOf(app), {path: '/docs'})
  asked.length = 0
  t.same(await docsPageOf(app), {path: '/docs'})
  t.same(asked, [])
})

t.test('what does not speak HTTP has answered, and is not asked again', async t => {
  let times = 0
  const server = createTcpServer(socket => {
    times++
    socket.end('-ERR unknown command\r\n')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const {app} = await served(t, () => undefined)
  const redis = {...app, id: 'redis', appPort: (server.address() as AddressInfo).port}
  t.same(await docsPageOf(redis), {path: ''})
  const before = times
  t.same(await docsPageOf(redis), {path: ''})
  t.equal(times, before)
})

t.test('who answers everything, or with what it was asked, has none', async t => {
  const vite = await served(t, (_, response) => void response.end('<div id="root"></div>'))
  t.same(await docsPageOf(vite.app), {path: ''})
  const echo = await served(t, ({url}, response) => void response.end(`{"path":"${url}"}`))
  t.same(await docsPageOf(echo.app), {path: ''})
})

t.test('what cannot be asked is not', async t => {
  for (const more of [
    {isReady: false},
    {state: 'stopped'},
    {state: 'debugging'},
    {appProtocol: 'grpc'},
    {appPort: 0}
  ] as const) {
    const {app, asked} = await served(t, (_, response) => void response.end('swagger'), more)
    t.same(await docsPageOf(app), {path: ''})
    t.same(asked, [])
  }
  t.same(await docsPageOf(undefined), {path: ''})
  const gone = await served(t, ({socket}) => void socket.destroy())
  t.same(await docsPageOf(gone.app), {path: ''})
})
