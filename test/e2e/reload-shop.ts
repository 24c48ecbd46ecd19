import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {Numbered, type Traffic} from './numbered.ts'

/** RELOADS=20 takes the full measure, with more calls a second; without it a few are enough to see that it works. */
export const FULL = process.env['RELOADS'] !== undefined
const SAVES = Number(process.env['RELOADS'] ?? 2)

export const COUNTED = join(import.meta.dirname, '../fixtures/apps/counted.mjs')
export const METHOD = '/v1.0/invoke/order/method/items'
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
export async function openShop(
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
  const first = await fetch(`http://127.0.0.1:${port}${METHOD}?n=first`)
  if (!first.ok) throw new Error(`the first call: ${first.status} ${await first.text()}`)
  return {rig, run, port, delivered}
}

/** Saves under calls, one save after the other, and looks whether each call was answered, and delivered once. */
export async function saveUnder(t: Test, shop: Shop, traffic: Partial<Traffic>): Promise<void> {
  const {rig, run, port} = shop
  const whole: Traffic = {port, path: METHOD, method: 'GET', keepsAlive: true, perSecond: 100, bytes: 0, ...traffic}
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
  t.ok(sent > 50, `${sent} calls`)
}
