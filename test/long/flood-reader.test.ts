import {constants, openSync} from 'node:fs'
import {Socket} from 'node:net'
import t from 'tap'
import {Output} from '../rig/output.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import type {Program} from '../rig/program.ts'
import {countedIn, ended, FLOOD, watchMemory} from './flooding.ts'

const LINES = 100_000
const DROPPED = /^… (\d+) lines dropped from the console, they are in the log files$/

t.test('a console whose reader stops for more than 5 s loses only what a file has, and says how much', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'stock', autoPort: true},
    {appID: 'shop'},
    {appID: 'flood', command: flood, logs: {size: 0}, dependsOn: ['stock']},
    {appID: 'only-console', command: flood, dependsOn: ['stock'], appLogDestination: 'console'}
  ])
  const {run, reader, shown} = await runBefore(rig)
  const memory = watchMemory(run.pid)
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  await shown.line('Writing log files', {nth: 2})
  reader.pause()
  await stock.answer({body: 'here'})
  const begin = performance.now()
  await stock.listen()
  const calls = callFor(5500, async () => shop.fetch('/v1.0/invoke/stock/method/x'))
  const file = await ended(rig, 'flood')
  const stuckFor = performance.now() - begin
  t.ok(stuckFor > 4500, `the app went on after ${stuckFor.toFixed()} ms`)
  const {flooded: kept} = await countedIn(file)
  const whole = {count: LINES, outOfOrder: ''}
  t.same(Object.fromEntries(kept), {'flood 1': whole, 'flood 2': whole}, 'the file has everything')
  const {statuses, slowest} = await calls
  t.same(
    statuses.filter(status => status !== 200),
    [],
    'no call failed meanwhile'
  )
  t.comment(`the slowest of ${statuses.length} calls took ${slowest.toFixed()} ms`)

  reader.resume()
  await shown.line(DROPPED)
  await Promise.all([stock.exit(0), shop.exit(0)])
  t.match(await run.exited, {code: 0})
  const lines = (start: string): readonly string[] =>
    shown.lines.filter(each => each.startsWith(`== APP - ${start} == `))
  // it may get stuck more than once, and a status line of its own may be among what was dropped
  const dropped = shown.lines.reduce((sum, line) => sum + Number(DROPPED.exec(line)?.[1] ?? 0), 0)
  const told = lines('flood').length + dropped
  t.ok(told === 2 * LINES || told === 2 * LINES + 1, `${lines('flood').length} shown, ${dropped} dropped`)
  t.equal(lines('only-console').length, 2 * LINES, 'what no file has is all there')
  t.comment(`${statuses.length} calls, the slowest ${slowest.toFixed()} ms; ${Math.max(...memory()).toFixed()} MB`)
})

const flood = [process.execPath, FLOOD, LINES.toString(), '100', '1', '2']

/** Starts a run whose stdout is a pipe that we read. */
async function runBefore(rig: Rig): Promise<{readonly run: Program; readonly reader: Socket; readonly shown: Output}> {
  await rig.start(['mkfifo', 'out']).exited
  const fd = openSync(`${rig.folder}/out`, constants.O_RDONLY | constants.O_NONBLOCK)
  const reader = new Socket({fd, readable: true, writable: false})
  const shown = new Output(reader)
  const run = rig.start(['sh', '-c', 'exec "$@" > out', 'sh', ...rig.program, 'run', '-f', '.'])
  return {run, reader, shown}
}

async function callFor(
  ms: number,
  call: () => Promise<{readonly status: number}>
): Promise<{readonly statuses: readonly number[]; readonly slowest: number}> {
  const statuses: number[] = []
  let slowest = 0
  for (const end = performance.now() + ms; performance.now() < end;) {
    const begin = performance.now()
    statuses.push((await call()).status)
    slowest = Math.max(slowest, performance.now() - begin)
  }
  return {statuses, slowest}
}
