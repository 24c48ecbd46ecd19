import {mock} from 'node:test'
import t from 'tap'
import {connect, type Caller} from '../caller.ts'
import {frame, framesOf, PREFACE, type Frame} from '../frames.ts'
import {echoClient, grpcApp, openTestGrpcPort} from './rig.ts'

const PING = 6
const GOAWAY = 7
const LOOK_MS = 10_000

/** Waits for a frame, and drops what came before it. */
const next = async (caller: Caller, isMeant: (frame: Frame) => boolean): Promise<Frame | undefined> => {
  for (;;) {
    const {frames} = framesOf(caller.text)
    const found = frames.find(isMeant)
    if (found !== undefined) {
      caller.forget()
      return found
    }
    if (caller.isClosed) return undefined
    const before = caller.text
    await caller.until(text => text !== before)
  }
}

/** All that was sent so far has been read. */
const read = async (caller: Caller, payload: string): Promise<void> => {
  caller.send(frame(PING, {payload}))
  await next(caller, each => each.type === PING && each.payload === payload)
}

t.before(() => mock.timers.enable({apis: ['setInterval']}))
t.after(() => mock.timers.reset())

t.test('a connection without calls is told to leave after three minutes, whatever it says', async t => {
  const {port} = await openTestGrpcPort(t)
  const caller = await connect(t, port)
  caller.send(PREFACE)
  for (let look = 0; look < 18; look++) {
    await read(caller, 'a-ping--')
    t.equal(caller.isClosed, false)
    mock.timers.tick(LOOK_MS)
  }
  await read(caller, '8-bytes-')
  mock.timers.tick(LOOK_MS)
  t.match(await next(caller, ({type}) => type === GOAWAY), {payload: '\0\0\0\0\0\0\0\0'})
  await caller.closed()
})

t.test('a connection that answers no ping is cut; one with a call under way stays', async t => {
  const {port} = await openTestGrpcPort(t, {appPort: await grpcApp(t)})
  const deaf = await connect(t, port)
  deaf.send(PREFACE)
  await read(deaf, 'openopen')
  const client = echoClient(t, port)
  const stream = client.both().on('error', () => undefined)
  const echo = async (): Promise<void> =>
    new Promise(resolve => {
      stream.once('data', () => resolve())
      stream.write(Buffer.from('x'))
    })
  await echo()
  for (let look = 0; look < 40; look++) {
    mock.timers.tick(LOOK_MS)
    await echo()
  }
  t.equal(await deaf.closed().then(text => framesOf(text).frames.filter(({type}) => type === PING).length), 2)
  const ended = new Promise(resolve => stream.on('status', resolve))
  stream.end()
  t.match(await ended, {code: 0})
})
