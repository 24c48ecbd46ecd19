import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import t from 'tap'
import {FieldWalker, type FrameClient, type FrameStream, type Waiter} from '#h2-frames'
import type {Call} from '../../../../src/model/call.ts'
import type {Admission} from '../../../../src/proxy/gateway/admission.ts'
import {HeldBodies} from '../../../../src/proxy/gateway/held-bodies.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {FrameCall} from '../../../../src/proxy/published/frame-call.ts'
import {FrameHead} from '../../../../src/proxy/published/frame-head.ts'
import {freePort} from '../../../rig/free-port.ts'

const MIB = 1 << 20

t.test('small pieces of a call that waits do not keep all that was read with them', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const heap = (): number => {
    gc()
    return process.memoryUsage().heapUsed
  }
  const admitted = Promise.withResolvers<never>()
  const context = {
    callee: 'api',
    heldBodies: new HeldBodies(),
    admit: () => ({admitted: admitted.promise, cancel: () => undefined}),
    isOpen: () => false,
    lastLines: () => [],
    warn: () => undefined
  }
  const caller = {reset: () => undefined, writeHead: () => undefined} as unknown as FrameStream
  const call = new FrameCall(context, 'web', new FrameHead(), caller, new FieldWalker())
  call.start(false)
  const before = heap()
  for (let read = 0; read < 1000; read++)
    call.data(
      caller,
      Buffer.alloc(MIB / 16, 97)
        .toString('latin1')
        .slice(100, 120),
      false
    )
  t.ok(heap() - before < 8 * MIB)
  call.crash(new Error('the test is over'))
})

t.test('of calls that wait no more is kept than of those of HTTP/1: one that sends more is refused', async t => {
  const heldBodies = new HeldBodies()
  const admitted = Promise.withResolvers<never>()
  const context = {
    callee: 'api',
    heldBodies,
    admit: () => ({admitted: admitted.promise, cancel: () => undefined}),
    isOpen: () => false,
    lastLines: () => [],
    warn: (text: string) => t.fail(text)
  }
  const piece = 'x'.repeat(MIB / 64)
  const refused: string[] = []
  const calls = Array.from({length: 70}, () => {
    const caller = {
      writeHead: () => undefined,
      takeBytes: () => undefined,
      credit: () => undefined,
      writeData: (text: string) => refused.push(text),
      reset: () => undefined
    } as unknown as FrameStream
    const call = new FrameCall(context, 'web', new FrameHead(), caller, new FieldWalker())
    call.start(false)
    for (let n = 0; n < 64; n++) call.data(caller, piece, false)
    return call
  })
  t.equal(refused.length, 6)
  t.match(refused[0], /the bodies of queued calls exceed the limit/)
  for (const call of calls) call.endStream()
  t.ok(heldBodies.hold(MIB), 'there is room again')
})

t.test('what a call has sent counts again where its callee has refused it, and it waits once more', async t => {
  const heldBodies = new HeldBodies()
  const port = await freePort()
  const pool = new Pool({hosts: ['127.0.0.1'], port})
  const admitted = Promise.withResolvers<Admission>()
  const again = Promise.withResolvers<void>()
  const context = {
    callee: 'api',
    heldBodies,
    admit: (_: Call, isRefused: boolean) => {
      if (isRefused) again.resolve()
      return {admitted: isRefused ? Promise.withResolvers<never>().promise : admitted.promise, cancel: () => undefined}
    },
    isOpen: () => false,
    lastLines: () => [],
    warn: (text: string) => t.fail(text)
  }
  const caller = {
    writeHead: () => undefined,
    takeBytes: () => undefined,
    credit: () => undefined,
    reset: () => undefined
  } as unknown as FrameStream
  const call = new FrameCall(context, 'web', new FrameHead(), caller, new FieldWalker())
  call.start(false)
  for (let n = 0; n < 64; n++) call.data(caller, 'x'.repeat(MIB / 64), false)
  admitted.resolve({ok: true, pool, isLocal: true, token: '', leave: () => undefined} as Admission)
  await again.promise
  t.ok(heldBodies.hold(63 * MIB), 'there is room for others')
  t.notOk(heldBodies.hold(1), 'but for no more than without it')
  call.endStream()
  t.ok(heldBodies.hold(MIB), 'there is room again')
})

const PREFIX = '\0\0\0\0\u0008'

t.test('a call of gRPC is no stream within its first message, however slowly that comes', async t => {
  const connection = {walker: new FieldWalker(), open: () => callee} as unknown as FrameClient
  const frameClients = {take: (waiter: Waiter) => waiter.opened(connection), leave: () => undefined}
  const pool = {plain: {frameClients}}
  const context = {
    callee: 'api',
    heldBodies: new HeldBodies(),
    admit: () => ({ok: true, pool, isLocal: true, token: '', leave: () => undefined}) as unknown as Admission,
    isOpen: () => true,
    lastLines: () => [],
    warn: (text: string) => t.fail(text)
  }
  const half = {writeHead: () => undefined, writeData: () => undefined, credit: () => undefined, reset: () => undefined}
  const [caller, callee] = [{...half}, {...half}] as unknown as [FrameStream, FrameStream]
  const head = new FrameHead()
  head.isGrpc = true
  const call = new FrameCall(context, 'web', head, caller, new FieldWalker())
  const seen: boolean[] = []
  call.start(false)
  call.changed = () => seen.push(call.isStream)
  t.equal(call.isStream, true, 'it has not begun to send one')
  call.head(callee, '\u0088', false) // 200
  for (const from of [caller, callee]) {
    call.data(from, `${PREFIX}four`, false)
    call.data(from, 'more', false)
    call.data(from, '', from === caller)
  }
  t.strictSame(seen, [false, true, false, false, true, true])
  call.endStream()
})
