import {setImmediate as turn} from 'node:timers/promises'
import type {Test} from 'tap'
import {chunked, connect, request} from './caller.ts'
import {echoApp, onBothPaths, openTestSidecar} from './rig.ts'

/** Two turns of the loop: what was written before has been read by the sidecar after them. */
const settle = async (): Promise<void> => {
  await turn()
  await turn()
}

/** Sends a text in two pieces, cut at every place, each on a line of its own; the bodies that came back. */
const cutEverywhere = async (t: Test, port: number, text: string, answers: number): Promise<string[]> => {
  const results: string[] = []
  for (let cut = 1; cut < text.length; cut++) {
    const caller = await connect(t, port)
    caller.send(text.slice(0, cut))
    await settle()
    caller.send(text.slice(cut))
    const bodies: string[] = []
    for (let count = 0; count < answers; count++) {
      const answer = await caller.answer()
      bodies.push(`${String(answer?.status)} ${String(answer?.body)}`)
    }
    caller.socket.destroy()
    results.push(bodies.join(' | '))
  }
  return results
}

onBothPaths('a request is parsed alike wherever it is split', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port, underWay} = await openTestSidecar(t, {appPort})
  const cases = [
    {name: 'counted', text: request({body: 'hello, world!'}), answers: 1, expected: '200 hello, world!'},
    {name: 'chunked', text: chunked(['hello', ', world!']), answers: 1, expected: '200 hello, world!'},
    {
      name: 'two on a line',
      text: request({body: 'one'}) + request({body: 'two'}),
      answers: 2,
      expected: '200 one | 200 two'
    }
  ]
  for (const {name, text, answers, expected} of cases) {
    seen.length = 0
    const results = await cutEverywhere(t, port, text, answers)
    t.equal(results.length, text.length - 1)
    t.strictSame([...new Set(results)], [expected], name)
    t.equal(seen.length, results.length * answers, 'the app saw each request once')
  }
  t.equal(underWay(), 0, 'every call was counted out')
})

onBothPaths('a request that arrives byte by byte is served', async t => {
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  for (const byte of chunked(['abc', 'de'])) {
    caller.send(byte)
    await turn()
  }
  t.match(await caller.answer(), {status: 200, body: 'abcde'})
})

onBothPaths('a body may arrive long after its head', async t => {
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const caller = await connect(t, port)
  const text = request({body: 'later'})
  caller.send(text.slice(0, -5))
  for (let count = 0; count < 20; count++) await turn()
  caller.send(text.slice(-5))
  t.match(await caller.answer(), {status: 200, body: 'later'})
})
