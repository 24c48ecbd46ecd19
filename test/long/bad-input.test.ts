import {Agent} from 'node:http'
import t from 'tap'
import {called, meanwhile, MISBEHAVIOURS, oddApp} from '../rig/bad-input.ts'
import {openRig} from '../rig/rig.ts'
import {usageOf} from '../rig/usage.ts'
import {watchMemory} from './flooding.ts'

/** Connections of a moment ago that are kept for the next calls. */
const MAX_MORE_DESCRIPTORS = 64

/** Of others, before and meanwhile. */
const CALLS = 100

for (const {name, begin, megabytes} of MISBEHAVIOURS)
  t.test(`${name}: calls of others go on, memory is bounded, and nothing is kept`, async t => {
    const rig = await openRig(t)
    await rig.template(['odd', 'good', 'shop', 'other'].map(oddApp))
    const run = rig.pillion(['run', '-f', '.'])
    const [{http: port}, {http: other}] = [await run.ports('shop'), await run.ports('other')]
    // a kept connection is closed after three seconds without a call, which a busy machine may take
    const agent = new Agent()
    t.teardown(() => agent.destroy())
    const good = async (): Promise<void> => {
      const {status, body} = await called(other, 'good', '/echo', {agent})
      if (status !== 200) t.fail(`${status} ${body}`)
    }
    for (let n = 0; n < CALLS; n++) await good()
    const before = await usageOf(run.pid)
    const memory = watchMemory(run.pid)

    const under = await begin(port)
    await meanwhile(under, async () => {
      for (let n = 0; n < CALLS; n++) await good()
    })
    const sizes = memory()
    await under.end()

    const more = Math.max(...sizes) - (sizes[0] ?? Number.NaN)
    t.ok(more < megabytes, `${more.toFixed()} MB more`)
    let {descriptors} = await usageOf(run.pid)
    while (descriptors > before.descriptors + MAX_MORE_DESCRIPTORS) ({descriptors} = await usageOf(run.pid))
    await good()
    t.match(await run.end(), {code: 0})
  })
