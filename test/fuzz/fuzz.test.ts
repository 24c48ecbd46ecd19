import {once} from 'node:events'
import net from 'node:net'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {soon} from './connection.ts'
import {atRest, compared, runCases} from './fuzz.ts'
import {EXCHANGES} from './http2-requests.ts'
import {KINDS, type Kind} from './kinds.ts'
import {Random} from './random.ts'
import {readCases} from './read-files.ts'
import {openTarget} from './target.ts'

/** Always the same cases; `npm run fuzz` takes others. */
const SEED = 1
/** Parts of a round: the first one loads what is loaded when it is needed, and lets the heap find its size. */
const WARM = 0.1
const MEASURED = 0.4

t.setTimeout(300_000)

const numbers = (...seeds: readonly number[]): readonly number[] => {
  const random = new Random(...seeds)
  return Array.from({length: 20}, () => random.below(1000))
}

t.test(
  'a run outlasts whatever callers, apps and terminals send, beside good calls, and keeps nothing of it',
  async t => {
    const rig = await openRig(t)
    const target = await openTarget(rig)
    t.teardown(() => target.close())
    const run = async (kind: Kind, begin: number, end: number): Promise<void> => {
      const [from, to] = [Math.floor(kind.count * begin), Math.floor(kind.count * end)]
      const cases = runCases(kind, {seed: SEED, from, count: to - from}, target)
      await t.resolves(cases, `${kind.name}, ${to - from} cases`)
    }
    for (const kind of KINDS) await run(kind, 0, WARM)
    const before = await atRest(target)
    for (const kind of KINDS) await run(kind, WARM, kind.isFinite === true ? 1 : WARM + MEASURED)
    const {text, isWorse} = compared(before, await atRest(target))
    t.notOk(isWorse, text)

    const faulty: Kind = {
      name: 'faulty',
      lanes: 1,
      count: 1,
      make: () => ({text: 'what was sent', run: async () => Promise.reject(new Error('a fault'))})
    }
    await t.rejects(runCases(faulty, {seed: 7, from: 3, count: 1}, target), {
      message: /^1 findings\n\na fault\nnpm run fuzz -- --seed 7 --case faulty:3\nwhat was sent$/
    })

    const halves = EXCHANGES.flatMap(bytes => [bytes, bytes.subarray(0, bytes.length / 2)])
    const open = await Promise.all(
      halves.map(async bytes => {
        const socket = net.connect({port: target.sidecarPort, host: '127.0.0.1', allowHalfOpen: true})
        socket.on('error', () => undefined)
        await once(socket, 'connect')
        socket.write(bytes)
        return socket
      })
    )
    t.teardown(() => {
      for (const socket of open) socket.destroy()
    })
    // a program that is inspected does not end
    target.inspector.close()
    target.program.signal('SIGTERM')
    t.match(await soon(target.program.exited, () => 'the end, with connections open,'), {code: 0})
  }
)

t.test('what grows is found', async t => {
  const usage = {megabytes: 100, unsharedMegabytes: 90, megabytesInUse: 20, descriptors: 50, processes: 2, apps: 1}
  t.notOk(compared(usage, usage).isWorse)
  t.ok(compared(usage, {...usage, megabytes: 190}).isWorse)
  t.ok(compared(usage, {...usage, megabytesInUse: 25}).isWorse)
  t.ok(compared(usage, {...usage, descriptors: 60}).isWorse)
  t.ok(compared(usage, {...usage, processes: 3}).isWorse)
})

t.test('projects with broken files bring a verdict for people', async t => {
  const {right, wrong} = await readCases({seed: SEED, from: 0, count: 400})
  t.ok(right > 100 && wrong > 100, `${right} right, ${wrong} wrong`)
})

t.test('a seed brings the same cases again', async t => {
  t.strictSame(numbers(1, 2), numbers(1, 2))
  t.notSame(numbers(1, 2), numbers(1, 3))
})
