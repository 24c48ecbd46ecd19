import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {beginFile, countingRun, copyJobs} from '../rig/many-jobs.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {residentMegabytes} from '../rig/usage.ts'

const DAY_MS = 86_400_000
/** What a run may take more for jobs that wait, in MB. */
const MAX_MEGABYTES = 40

/** How many jobs the run has. */
const left = async (rig: Rig): Promise<number> => {
  const {stdout} = await rig.run(['jobs', 'list', '-o', 'json'])
  return (JSON.parse(stdout) as readonly object[]).length
}

t.test('10,000 jobs at the same second: each comes once; what a kill leaves comes with the next run', async t => {
  const rig = await openRig(t)
  const appPort = await freePort()
  await beginFile(rig, appPort)
  const due = Math.ceil(Date.now() / 1000) * 1000 + 8000
  await copyJobs(rig, 10_000, {first: due, second: due, stepMs: 0})
  const run = await countingRun(rig, appPort)
  const {first} = await run.ticked(1000)
  t.ok(first >= due, 'none is early')
  process.kill(run.program.pid, 'SIGKILL')
  await run.program.exited
  const next = await countingRun(rig, appPort)
  for (let before = -1; ; await pause(200)) {
    const {count} = await next.ticks()
    if (count === before && (await left(rig)) === 1) break
    before = count
  }
  const {count, names} = await next.ticks()
  t.equal(count, names, 'none comes twice in one run')
  t.ok(count < 9100 && count > 0, `what the first run had brought and settled does not come again: ${count}`)
  await next.end()
})

t.test('100,000 jobs that wait take little memory, and one that is due comes at once', async t => {
  const rig = await openRig(t)
  const appPort = await freePort()
  await beginFile(rig, appPort)
  const plain = await countingRun(rig, appPort)
  const before = await residentMegabytes(plain.program.pid)
  await plain.end()
  await copyJobs(rig, 100_000, {first: Date.now() + 500, second: Date.now() + DAY_MS, stepMs: 1})
  const run = await countingRun(rig, appPort)
  t.match(await run.ticked(1), {count: 1, names: 1})
  const more = (await residentMegabytes(run.program.pid)) - before
  t.ok(more < MAX_MEGABYTES, `${more} MB`)
  t.comment(`${more.toFixed(1)} MB more with 100,000 jobs`)
  await run.end()
})
