import net from 'node:net'
import {setImmediate as turn} from 'node:timers/promises'
import type {Test} from 'tap'
import {freePort} from '../../../rig/free-port.ts'
import type {Admission, Admit, Held} from '../../../../src/proxy/gateway/admission.ts'
import type {Call} from '../../../../src/model/call.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {connect, request} from './caller.ts'
import {echoApp, onBothPaths, listen, openTestSidecar, rawApp} from './rig.ts'

/** A queue in the hands of the test. */
class AdmissionQueue {
  readonly calls: (Call & {readonly refused: boolean})[] = []
  readonly held: {readonly open: (admission: Admission) => void; isCancelled: boolean}[] = []
  left = 0
  /** What the next calls are told; undefined: they are held. */
  answer: Admission | undefined

  readonly admit: Admit = (call, refused = false) => {
    this.calls.push({...call, refused})
    return this.answer ?? this.#hold()
  }

  admitted(pool: Pool): Admission {
    return {ok: true, pool, isLocal: false, token: '', pathPrefix: '', leave: () => this.left++}
  }

  #hold(): Held {
    const {promise, resolve} = Promise.withResolvers<Admission>()
    const entry = {open: resolve, isCancelled: false}
    this.held.push(entry)
    return {
      admitted: promise,
      cancel: () => {
        entry.isCancelled = true
      }
    }
  }
}

const poolTo = (t: Test, port: number, hosts: readonly string[] = ['127.0.0.1', '::1']): Pool => {
  const pool = new Pool({hosts, port})
  t.teardown(() => {
    pool.retire()
  })
  return pool
}

onBothPaths('a queued call waits with its body, and is delivered when it is admitted', async t => {
  const queue = new AdmissionQueue()
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {admit: queue.admit})
  const caller = await connect(t, port)
  caller.send(request({path: '/x?q=1', body: 'hello'}))
  while (queue.held.length === 0) await turn()
  const [{sent, ...call} = {sent: undefined}, ...others] = queue.calls
  const own = {caller: 'a', callee: 'b', method: 'POST', path: '/x?q=1', number: 0, refused: false, isNumbered: false}
  t.strictSame(call, {...own, from: undefined}, 'as a call of its own app')
  t.match(sent, {method: 'POST', path: '/v1.0/invoke/b/method/x'}, 'the request as it came')
  t.strictSame(others, [])
  t.equal(seen.length, 0)
  queue.held[0]?.open(queue.admitted(poolTo(t, appPort)))
  t.match(await caller.answer(), {status: 200, body: 'hello'})
  t.equal(queue.left, 1)
  t.equal(queue.held[0]?.isCancelled, false)
})

onBothPaths('a queued call with a large body is delivered completely', async t => {
  const queue = new AdmissionQueue()
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {admit: queue.admit})
  const body = 'x'.repeat(3_000_000)
  const caller = await connect(t, port)
  caller.send(request({body}))
  while (queue.held.length === 0) await turn()
  queue.held[0]?.open(queue.admitted(poolTo(t, appPort)))
  t.equal((await caller.answer())?.body === body, true)
})

onBothPaths('the body of a queued call is not read from its caller', async t => {
  const queue = new AdmissionQueue()
  const {port} = await openTestSidecar(t, {admit: queue.admit, limits: {maxBodyBytes: 0, readBufferBytes: 4096}})
  const caller = await connect(t, port)
  const piece = Buffer.alloc(1 << 20)
  caller.send(`POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${64 << 20}\r\n\r\n`)
  for (let count = 0; count < 64; count++) caller.send(piece)
  let before = -1
  while (caller.socket.writableLength !== before) {
    before = caller.socket.writableLength
    for (let count = 0; count < 50; count++) await turn()
  }
  t.ok(before > 40 << 20, `${before} bytes are still with the caller`)
})

onBothPaths('a queued call that is denied gets the reason', async t => {
  const queue = new AdmissionQueue()
  const {port} = await openTestSidecar(t, {admit: queue.admit})
  const caller = await connect(t, port)
  caller.send(request({body: 'x'}))
  while (queue.held.length === 0) await turn()
  queue.held[0]?.open({ok: false, status: 403, error: 'no (because)'})
  t.match(await caller.answer(), {
    status: 403,
    body: '{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: b, err: no (because)"}'
  })
  t.equal(queue.left, 0)
})

onBothPaths('a queued caller that disconnects is cancelled, and a late permit is returned', async t => {
  const queue = new AdmissionQueue()
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {admit: queue.admit})
  const caller = await connect(t, port)
  caller.send(request({body: 'x'}))
  while (queue.held.length === 0) await turn()
  caller.socket.destroy()
  while (queue.held[0]?.isCancelled === false) await turn()
  queue.held[0]?.open(queue.admitted(poolTo(t, appPort)))
  await turn()
  t.equal(queue.left, 1)
  t.equal(seen.length, 0)
})

onBothPaths('a call whose app refuses the connection is queued again, and then delivered', async t => {
  const queue = new AdmissionQueue()
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {admit: queue.admit})
  queue.answer = queue.admitted(poolTo(t, await freePort()))
  const caller = await connect(t, port)
  caller.send(request({body: 'hello'}))
  while (queue.calls.length === 0) await turn()
  queue.answer = undefined
  while (queue.held.length === 0) await turn()
  t.strictSame(
    queue.calls.map(({refused}) => refused),
    [false, true]
  )
  t.equal(queue.left, 1, 'the first admission was given back')
  queue.held[0]?.open(queue.admitted(poolTo(t, appPort)))
  t.match(await caller.answer(), {status: 200, body: 'hello'})
  t.equal(seen.length, 1)
  t.equal(queue.left, 2)
})

onBothPaths("connections refused again and again, although the queue admits, end in Dapr's error", async t => {
  const queue = new AdmissionQueue()
  const {port} = await openTestSidecar(t, {admit: queue.admit})
  const dead = await freePort()
  queue.answer = queue.admitted(poolTo(t, dead))
  const caller = await connect(t, port)
  caller.send(request({path: '/x', body: 'hello'}))
  t.match(await caller.answer(), {
    status: 500,
    body: `{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: b, err: rpc error: code = Internal desc = error invoking app channel: Post \\"http://127.0.0.1:${dead}/x\\": dial tcp 127.0.0.1:${dead}: connect: connection refused"}`
  })
  t.equal(queue.left, queue.calls.length)
})

onBothPaths('an app that listens on ::1 alone is reached', async t => {
  const server = net.createServer(socket => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  })
  const appPort = await listen(t, server, '::1')
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send(request({body: 'x'}))
  t.match(await caller.answer(), {status: 200, body: 'ok'})
})

onBothPaths('a pool that connects to another sidecar adds the path prefix', async t => {
  const queue = new AdmissionQueue()
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {admit: queue.admit})
  queue.answer = {
    ok: true,
    pool: poolTo(t, appPort),
    isLocal: false,
    token: 'theirs',
    pathPrefix: '/v1.0/invoke/b/method',
    leave: () => undefined
  }
  const caller = await connect(t, port)
  caller.send(request({path: '/x?q=1', lines: 'dapr-api-token: mine\r\n', body: 'hello'}))
  await caller.answer()
  t.equal(seen[0]?.url, '/v1.0/invoke/b/method/x?q=1')
  t.match(seen[0]?.headers.join('|'), /\|Dapr-Api-Token\|theirs\|/)
  t.notMatch(seen[0]?.headers.join('|'), /mine/)
})

onBothPaths('used connections are shared by all calls, and a retired pool reuses none', async t => {
  let connections = 0
  const appPort = await rawApp(t, socket => {
    connections++
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  })
  const {port, pool} = await openTestSidecar(t, {appPort})
  for (let count = 0; count < 5; count++) {
    const caller = await connect(t, port)
    caller.send(request({body: 'x'}))
    t.match(await caller.answer(), {status: 200})
  }
  t.equal(connections, 1)
  pool.retire()
  const caller = await connect(t, port)
  for (let count = 0; count < 2; count++) {
    caller.send(request({body: 'x'}))
    t.match(await caller.answer(), {status: 200})
  }
  t.equal(connections, 3)
})
