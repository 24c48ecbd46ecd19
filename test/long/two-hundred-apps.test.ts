import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {ask, controlSocket} from '../rig/control-socket.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {residentMegabytes, usageOf, type Usage} from '../rig/usage.ts'
import {isLong} from './flooding.ts'

const COUNT = 200
const IDS = Array.from({length: COUNT}, (_, index) => `app-${index}`)
/** It costs little, says who it is, and stays. */
const APP = ['sh', '-c', 'echo "I am $WHO"; exec sleep 600']
const RESTARTS = isLong ? 200 : 40
/** What V8 keeps of a start of so many apps is 40 MB. */
const LEAST_GIVEN_BACK_MB = 10

interface Listed {
  readonly appId: string
  readonly httpPort: number
  readonly grpcPort: number
  readonly appPid: number
  readonly state: string
}

const listed = async (rig: Rig): Promise<readonly Listed[]> =>
  JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly Listed[]

/** A run of all apps whose lines are there. */
async function started(rig: Rig): Promise<Program> {
  await rig.template(IDS.map(appID => ({appID, command: APP, env: {WHO: appID}})))
  const run = rig.pillion(['run', '-f', '.'])
  for (const id of IDS) await run.waitForLine(`== APP - ${id} == I am ${id}`)
  return run
}

t.test('two hundred apps start, are shown, are restarted one by one, and leave nothing behind', async t => {
  const rig = await openRig(t)
  const run = await started(rig)
  const apps = await listed(rig)
  t.same(
    apps.map(({appId}) => appId),
    IDS
  )
  t.ok(apps.every(({state}) => state === 'running'))
  const ports = apps.flatMap(({httpPort, grpcPort}) => [httpPort, grpcPort])
  t.equal(new Set(ports).size, 2 * COUNT, 'no port is given twice')
  t.equal(new Set(apps.map(({appPid}) => appPid)).size, COUNT)

  const {stdout: table} = await rig.run(['ps'])
  t.same(table.match(/^app-\d+(?= +ready)/gm), IDS)
  const {stdout: lines} = await rig.run(['logs'])
  t.same((lines.match(/I am app-\d+$/gm) ?? []).toSorted(), IDS.map(id => `I am ${id}`).toSorted())
  t.match(await rig.run(['logs', '--app-id', 'app-150']), {code: 0, stdout: /I am app-150\n/})

  t.match(await rig.run(['restart', '--app-id', 'app-7']), {code: 0})
  const after = await listed(rig)
  const changed = after.filter(({appPid}, index) => appPid !== apps[index]?.appPid)
  t.same(
    changed.map(({appId}) => appId),
    ['app-7'],
    'one app has another process'
  )

  t.match(await rig.run(['stop', '-f', '.']), {code: 0})
  t.match(await run.exited, {code: 0})
  t.equal(run.stderr.text, '')
  t.same(await rig.leftovers(), [])
})

t.test('an idle run gives back what the start of two hundred apps has left', async t => {
  const rig = await openRig(t)
  const run = await started(rig)
  const most = await residentMegabytes(run.pid)
  let least = most
  while (least > most - LEAST_GIVEN_BACK_MB) {
    await pause(200)
    least = await residentMegabytes(run.pid)
  }
  t.pass(`${most.toFixed(0)} → ${least.toFixed(0)} MB`)
})

t.test('restarts of one of many apps leave no descriptors and no processes', async t => {
  const rig = await openRig(t)
  const few = IDS.slice(0, 20)
  await rig.template(few.map(appID => ({appID, command: APP, env: {WHO: appID}})))
  const run = rig.pillion(['run', '-f', '.'])
  for (const id of few) await run.waitForLine(`I am ${id}`)
  const socket = controlSocket(rig)
  const restart = async (count: number): Promise<void> => {
    for (let number = 0; number < count; number++)
      t.match(await ask(socket, '/api/v1/apps/app-3/restart', {method: 'POST'}), {status: 200})
  }
  // a process that is just being made has no environment yet, by which it is known as an app's
  const usage = async (): Promise<Usage> => {
    for (;;) {
      const now = await usageOf(run.pid)
      if (now.apps >= few.length) return now
    }
  }
  await restart(RESTARTS / 2)
  const before = await usage()
  await restart(RESTARTS / 2)
  const after = await usage()
  // one or two may be closing; one for each restart would be many
  const more = after.descriptors - before.descriptors
  t.ok(more < RESTARTS / 8, `${more} descriptors more`)
  t.equal(after.processes, before.processes)
  t.equal(after.apps, few.length)
  // a page or two for each restart would be seen
  if (isLong)
    t.ok(after.megabytes - before.megabytes < 10, `${(after.megabytes - before.megabytes).toFixed(1)} MB more`)
})
