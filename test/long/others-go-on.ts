import {Agent} from 'node:http'
import t from 'tap'
import type {Attack} from '../rig/attacks.ts'
import {called, meanwhile, oddApp} from '../rig/bad-input.ts'
import {openRig} from '../rig/rig.ts'
import {usageOf} from '../rig/usage.ts'
import {watchMemory} from './flooding.ts'

/** Connections of a moment ago that are kept for the next calls. */
const MAX_MORE_DESCRIPTORS = 64

/** A test: while somebody misbehaves, so many calls of others are answered, the memory is bounded, and afterwards nothing is kept. */
export function othersGoOn({name, apps, begin, megabytes}: Attack, calls: number): void {
  t.test(`${name}: calls of others go on, memory is bounded, and nothing is kept`, async t => {
    const rig = await openRig(t)
    await rig.template([...['odd', 'good', 'shop', 'other'].map(oddApp), ...apps])
    const run = rig.pillion(['run', '-f', '.'])
    const [{http: port}, {http: other}] = [await run.ports('shop'), await run.ports('other')]
    const agent = new Agent({keepAlive: true})
    t.teardown(() => agent.destroy())
    const good = async (): Promise<void> => {
      const {status, body} = await called(other, 'good', '/echo', {agent})
      if (status !== 200) t.fail(`${status} ${body}`)
    }
    for (let n = 0; n < calls; n++) await good()
    const before = await usageOf(run.pid)
    const memory = watchMemory(run.pid)

    const under = await begin(port, rig, run)
    await meanwhile(under, async () => {
      for (let n = 0; n < calls || under.isEnough?.() === false; n++) await good()
    })
    const sizes = memory()
    await under.end()

    const more = Math.max(...sizes) - (sizes[0] ?? Number.NaN)
    t.ok(more < megabytes, `${more.toFixed()} MB more`)
    let {descriptors} = await usageOf(run.pid)
    while (descriptors > before.descriptors + MAX_MORE_DESCRIPTORS) ({descriptors} = await usageOf(run.pid))
    await good()
    run.signal('SIGTERM')
    t.match(await run.exited, {code: 0})
  })
}
