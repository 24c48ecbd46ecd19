import {once} from 'node:events'
import http from 'node:http'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import type {WebOptions} from '../../../../../src/proxy/net/web/web-agent.ts'
import {requestWeb} from '../../../../../src/proxy/net/web/external-request.ts'

/** Listens with a server until the end of a test. Returns the options of requests to it. */
async function optionsFor(t: Test, server: net.Server): Promise<WebOptions> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  if (server instanceof http.Server) t.teardown(() => server.closeAllConnections())
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return {origin, credentials: {ca: '', cert: '', key: ''}, followsRedirects: true, secretHeaders: []}
}

/** Sends a request; resolves with the status of the answer. */
const statusOf = async (options: WebOptions, method: string, path: string, body = ''): Promise<number> =>
  new Promise((respond, fail) => {
    const pairs = method === 'POST' ? ['Content-Length', `${body.length}`] : []
    requestWeb(options, {method, path, pairs, hasBody: body !== ''}, {respond, fail}, Buffer.from(body))
  })

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
  const options = await optionsFor(t, server)
  t.equal(await statusOf(options, 'GET', '/a'), 200)
  await closed.promise
})

t.test('a redirect of a path that begins with two slashes stays at its host', async t => {
  const server = http.createServer(({url}, response) => {
    if (url?.startsWith('//') === true) response.writeHead(302, {Location: '/b'})
    response.end()
  })
  const options = await optionsFor(t, server)
  for (const path of ['//', '//api/a', '//api:v1/a']) t.equal(await statusOf(options, 'GET', path), 200, path)
})

t.test('a redirect that keeps the method keeps that of the request which it answers, not the first one', async t => {
  const seen: string[] = []
  const where: Readonly<Record<string, readonly [number, string]>> = {
    '/a': [303, '/b'],
    '/b': [307, '/b/'],
    '/c': [307, '/d']
  }
  const server = http.createServer((request, response) => {
    const {method = '', url = ''} = request
    let body = ''
    request.setEncoding('latin1').on('data', piece => (body += String(piece)))
    request.on('end', () => {
      seen.push(`${method} ${url} ${body}`)
      const [status, to] = where[url] ?? [200, '']
      response.writeHead(status, to === '' ? {} : {Location: to}).end()
    })
  })
  const options = await optionsFor(t, server)
  for (const [path, body, then] of [
    ['/a', '', ['POST /a ', 'GET /b ', 'GET /b/ ']],
    ['/a', 'x', ['POST /a x', 'GET /b ', 'GET /b/ ']],
    ['/c', 'x', ['POST /c x', 'POST /d x']]
  ] as const) {
    seen.length = 0
    t.equal(await statusOf(options, 'POST', path, body), 200)
    t.strictSame(seen, then)
  }
})

t.test('an empty Location leads nowhere: the answer is passed on', async t => {
  let count = 0
  const server = http.createServer((_, response) => {
    count++
    response.writeHead(307, {Location: ''}).end()
  })
  const options = await optionsFor(t, server)
  t.strictSame([await statusOf(options, 'POST', '/'), count], [307, 1])
})

t.test('a request that finds its connection closed is sent once more, over a new one', async t => {
  const seen: string[] = []
  const closing = {on: 2}
  const server = net.createServer(socket => {
    let count = 0
    const id = connections++
    socket.on('data', bytes => {
      const [line = ''] = bytes.toString().split(' HTTP')
      seen.push(`${id} ${line}`)
      if (++count >= closing.on) {
        if (line.includes('/begun')) socket.end('HTTP/1.1 20')
        else socket.destroy()
      } else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    socket.on('error', () => undefined)
  })
  let connections = 0
  const options = await optionsFor(t, server)
  const ask = async (method: string, path: string, body = ''): Promise<string> => {
    const again = {...options}
    const send = async (to: typeof again, [verb, url, text]: readonly string[]): Promise<string> =>
      new Promise(resolve => {
        const pairs = text === '' ? [] : ['Content-Length', `${text?.length}`]
        const sink = {
          respond: (status: number, _: readonly string[], answer: NodeJS.ReadableStream) => {
            answer.on('end', () => setImmediate(resolve, `${status}`)).resume()
          },
          fail: ({message}: Error) => resolve(message)
        }
        requestWeb(
          to,
          {method: verb ?? '', path: url ?? '', pairs, hasBody: text !== ''},
          sink,
          Buffer.from(text ?? '')
        )
      })
    seen.length = connections = 0
    await send(again, ['GET', '/first', ''])
    return send(again, [method, path, body])
  }
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    t.equal(await ask(method, '/a'), '200', method)
    t.strictSame(seen, ['0 GET /first', `0 ${method} /a`, `1 ${method} /a`])
  }
  for (const [method, path, body] of [
    ['DELETE', '/a', ''],
    ['GET', '/a', 'x'],
    ['POST', '/a', 'x'],
    ['GET', '/begun', '']
  ] as const) {
    t.equal(await ask(method, path, body), 'EOF', `${method} ${path} ${body}`)
    t.equal(seen.filter(each => each.endsWith(path)).length, 1, `${method} ${path} ${body}`)
  }
  closing.on = 1
  t.equal(await ask('GET', '/a'), 'EOF', 'a new connection')
  t.strictSame(seen, ['0 GET /first', '1 GET /a'])
})
