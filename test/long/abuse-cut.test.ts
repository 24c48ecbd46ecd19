import {setImmediate as turn} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {HIDDEN, REFUSED, TWO_MEANINGS, UNKNOWN_CODINGS} from '../integration/dapr/sidecar/abuse.ts'
import {connect} from '../integration/dapr/sidecar/caller.ts'
import {echoApp, openTestSidecar, type EchoApp} from '../integration/dapr/sidecar/rig.ts'

t.setTimeout(120_000)

/** So many lines at once: each waits for the sidecar to close it. */
const AT_ONCE = 50

interface Cut {
  readonly text: string
  readonly at: number
}

/** Every place of a short text; of a long one its beginning, its end, and some between. */
const cutsOf = (text: string): readonly Cut[] => {
  const all = Array.from({length: text.length - 1}, (_, at) => ({text, at: at + 1}))
  return all.length < 1000 ? all : all.filter(({at}) => at < 120 || at % 16_384 === 0)
}

/** Sends a text in two pieces, and a call behind it; what came back until the sidecar closed the line. */
const sendCut = async (t: Test, port: number, {text, at}: Cut): Promise<string> => {
  const caller = await connect(t, port)
  caller.send(text.slice(0, at))
  await turn()
  await turn()
  caller.send(text.slice(at))
  caller.send(`\r\n${HIDDEN}`)
  caller.socket.end()
  const answer = await caller.closed()
  caller.socket.destroy()
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
    const answer = await sendCut(t, sidecarPort, cut)
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
    await sendCut(t, sidecarPort, cut)
  })
  t.strictSame(
    seen.filter(({url, body}) => url !== '/hidden' && body !== 'abc').map(({url, body}) => [url, body]),
    []
  )
  t.notMatch(JSON.stringify(seen.map(({headers}) => headers)), /a\s*[\r\n]+ b/, 'nothing folded is sent on')
  t.equal(underWay(), 0)
})
