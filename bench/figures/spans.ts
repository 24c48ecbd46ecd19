import {setTimeout as pause} from 'node:timers/promises'
import {sendTraces, spanBatch, tracesUrl} from '../../test/rig/otlp-batch.ts'
import {cpuOf, residentMegabytes} from '../../test/rig/usage.ts'
import {inRounds, type Figure} from '../figure.ts'
import {withRig} from '../tools.ts'

/** Spans a second, in batches of the size in which SDKs send at most. */
const SPANS = 2000
const BATCH = 500
const MANY = 100_000
/** Long enough for an idle run to give back what it has used meanwhile. */
const CALM_MS = 8000

/** What a run spends on the spans that its apps send: of a core with 2,000 a second, and memory after 100,000. */
export const spans: Figure = {
  name: 'spans',
  needs: [],
  measure: async ({rounds, seconds}) => {
    const taken = await inRounds(rounds, async () =>
      withRig(async rig => {
        await rig.template([{appID: 'shop', appDirPath: '.', command: ['sh', '-c', 'echo up; exec sleep 1000']}])
        const run = rig.pillion(['up'])
        const {pid} = run
        await run.waitForLine('up')
        const url = await tracesUrl(rig, 'shop')
        await sendTraces(url, spanBatch('shop', BATCH))
        await pause(CALM_MS)
        const before = await residentMegabytes(pid)
        const [from, began] = [await cpuOf(pid), performance.now()]
        const batches = (seconds * SPANS) / BATCH
        for (let sent = 0; sent < batches; sent++) {
          if ((await sendTraces(url, spanBatch('shop', BATCH))) !== 200) throw new Error('a batch was refused')
          await pause(Math.max(0, began + ((sent + 1) * BATCH * 1000) / SPANS - performance.now()))
        }
        const cpu = (100 * ((await cpuOf(pid)) - from)) / (seconds * 1000)
        for (let sent = 0; sent < MANY; sent += BATCH) await sendTraces(url, spanBatch('shop', BATCH))
        await pause(CALM_MS)
        return {cpu, memory: (await residentMegabytes(pid)) - before}
      })
    )
    const row = {peer: [], peerName: ''} as const
    return [
      {...row, name: 'spans: 2,000/s, CPU', unit: '%', ours: taken.map(({cpu}) => cpu)},
      {...row, name: 'spans: memory after 100,000', unit: 'MB', ours: taken.map(({memory}) => memory)}
    ]
  }
}
