import t, {type Test} from 'tap'
import {ask, connect, request, type Answer} from './caller.ts'
import {echoApp, onBothPaths, onRequest, openTestSidecar, rawApp, valuesOf, type Seen} from './rig.ts'

interface ControlContext {
  readonly seen: Seen | undefined
  readonly answer: Answer | undefined
}

/** Asks for targets, one after the other, and tells what the app saw of each. */
const asker = async (t: Test): Promise<(target: string, lines?: string) => Promise<ControlContext>> => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  return async (target, lines = '') => {
    seen.length = 0
    const answer = await ask(t, port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`)
    return {seen: seen[0], answer}
  }
}

const NOBODY =
  '{"errorCode":"ERR_DIRECT_INVOKE","message":"failed getting app id either from the URL path or the header dapr-app-id"}'

onBothPaths('the app gets the path as Go would write it', async t => {
  const get = await asker(t)
  const paths = {
    '': '/',
    echo: '/echo',
    'a//../x': '/x',
    'a/b/': '/a/b',
    './a': '/a',
    '../../a': '/a',
    'a%20b': '/a%20b',
    'caf%C3%A9': '/caf%C3%A9',
    'not%FFutf8': '/not%FFutf8',
    'test%22stream': '/test%22stream',
    'test"stream': '/test%22stream',
    'test%2Astream': '/test*stream',
    'test*stream': '/test*stream',
    'test%5Cstream': '/test%5Cstream',
    'test\\stream': '/test%5Cstream',
    'a%2Fb': '/a/b',
    'admin%2F..%2Fpublic': '/public',
    'a%2Bb+c': '/a+b+c',
    "!$&'()*+,;=:@[]": "/!$&'()*+,;=:@[]",
    "a%20b'": '/a%20b%27',
    '%2541': '/%41',
    'x?q=%zz&a=b+c&&': '/x?q=%zz&a=b+c&&',
    'x?': '/x',
    'x??a': '/x??a',
    'healthz?a#b': '/healthz?a',
    'x?#a': '/x?',
    'x?#': '/x?',
    'x?a?#b': '/x?a?',
    'x?"<>`{|}\\^': '/x?"<>`{|}\\^'
  }
  for (const [sent, expected] of Object.entries(paths)) {
    const {seen, answer} = await get(`/v1.0/invoke/b/method/${sent}`)
    t.equal(seen?.url, expected, `${sent}: ${answer?.body ?? 'no answer'}`)
  }
})

t.test('a query travels as it is, byte for byte, by whatever way', async t => {
  const queries = ['\xc3\xbc=\xe6\x97\xa5', '%C3%BC=\xc3\xbc', '\xff', 'a=%zz&\xe9', '\xc3\xbc#a']
  const heads: string[] = []
  const appPort = await rawApp(t, socket =>
    onRequest(socket, head => {
      heads.push(head.slice(0, head.indexOf('\r')))
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  )
  const {port} = await openTestSidecar(t, {appPort})
  const ways = {plain: '', 'node:http': 'Baggage: a=b\r\n', upgrade: 'Connection: Upgrade\r\nUpgrade: websocket\r\n'}
  for (const [way, lines] of Object.entries(ways)) {
    for (const query of queries) {
      const path = `/caf\xc3\xa9?${query}`
      t.match(await ask(t, port, request({method: 'GET', path: path.replace('caf\xc3\xa9', 'x'), lines})), {
        status: 200
      })
      t.match(await ask(t, port, request({method: 'GET', path, lines})), {status: 200})
      const expected = query.replace('#a', '')
      t.strictSame(heads.splice(0), [`GET /x?${expected} HTTP/1.1`, `GET /caf%C3%A9?${expected} HTTP/1.1`], way)
    }
  }
  const caller = await connect(t, port)
  for (const query of queries.slice(0, 4)) {
    caller.send(request({method: 'GET', path: `/x?${query}`}))
    t.match(await caller.answer(), {status: 200}, 'on one connection')
  }
})

onBothPaths('a method that is invalid in a URL is refused with 500', async t => {
  const get = await asker(t)
  const refused = {
    'a%23b': 'rpc error: code = InvalidArgument desc = invalid method: method contains forbidden character: \\"a#b\\"',
    'a%3Fb': 'rpc error: code = InvalidArgument desc = invalid method: method contains forbidden character: \\"a?b\\"',
    'a%00b':
      'rpc error: code = InvalidArgument desc = invalid method: method contains forbidden character: \\"a\\\\x00b\\"',
    'a%0Db':
      'rpc error: code = InvalidArgument desc = invalid method: method contains control character at position 1: \\"a\\\\rb\\"',
    'a%25stream': 'parse \\"/a%stream\\": invalid URL escape \\"%st\\"'
  }
  for (const [sent, error] of Object.entries(refused)) {
    const {seen, answer} = await get(`/v1.0/invoke/b/method/${sent}`)
    t.equal(seen, undefined)
    t.equal(answer?.status, 500)
    t.equal(answer?.body, `{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: b, err: ${error}"}`)
  }
  t.equal((await get('/test%23stream', 'dapr-app-id: b\r\n')).answer?.status, 500)
})

onBothPaths('an invalid escape is a bad request, and closes the connection', async t => {
  const get = await asker(t)
  for (const target of [
    '/v1.0/invoke/b/method/a%',
    '/v1.0/invoke/b/method/a%4',
    '/v1.0/invoke/b%zz/method/a',
    '/%zz'
  ]) {
    const {answer} = await get(target)
    t.match(answer, {
      status: 400,
      body: '400 Bad Request',
      headers: {'content-type': 'text/plain; charset=utf-8', connection: 'close'}
    })
  }
})

onBothPaths('slashes between the segments of the URL may be doubled', async t => {
  const get = await asker(t)
  for (const target of [
    '/v1.0////invoke/b/method/foo',
    '/v1.0//invoke//b/method//foo',
    '//v1.0/invoke/b/method/foo',
    'http://localhost/v1.0/invoke/b/method/foo',
    'HTTP://127.0.0.1:3500/v1.0/invoke/b/method/foo'
  ]) {
    t.equal((await get(target)).seen?.url, '/foo', target)
  }
})

const basic = (text: string): string => `Authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`

onBothPaths('with an app id outside the URL the whole path is the method', async t => {
  const get = await asker(t)
  for (const lines of ['dapr-app-id: b\r\n', 'DAPR-App-ID: b\r\n', basic('dapr-app-id:b'), basic('Dapr-App-Id:b')]) {
    t.equal((await get('/', lines)).seen?.url, '/')
    t.equal((await get('/foo?x=1', lines)).seen?.url, '/foo?x=1')
    t.equal((await get('///foo', lines)).seen?.url, '/foo')
    t.equal((await get('/admin/../public', lines)).seen?.url, '/public')
    t.equal((await get('/v1.0/invoke/nobody/method/x', lines)).seen?.url, '/v1.0/invoke/nobody/method/x')
    const {seen} = await get('/foo', lines)
    t.strictSame(seen && valuesOf(seen, 'dapr-app-id'), [])
  }
  const {seen} = await get('/foo', basic('dapr-app-id:b'))
  t.equal(seen && valuesOf(seen, 'authorization').length, 1, 'the Authorization travels')
  for (const text of ['dapr-app-id:b:c', 'user:b', 'dapr-app-id'])
    t.equal((await get('/foo', basic(text))).answer?.status, 404, text)
})

onBothPaths('no app is named: 404, whatever the method', async t => {
  const get = await asker(t)
  for (const target of `/ /v1.0/invoke/b /v1.0/invoke/b/method /v1.0/invoke//method/x /v1.0/config /v1.1/invoke/b/method/x
    /x/v1.0/invoke/b/method/x`.split(/\s+/)) {
    const {answer} = await get(target)
    t.match(answer, {status: 404, headers: {'content-type': 'application/json'}, body: NOBODY}, target)
  }
})

onBothPaths('ids of odd forms', async t => {
  const get = await asker(t)
  const errors = {
    'a+b': `couldn't find service: a b`,
    'a%20b': `couldn't find service: a b`,
    'nobody/d': `couldn't find service: nobody/d`,
    '.': `couldn't find service: `,
    '..': 'invalid app id ..',
    'a.b.c': 'invalid app id a.b.c',
    'b%C3%BC': `couldn't find service: b\xc3\xbc`,
    '%3Cb%3E': `couldn't find service: \\u003cb\\u003e`
  }
  for (const [id, error] of Object.entries(errors)) {
    const {answer} = await get(`/v1.0/invoke/${id}/method/x`)
    t.equal(answer?.status, 500, id)
    t.ok(answer?.body.endsWith(`, err: ${error}"}`), answer?.body ?? '')
  }
  t.equal((await get('/v1.0/invoke/b.default/method/x')).seen?.url, '/x', 'a namespace means nothing here')
  t.equal((await get('/v1.0/invoke/%62/method/x')).seen?.url, '/x')
})
