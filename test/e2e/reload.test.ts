import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {Numbered, type Traffic} from './numbered.ts'

/** RELOADS=20 takes the full measure, with more calls a second; without it a few are enough to see that it works. */
const FULL = process.env['RELOADS'] !== undefined
const SAVES = Number(process.env['RELOADS'] ?? 2)

const COUNTED = join(import.meta.dirname, '../fixtures/apps/counted.mjs')
const METHOD = '/v1.0/invoke/order/method/items'
const RELOADED = /^ℹ️ {2}order: reloaded in \d+ ms \(version\.txt\), \d+ requests? held( \(longest \d+ ms\))?, 0 lost$/

interface Shop {
  readonly rig: Rig
  readonly run: Program
  /** The sidecar of the caller. */
  readonly port: number
  /** What the app has noted of the calls that it got: `<number> <method>`. */
  readonly delivered: () => readonly string[]
}

/** An app that boots in 300 ms and is watched, and a sidecar from which it is called. */
async function openShop(
  t: Test,
  wishes: Readonly<Record<string, unknown>> = {},
  files: Readonly<Record<string, string>> = {}
): Promise<Shop> {
  const rig = await openRig(t)
  const counts = join(rig.home, 'counts')
  await rig.write({'order/version.txt': '0', ...files})
  await rig.template([
    {
      appID: 'order',
      autoPort: true,
      watch: true,
      command: [process.execPath, COUNTED],
      env: {COUNT_FILE: counts},
      ...wishes
    },
    {appID: 'shop', command: []}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http: port} = await run.ports('shop')
  const delivered = (): readonly string[] => readFileSync(counts, 'utf8').match(/^\d+ \w+$/gm) ?? []
  await run.waitForLine('Writing log files', {nth: 2})
  await fetch(`http://127.0.0.1:${port.toString()}${METHOD}?n=first`)
  return {rig, run, port, delivered}
}

/** Saves under calls, one save after the other, and looks whether each call was answered, and delivered once. */
async function saveUnder(t: Test, shop: Shop, traffic: Partial<Traffic>): Promise<void> {
  const {rig, run, port} = shop
  const whole: Traffic = {
    port,
    path: METHOD,
    method: 'GET',
    keepsAlive: true,
    perSecond: 100,
    bytes: 0,
    ...traffic
  }
  const numbered = new Numbered(whole)
  const lines: string[] = []
  for (let save = 1; save <= SAVES; save++) {
    await rig.write({'order/version.txt': save.toString()})
    lines.push(await run.waitForLine('order: reloaded', {nth: save}))
    await numbered.calm()
  }
  const {sent, failed} = await numbered.end()
  for (const line of lines) t.match(line, RELOADED)
  t.same(failed, [], 'each call was answered')
  const notes = shop.delivered()
  t.equal(notes.length, sent, 'each call was delivered')
  t.equal(new Set(notes).size, sent, 'none was delivered twice')
  t.ok(notes.every(note => note.endsWith(whole.method)))
  t.ok(sent > 50, `${sent.toString()} calls`)
}

const CASES: readonly (Partial<Traffic> & {readonly name: string})[] = [
  {name: 'GET, kept alive', method: 'GET', keepsAlive: true, perSecond: FULL ? 2000 : 200},
  {name: 'GET, a connection each', method: 'GET', keepsAlive: false, perSecond: FULL ? 1000 : 100},
  {name: 'POST up to 64 KiB, kept alive', method: 'POST', keepsAlive: true, perSecond: 200, bytes: 65_536},
  {name: 'POST up to 64 KiB, a connection each', method: 'POST', keepsAlive: false, perSecond: 100, bytes: 65_536},
  {name: 'POST up to 1 MiB', method: 'POST', keepsAlive: true, perSecond: FULL ? 20 : 60, bytes: 1 << 20}
]

for (const {name, ...traffic} of CASES)
  t.test(`no call is lost and none delivered twice while the callee is saved: ${name}`, {timeout: 120_000}, async t => {
    await saveUnder(t, await openShop(t), traffic)
  })

t.test('nor where the callee runs behind npm start', {timeout: 120_000}, async t => {
  const start = `"${process.execPath}" "${COUNTED}"`
  const shop = await openShop(
    t,
    {command: ['npm', 'start', '--silent'], watch: ['version.txt']},
    {
      'order/package.json': JSON.stringify({name: 'order', scripts: {start}})
    }
  )
  await saveUnder(t, shop, {method: 'POST', bytes: 1000, perSecond: 50})
})

t.test('nor where the new process starts beside the old one', {timeout: 120_000}, async t => {
  const shop = await openShop(t, {reload: 'overlap'})
  await saveUnder(t, shop, {method: 'POST', bytes: 1000, perSecond: FULL ? 1000 : 200})
  t.notMatch(shop.run.stdout.text, /[1-9]\d* requests? held/, 'no call has waited')
})

t.test('after the line of a reload the new code answers, at the same sidecar', async t => {
  const {rig, run, port} = await openShop(t)
  const ask = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port.toString()}${METHOD}?n=1`)
    return answer.headers.get('version') ?? ''
  }
  t.equal(await ask(), '0')
  await rig.write({'order/version.txt': '1'})
  await run.waitForLine('order: reloaded')
  t.equal(await ask(), '1')
})

t.test('a call that is under way is answered by the process that got it', async t => {
  const {rig, run, port, delivered} = await openShop(t)
  const path = `http://127.0.0.1:${port.toString()}${METHOD}`
  const slow = fetch(`${path}?n=2&ms=1000`)
  while (!delivered().includes('2 GET')) await pause(5)
  await rig.write({'order/version.txt': '1'})
  const line = await run.waitForLine('order: reloaded')
  const answer = await slow
  t.same([answer.status, answer.headers.get('version')], [200, '0'])
  t.match(line, /, 0 lost$/)
})

t.test('a call that does not end within the grace is cut off, and named', async t => {
  const {rig, run, port, delivered} = await openShop(t, {stop: {timeout: '300ms'}})
  const path = `http://127.0.0.1:${port.toString()}/v1.0/invoke/order/method`
  const endless = fetch(`${path}/events?n=2&ms=60000`)
  while (!delivered().includes('2 GET')) await pause(5)
  await rig.write({'order/version.txt': '1'})
  await run.waitForLine(
    '"order": 1 call was still in flight 0.3 s after the change and was cancelled: GET /events?n=2&ms=60000 from shop',
    {stream: 'stderr'}
  )
  t.match(await run.waitForLine('order: reloaded'), /, 1 lost$/)
  const answer = await endless
  t.equal(answer.status, 500, 'it had not begun to answer')
  t.same((await fetch(`${path}/x?n=3`)).headers.get('version'), '1')
})
