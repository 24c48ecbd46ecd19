/**
 * Workflows while runs are killed and their worker is reloaded at random moments. A few minutes of it, with more of all:
 * `WORKFLOWS=2000 KILLS=20 RELOADS=40 npx node test/sdks/workflow-kills.test.ts`; `SEED` repeats the moments.
 */
import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {Random} from '../fuzz/random.ts'
import {WorkFile} from '../../src/work/work-file.ts'
import {readEvent, splitEvents} from '../../src/work/workflow/messages.ts'
import {WorkflowStore} from '../../src/work/workflow/workflow-store.ts'
import {freePort} from '../rig/free-port.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {daprForJavascript, installed} from './installed.ts'

const number = (name: string, usual: number): number => Number(process.env[name] ?? usual)
const WORKFLOWS = number('WORKFLOWS', 300)
const KILLS = number('KILLS', 4)
const RELOADS = number('RELOADS', 8)
const SEED = number('SEED', Date.now() % 100_000)
/** So many starts are under way at once. */
const STARTERS = 8
/** So many activities begin between two blows at most: half of the work is done between them. */
const BEGINNINGS = (3 * WORKFLOWS) / (KILLS + RELOADS)
const MOMENT_MS = 1000

t.setTimeout(900_000)

/** One time that an activity ran, as its process told it. */
interface Execution {
  readonly run: string
  readonly worker: string
  hasEnded: boolean
}

/** How each activity ran, by `<id> <step>`. */
function executions(ran: string): ReadonlyMap<string, readonly Execution[]> {
  const all = new Map<string, Execution[]>()
  for (const line of readFileSync(ran, 'utf8').trim().split('\n')) {
    const [what, id = '', step = '', run = '', worker = ''] = line.split(' ')
    const key = `${id} ${step}`
    const own = all.get(key) ?? []
    if (what === 'begin') own.push({run, worker, hasEnded: false})
    else for (const each of own) if (each.worker === worker) each.hasEnded = true
    all.set(key, own)
  }
  return all
}

/** Starts one until a run has taken it: where the answer was lost with its run, it may be there already, and even be over. */
async function startOrder(url: string, index: number): Promise<void> {
  const id = `order-${index}`
  const start = async (): Promise<Response> =>
    fetch(`${url}/order/start?instanceID=${id}`, {method: 'POST', body: String(index + 1)})
  for (let hasFailed = false; ; hasFailed = true)
    try {
      const {status} = hasFailed ? await fetch(`${url}/${id}`) : {status: 404}
      if (status === 200 || (await start()).status === 202) return
      throw new Error(`${id} was refused`)
    } catch (error) {
      // what fetch says of a connection that ends, or is refused
      if (!(error instanceof TypeError)) throw error
      await pause(20)
    }
}

/** Starts a share of all, a few at a time. */
async function startOrders(url: string, from: number, to: number): Promise<void> {
  let next = from
  await Promise.all(
    Array.from({length: STARTERS}, async () => {
      while (next < to) await startOrder(url, next++)
    })
  )
}

/** What Dapr's API says of an instance. */
interface Answer {
  readonly runtimeStatus?: string
  readonly properties?: Readonly<Record<string, string>>
}

/** Returns what the API says; the run that follows a killed one refuses connections until it listens. */
async function answerOf(url: string): Promise<Answer> {
  try {
    return (await (await fetch(url)).json()) as Answer
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return {runtimeStatus: 'PENDING'}
  }
}

/** Settles when it is over; tells how. */
async function ended(url: string, id: string): Promise<readonly [status: unknown, output: unknown]> {
  for (;;) {
    const answer = await answerOf(`${url}/${id}`)
    const {runtimeStatus, properties} = answer
    if (runtimeStatus !== 'PENDING' && runtimeStatus !== 'RUNNING')
      return [runtimeStatus, properties?.['dapr.workflow.output']]
    await pause(20)
  }
}

/** How often activities have begun or ended so far. */
const count = (ran: string, what: 'begin' | 'end'): number =>
  readFileSync(ran, 'utf8').split(`${what} order`).length - 1

/** A random moment: most are while activities run, unless the first `begun` workflows are over. */
async function moment(random: Random, ran: string, begun: number): Promise<void> {
  if (random.oneIn(4)) return pause(random.below(MOMENT_MS))
  const wanted = Math.min(count(ran, 'begin') + 1 + random.below(BEGINNINGS), 3 * begun)
  while (count(ran, 'begin') < wanted) await pause(5)
}

/** Of each instance in the file how often its history has each kind of event. */
async function histories(t: Test, rig: Rig): Promise<ReadonlySet<string>> {
  const folder = join(rig.home, '.local/state/pillion')
  const names = readdirSync(folder).filter(name => name.endsWith('.db'))
  const file = await WorkFile.open(join(folder, names[0] ?? ''), text => t.fail(text))
  const store = new WorkflowStore(file.database)
  const told = store.list('shop', 0, WORKFLOWS + 1).map(({key}) => {
    const events = store.history(key).flatMap(splitEvents).map(readEvent)
    const count = (kind: 'executionStarted' | 'taskScheduled' | 'taskCompleted' | 'executionCompleted'): number =>
      events.filter(event => event[kind] !== undefined).length
    return `${count('executionStarted')} ${count('taskScheduled')} ${count('taskCompleted')} ${count('executionCompleted')}`
  })
  t.equal(told.length, WORKFLOWS)
  t.strictSame(store.waiting(), [], 'nothing is left to do')
  file.close()
  return new Set(told)
}

t.test(`${WORKFLOWS} workflows, ${KILLS} kills, ${RELOADS} reloads (SEED=${SEED})`, async t => {
  const sdk = await installed(t, daprForJavascript('3.18.0'))
  if (sdk === undefined) return
  const random = new Random(SEED)
  const rig = await openRig(t)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/v1.0/workflows/dapr`
  const command = [process.execPath, join(import.meta.dirname, '../fixtures/sdks/orders.mjs')]
  const ran = join(rig.folder, 'ran.txt')
  const env = {SDK_FOLDER: sdk, RAN: ran}
  await rig.write({'ran.txt': '', 'shop/saved.txt': ''})
  await rig.template([{appID: 'shop', command, env, daprHTTPPort: port, watch: ['saved.txt']}])

  const starts: Promise<void>[] = []
  const killed: string[] = []
  let run: Program = rig.pillion(['run', '-f', '.'])
  for (let life = 0; life <= KILLS; life++) {
    const upTo = (count: number, lives: number): number => Math.round(count * Math.min(1, lives / (KILLS + 1)))
    // in the first half, so that there is work to do until the end
    const begun = upTo(WORKFLOWS, 2 * life + 2)
    starts.push(startOrders(url, upTo(WORKFLOWS, 2 * life), begun))
    for (let save = upTo(RELOADS, life); save < upTo(RELOADS, life + 1); save++) {
      await moment(random, ran, begun)
      await rig.write({'shop/saved.txt': String(save)})
    }
    if (life === KILLS) break
    await moment(random, ran, begun)
    await run.end('SIGKILL')
    killed.push(String(run.pid))
    t.comment(`killed: ${count(ran, 'end')} activities were done, ${count(ran, 'begin') - count(ran, 'end')} ran`)
    run = rig.pillion(['run', '-f', '.'])
  }
  await Promise.all(starts)
  await run.waitForLine('Started Dapr with app id "shop"') // all starts may be older than the last kill
  const wrong: unknown[] = []
  for (let index = 0; index < WORKFLOWS; index++) {
    const [status, output] = await ended(url, `order-${index}`)
    if (status !== 'COMPLETED' || output !== String(index + 7)) wrong.push([index, status, output])
  }
  t.strictSame(wrong, [], 'each has ended with its result')
  await run.end('SIGINT')
  t.strictSame([...(await histories(t, rig))], ['1 3 3 1'], 'each began and ended once, with three results')

  const times = [...executions(ran)]
  t.equal(times.length, 3 * WORKFLOWS)
  const again = times.flatMap(([key, all]) => all.slice(0, -1).map(each => ({key, ...each})))
  const ofKilled = again.filter(each => killed.includes(each.run))
  const done = ofKilled.filter(each => each.hasEnded)
  t.comment(
    `${again.length} activities ran again: ${ofKilled.length} whose run was killed (${done.length} of them had done it, which was not kept yet), ` +
      `${again.length - ofKilled.length} whose worker was reloaded`
  )
  t.strictSame(
    again.filter(each => !killed.includes(each.run)),
    [],
    'none that a reload has ended'
  )
})
