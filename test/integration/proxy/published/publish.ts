import {once} from 'node:events'
import {mkdtempSync} from 'node:fs'
import net, {type AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Test} from 'tap'
import type {Call} from '../../../../src/model/call.ts'
import type {Held} from '../../../../src/proxy/gateway/admission.ts'
import {HeldBodies} from '../../../../src/proxy/gateway/held-bodies.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {listen, portOf} from '../../../../src/proxy/ports/bind.ts'
import type {CallPort} from '../../../../src/proxy/published/call-port.ts'
import {PublishedPort} from '../../../../src/proxy/published/published-port.ts'

const ignore = (): void => undefined

/** The folder of a run that keeps each run which asks it for a port. */
export async function homeOf(
  t: Test,
  port: CallPort
): Promise<{readonly home: string; readonly isAsked: Promise<unknown>}> {
  const home = mkdtempSync(join(tmpdir(), 'home-'))
  const {promise: isAsked, resolve} = Promise.withResolvers<void>()
  const control = net.createServer({allowHalfOpen: true}, socket => {
    socket.on('error', () => undefined).once('data', () => resolve(port.keepSuccessor(socket)))
  })
  t.teardown(() => control.close())
  await once(control.listen(join(home, 'socket')), 'listening')
  return {home, isAsked}
}

/** The number of a port at which an app is called that answers each connection in this way. */
export const publish = async (
  t: Test,
  serve: (socket: net.Socket) => void,
  started: (call: Call) => void = ignore,
  held: Held[] = []
): Promise<number> => {
  const app = net.createServer({allowHalfOpen: true}, socket => serve(socket.on('error', () => undefined)))
  await once(app.listen(0, '127.0.0.1'), 'listening')
  const pool = new Pool({hosts: ['127.0.0.1'], port: (app.address() as AddressInfo).port})
  const context = {
    callee: 'db',
    heldBodies: new HeldBodies(),
    admit: () =>
      held.pop() ?? ({ok: true, pool, isLocal: true, token: '', pathPrefix: '', leave: () => undefined} as const),
    isOpen: () => true,
    lastLines: () => [],
    observer: {
      started,
      held: ignore,
      admitted: ignore,
      responded: ignore,
      replied: ignore,
      bytes: ignore,
      text: ignore,
      ended: ignore
    },
    warn: (text: string) => void t.fail(text)
  }
  t.teardown(() => {
    app.close()
    pool.cut()
  })
  return openPort(t, context)
}

type Context = ReturnType<ConstructorParameters<typeof PublishedPort>[1]>

/** The context of calls that an app admits in this way. */
export const contextOf = (t: Test, admit: () => unknown): Context =>
  ({
    callee: 'api',
    heldBodies: new HeldBodies(),
    admit,
    isOpen: () => true,
    lastLines: () => [],
    warn: (text: string) => void t.fail(text)
  }) as unknown as Context

/** The number of a published port that is closed with the test. */
export const openPort = async (t: Test, context: Context): Promise<number> => {
  const claims = await listen(0, ['127.0.0.1'])
  const port = new PublishedPort(
    claims,
    () => context,
    () => ''
  )
  t.teardown(async () => port.close(AbortSignal.abort()))
  return portOf(claims)
}
