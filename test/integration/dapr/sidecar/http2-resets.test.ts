import t from 'tap'
import {connect} from './caller.ts'
import {framesOf, HEADERS, PREFACE, request, reset} from './frames.ts'
import {HEALTH, isAnswered, testResets} from './resets.ts'
import {echoApp, onRequest, openTestSidecar, rawApp} from './rig.ts'

const isAnswered1 = (text: string): boolean =>
  framesOf(text).frames.some(({type, stream}) => type === HEADERS && stream === 1)

// no error, a cancelled call, a code that nobody knows; `test/long/http2-resets.test.ts` has the others
testResets([0, 8, 255])

const OPEN = {':path': '/v1.0/invoke/b/method/x'}

/** A flood: streams that are reset at once, or more streams than may be. */
const FLOODS: Readonly<Record<string, (stream: number) => string>> = {
  'resets at once': stream => request(stream, OPEN) + reset(stream, 8),
  'more streams than may be': stream => request(stream, OPEN)
}

for (const [what, flood] of Object.entries(FLOODS))
  t.test(`${what}, sent ahead: the connection is closed before a call is made`, async t => {
    let calls = 0
    const appPort = await rawApp(t, socket => onRequest(socket, () => calls++))
    const {port, underWay, warnings} = await openTestSidecar(t, {appPort})
    const caller = await connect(t, port)
    caller.send(PREFACE + Array.from({length: 600}, (_, n) => flood(2 * n + 1)).join(''))
    await caller.closed()
    while (underWay() > 0) await new Promise(setImmediate)
    t.equal(calls, 0)
    t.strictSame(warnings, [])
  })

t.test('batches of streams that are reset before they are served: the connection is cut after tens', async t => {
  const appPort = await rawApp(t, socket => void socket.resume())
  const {port, underWay} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  caller.send(PREFACE + request(1, HEALTH))
  await caller.until(isAnswered1)
  let stream = 1
  while (!caller.isClosed && stream < 4000) {
    let batch = ''
    for (let n = 0; n < 20; n++) batch += FLOODS['resets at once']?.((stream += 2)) ?? ''
    caller.send(batch)
    await new Promise(setImmediate)
  }
  await caller.closed()
  t.ok(stream < 4000, `${stream}: the last stream`)
  while (underWay() > 0) await new Promise(setImmediate)
})

t.test('after a flood others are served: who is connected at once, who comes over HTTP/2 a little later', async t => {
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const here = await connect(t, port)
  here.send(PREFACE + request(1, HEALTH))
  await here.until(isAnswered1)
  for (let n = 0; n < 3; n++) {
    const caller = await connect(t, port)
    caller.send(PREFACE + Array.from({length: 600}, (_, k) => FLOODS['resets at once']?.(2 * k + 1)).join(''))
    await caller.closed()
  }
  here.send(request(3, HEALTH))
  await here.until(isAnswered)
  t.ok(isAnswered(here.text))
  const later = await connect(t, port)
  later.send(PREFACE + request(1, HEALTH) + request(3, HEALTH))
  await later.until(isAnswered)
  t.ok(isAnswered(later.text))
  // a few resets are not taken amiss, even now
  later.send(request(5, OPEN) + reset(5, 8) + request(7, HEALTH))
  await later.until(text => framesOf(text).frames.some(({type, stream}) => type === HEADERS && stream === 7))
  t.equal(later.isClosed, false)
})
