import {once} from 'node:events'
import {createServer, type RequestListener} from 'node:http'
import type {AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import type {BindingResponse} from '../../../../src/dapr/components/binding.ts'
import {open} from '../../../../src/dapr/components/bindings/http.ts'
import {Properties} from '../../../../src/dapr/components/properties.ts'
import {openComponent} from '../../../rig/open-component.ts'

const serve = async (t: Test, listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Calls a binding with these settings. */
const invoke = async (
  t: Test,
  settings: Readonly<Record<string, string>>,
  operation: string,
  metadata: Readonly<Record<string, string>> = {}
): Promise<BindingResponse | undefined> => {
  const {output} = await openComponent(t, open, settings)
  return output?.invoke({operation, data: Buffer.from('"text"'), metadata})
}

t.test('an answer that does not end is read as far as the binding is to read', async t => {
  const host = await serve(t, (_, response) => {
    const timer = setInterval(() => response.write('x'.repeat(10)), 5)
    response.on('close', () => clearInterval(timer))
  })
  for (const maxResponseBodySize of ['16', '15.5', '0.0151Ki']) {
    const answer = await invoke(t, {url: `http://${host}`, maxResponseBodySize, responseTimeout: '5s'}, 'get')
    t.equal(answer?.data.toString(), 'x'.repeat(16), maxResponseBodySize)
  }
})

t.test('headers that an app passes on do not say how long the body is', async t => {
  const host = await serve(t, (request, response) => void response.end(JSON.stringify(request.headers)))
  const passedOn = {'Content-Length': '100', 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum', 'X-Own': '1'}
  for (const [operation, length] of [
    ['post', '6'],
    ['get', undefined]
  ] as const) {
    const answer = await invoke(t, {url: `http://${host}`, responseTimeout: '5s'}, operation, passedOn)
    const headers = JSON.parse(answer?.data.toString() ?? '') as Readonly<Record<string, string>>
    t.equal(headers['content-length'], length, operation)
    t.equal(headers['transfer-encoding'] ?? headers['trailer'], undefined)
    t.equal(headers['x-own'], '1')
  }
})

t.test('the user of a URL is told to its server, and its password to nobody else', async t => {
  const host = await serve(t, (request, response) => void response.end(request.headers.authorization))
  const url = `http://me:se%40cret@${host}`
  t.equal((await invoke(t, {url}, 'get'))?.data.toString(), `Basic ${Buffer.from('me:se@cret').toString('base64')}`)
  const login = `Basic ${Buffer.from('me:100%').toString('base64')}`
  t.equal((await invoke(t, {url: `http://me:100%@${host}`}, 'get'))?.data.toString(), login, 'as it is written')
  t.equal((await invoke(t, {url}, 'get', {Authorization: 'Bearer own'}))?.data.toString(), 'Bearer own')
  t.equal((await invoke(t, {url: `http://${host}`}, 'get'))?.data.toString(), '')
  await t.rejects(invoke(t, {url: 'http://me:secret@127.0.0.1:1/x'}, 'get'), {
    message: 'Get "http://me:***@127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused'
  })
  await t.rejects(invoke(t, {url: 'http://me:secret@127.0.0.1:1/x'}, 'get', {path: '../y'}), {
    message: 'the path "../y" leads out of http://me:***@127.0.0.1:1/x'
  })
})

t.test('a call whose caller has left keeps no connection to a server that does not answer', async t => {
  const asked = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const host = await serve(t, ({socket}) => {
    asked.resolve()
    socket.once('close', () => closed.resolve())
  })
  const {output} = await openComponent(t, open, {url: `http://${host}`})
  const gone = new AbortController()
  const request = {operation: 'get', data: Buffer.alloc(0), metadata: {}}
  const refused = t.rejects(async () => output?.invoke(request, gone.signal), {message: /context canceled$/})
  await asked.promise
  gone.abort()
  await refused
  await closed.promise
})

t.test('a URL that is a secret is in no error', async t => {
  const place = {file: 'hook.yaml', line: 1, column: 1, source: ''}
  const url = {name: 'url', value: 'http://127.0.0.1:1/services/T01/secret', isSecret: true, place}
  const {output} = await openComponent(t, open, {}, {properties: new Properties([url])})
  for (const [path, why] of [
    ['', 'Post "***": dial tcp 127.0.0.1:1: connect: connection refused'],
    ['news', 'Post "***/news": dial tcp 127.0.0.1:1: connect: connection refused'],
    ['..', 'the path ".." leads out of ***']
  ] as const) {
    const request = {operation: 'post', data: Buffer.from('"text"'), metadata: {path}}
    await t.rejects(async () => output?.invoke(request), {message: why})
  }
})
