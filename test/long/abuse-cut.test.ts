import {once} from 'node:events'
import net, {type Socket} from 'node:net'
import {setImmediate as turn} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {HIDDEN, REFUSED, TWO_MEANINGS, UNKNOWN_CODINGS} from '../integration/dapr/sidecar/abuse.ts'
import {echoApp, openTestSidecar, type EchoApp} from '../integration/dapr/sidecar/rig.ts'

t.setTimeout(120_000)

/** So many lines at once: each waits for the sidecar to close it. */
const AT_ONCE = 50

interface Cut {
  readonly text: string
  readonly at: number
}

/** Of the places of a beginning that another text has, too, one in so many. */
const SHARED = 4

/** How many bytes two texts begin with alike. */
const sharedBy = (one: string, other: string): number => {
  let at = 0
  while (at < one.length && one[at] === other[at]) at++
  return at
}

/** Every place of a short text; of a long one its beginning, its end, and some between; of what was cut in a text before it, some, others in each. */
const cutsOf = (text: string, index: number, texts: readonly string[]): readonly Cut[] => {
  const shared = Math.max(0, ...texts.slice(0, index).map(before => sharedBy(text, before)))
  const all = Array.from({length: text.length - 1}, (_, at) => ({text, at: at + 1}))
  return all.filter(
    ({at}) => (at >= shared || (at + index) % SHARED === 0) && (text.length <= 1000 || at < 120 || at % 16_384 === 0)
  )
}

/** Lines that are open. */
const open = new Set<Socket>()
t.teardown(() => {
  for (const socket of open) socket.destroy()
})

/** Sends a text in two pieces, and a call behind it; what came back until the sidecar closed the line. There are thousands: nothing is kept of one. */
const sendCut = async (port: number, {text, at}: Cut): Promise<string> => {
  const socket = net.connect({port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true})
  open.add(socket)
  let answer = ''
  const closed = new Promise<void>(resolve => {
    socket
      .on('data', (bytes: Buffer) => (answer += bytes.toString('latin1')))
      .on('end', resolve)
      .on('close', resolve)
      .on('error', () => undefined)
  })
  await once(socket, 'connect')
  socket.write(text.slice(0, at), 'latin1')
  await turn()
  await turn()
  socket.write(text.slice(at), 'latin1')
  socket.end(`\r\n${HIDDEN}`, 'latin1')
  await closed
  socket.destroy()
  open.delete(socket)
  return answer
}

const inParallel = async (cuts: readonly Cut[], run: (cut: Cut) => Promise<void>): Promise<void> => {
  const left = [...cuts]
  const worker = async (): Promise<void> => {
    for (let cut = left.pop(); cut !== undefined; cut = left.pop()) await run(cut)
  }
  await Promise.all(Array.from({length: AT_ONCE}, worker))
}

const opened = async (t: Test): Promise<EchoApp & {readonly sidecarPort: number; readonly underWay: () => number}> => {
  const app = await echoApp(t)
  const {port: sidecarPort, underWay} = await openTestSidecar(t, {appPort: app.port})
  return {...app, sidecarPort, underWay}
}

t.test('what is refused whole is refused wherever it is cut in two', async t => {
  const {sidecarPort, seen, underWay} = await opened(t)
  const wrong: string[] = []
  let count = 0
  await inParallel([...Object.values(REFUSED).flat(), ...UNKNOWN_CODINGS].flatMap(cutsOf), async cut => {
    count++
    const answer = await sendCut(sidecarPort, cut)
    if (answer !== '' && !/^HTTP\/1\.1 (?:4\d\d|501) /.test(answer))
      wrong.push(`${JSON.stringify(cut.text.slice(0, 120))} at ${cut.at}: ${answer.slice(0, 60)}`)
  })
  t.strictSame(wrong.slice(0, 5), [], `${wrong.length} of ${count} were served`)
  t.equal(seen.length, 0, 'the app saw nothing')
  t.equal(underWay(), 0)
})

t.test('what has two meanings has one or none, wherever it is cut in two', async t => {
  const {sidecarPort, seen, underWay} = await opened(t)
  await inParallel(TWO_MEANINGS.flatMap(cutsOf), async cut => {
    await sendCut(sidecarPort, cut)
  })
  t.strictSame(
    seen.filter(({url, body}) => url !== '/hidden' && body !== 'abc').map(({url, body}) => [url, body]),
    []
  )
  t.notMatch(JSON.stringify(seen.map(({headers}) => headers)), /a\s*[\r\n]+ b/, 'nothing folded is sent on')
  t.equal(underWay(), 0)
})
