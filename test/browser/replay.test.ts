import type * as Api from '../../src/model/api.generated.ts'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {copyExample} from '../rig/example.ts'
import {openRig} from '../rig/rig.ts'
import {open, toView, violations, withBrowser} from './browser.ts'
import {call, callDetail, madeUp, type MadeUp} from './made-up.ts'

const answer = (status: number): Api.Replay['before'] => ({
  status,
  type: 'application/json',
  bytes: 10,
  ms: 4,
  failure: ''
})

const replayed = (number: number, more: Partial<Api.Replay> = {}): Api.Replay => ({
  call: 7,
  from: 'checkout',
  to: 'payments',
  method: 'GET',
  path: '/orders/7',
  replay: number,
  before: answer(200),
  after: answer(200),
  differences: [],
  differ: 0,
  leftOut: [],
  refusal: '',
  hint: '',
  ...more
})

const DIFFERENT = replayed(11, {
  before: answer(500),
  differences: [
    {what: 'status', path: '', before: '500', after: '200'},
    {what: 'body', path: 'order.note', before: '"<b>"', after: '"<img src=x onerror=alert(1)>"'}
  ],
  differ: 2,
  leftOut: ['at']
})

const pin = (number: number, more: Partial<Api.Pin> = {}): Api.Pin => ({
  call: number,
  from: 'checkout',
  to: 'payments',
  method: 'GET',
  path: '/orders/7',
  before: answer(200),
  noise: ['at'],
  results: [],
  ...more
})

const PINS: Api.Pins = {
  pins: [
    pin(7, {
      results: [
        {round: 1, replay: replayed(10)},
        {round: 2, replay: DIFFERENT}
      ]
    }),
    pin(8, {
      method: 'POST',
      path: '/charge',
      results: [
        {
          round: 2,
          replay: replayed(0, {
            call: 8,
            after: null,
            refusal: 'call 8 is not sent again: POST may change data',
            hint: 'Add --unsafe to send it.'
          })
        }
      ]
    })
  ],
  rounds: [
    {number: 1, at: '2026-01-31T14:41:00.000Z', kind: 'pinned', app: '', files: []},
    {number: 2, at: '2026-01-31T14:43:00.000Z', kind: 'saved', app: 'payments', files: ['charge.js']}
  ]
}

const detail = (number: number, body: string): Api.CallDetail => callDetail(call(number), body)

async function runWithPins(test: Parameters<typeof madeUp>[0]): Promise<MadeUp & {pins: Api.Pins}> {
  const run = Object.assign(await madeUp(test), {pins: PINS})
  run.answers['GET /pins'] = () => ({...run.pins})
  run.answers['GET /calls/10'] = {...detail(10, '{"order":{"note":"<b>"}}')}
  run.answers['GET /calls/11'] = {...detail(11, '{"order":{"note":"<img src=x onerror=alert(1)>"}}')}
  return run
}

t.test('pinned calls', async t =>
  withBrowser(t, async browser => {
    await t.test('by saves; two answers side by side; news come by themselves', async t => {
      const run = await runWithPins(t)
      const {page, troubles} = await open(browser, run.url)
      await toView(page, 'Replay')
      const table = page.getByRole('region', {name: 'Pinned calls'})
      await table.getByRole('columnheader', {name: 'payments: charge.js'}).waitFor()
      await table.getByRole('row', {name: /GET \/orders\/7 checkout → payments 200 200 = 500 → 200/}).waitFor()
      await table.getByRole('row', {name: /POST \/charge .*– POST may change data/}).waitFor()
      await table.getByRole('link', {name: '500 → 200'}).click()
      t.match(page.url(), /#\/replay\?call=7&round=2/)
      const side = page.getByRole('region', {name: 'Answers side by side'})
      await side.getByRole('row', {name: 'order.note "<b>" "<img src=x onerror=alert(1)>"'}).waitFor()
      await side.getByRole('group', {name: 'Before'}).getByText('"<b>"').waitFor()
      await side.getByRole('group', {name: 'After'}).getByText('"<img src=x onerror=alert(1)>"').waitFor()
      t.equal(await side.locator('img').count(), 0)
      run.pins = {...PINS, pins: PINS.pins.slice(0, 1)}
      run.send('replay', DIFFERENT, 1001)
      await table.getByText('POST /charge').waitFor({state: 'detached'})
      t.same(troubles, [])
    })

    await t.test('all are sent; those that may change something after a question; unpin; a window', async t => {
      const run = await runWithPins(t)
      const bodies: unknown[] = []
      run.answers['POST /replays'] = body => {
        bodies.push(JSON.parse(body))
        return `${JSON.stringify(DIFFERENT)}\n${JSON.stringify(replayed(0, {call: 8, after: null, refusal: 'call 8 is not sent again: POST may change data'}))}\n`
      }
      run.answers['DELETE /pins/8'] = {...PINS, pins: PINS.pins.slice(0, 1)}
      const {page} = await open(browser, run.url)
      await toView(page, 'Replay')
      await page.getByRole('button', {name: 'Send all now'}).click()
      await page
        .getByRole('dialog', {name: /^Send POST, too/})
        .getByRole('button', {name: 'Send all', exact: true})
        .click()
      const sent = page.getByRole('region', {name: 'Sent now'})
      await sent.getByRole('row', {name: /11 GET \/orders\/7 .* 500 → 200/}).waitFor()
      await sent.getByRole('row', {name: /8 GET .* – POST may change data/}).waitFor()
      await page.getByRole('button', {name: 'Send call 7'}).click()
      await page.getByRole('button', {name: 'Send call 8'}).click()
      await page
        .getByRole('dialog', {name: /^Send POST \/charge again/})
        .getByRole('button', {name: 'Cancel'})
        .click()
      const form = page.getByRole('form', {name: 'A window of calls'})
      await form.getByRole('combobox').selectOption('60')
      await form.getByRole('searchbox', {name: 'Which calls'}).fill('from:checkout')
      await form.getByRole('checkbox', {name: 'at their pace'}).uncheck()
      await form.getByRole('button', {name: 'Send again'}).click()
      await form.getByRole('button', {name: 'Send again'}).waitFor()
      await page.getByRole('button', {name: 'Unpin call 8'}).click()
      await page.getByText('POST /charge').waitFor({state: 'detached'})
      t.match(bodies, [
        {pinned: true, unsafe: true},
        {calls: [7]},
        {window: {from: /^\d{4}-.*Z$/, q: 'from:checkout'}, pace: 'answered', unsafe: false}
      ])
      await page.goto('about:blank')
      await page.goto(run.readOnlyUrl)
      await toView(page, 'Replay')
      await page.getByRole('region', {name: 'Pinned calls'}).waitFor()
      t.equal(await page.getByRole('button', {name: /Send|Unpin/}).count(), 0, 'not for who looks only')
    })

    await t.test('what was sent in one run is not shown of the next', async t => {
      const key = Buffer.alloc(32, 1)
      const run = await madeUp(t, {key})
      run.answers['GET /pins'] = {...PINS}
      run.answers['POST /replays'] = `${JSON.stringify(DIFFERENT)}\n`
      const {page} = await open(browser, run.url)
      await toView(page, 'Replay')
      await page.getByRole('button', {name: 'Send call 7'}).click()
      const sent = page.getByRole('region', {name: 'Sent now'})
      await sent.waitFor()
      run.cut()
      run.close()
      const next = await madeUp(t, {run: 'b'.repeat(32), port: Number(new URL(run.url).port), key})
      next.restart()
      next.answers['GET /pins'] = {...PINS}
      await sent.waitFor({state: 'detached'})
      await page.getByRole('region', {name: 'Pinned calls'}).waitFor()
      t.pass('its pins are shown')
    })

    await t.test('what is wrong is said', async t => {
      const run = await madeUp(t)
      run.answers['GET /pins'] = {pins: [], rounds: []}
      const {page} = await open(browser, run.url)
      await toView(page, 'Replay')
      await page.getByText('No call is pinned.').waitFor()
      await page.getByRole('button', {name: 'Send again'}).click()
      await page.getByRole('alert', {name: 'Failure'}).getByText('there is no /replays').waitFor()
    })

    for (const theme of ['light', 'dark'] as const)
      await t.test(`breaks no rule of accessibility, ${theme}`, async t => {
        const run = await runWithPins(t)
        const {page} = await open(browser, run.url, theme)
        await toView(page, 'Replay')
        await page.getByRole('link', {name: '500 → 200'}).click()
        await page.getByRole('group', {name: 'After'}).getByText('"<img').waitFor()
        t.same(await violations(page), [])
      })

    await t.test('the story: a request kills an app, the page names it, a save, the pin is answered', async t => {
      const rig = await openRig(t)
      const {folder} = await copyExample(rig, 'replay')
      const run = rig.pillion(['run', '-f', folder])
      await run.ports('shop')
      const {stdout} = await rig.run(['dashboard', '--no-open', '-f', folder])
      const url = /http:\S+/.exec(stdout)?.[0] ?? ''
      const {page, troubles} = await open(browser, url)
      await page.getByRole('grid', {name: 'Apps'}).waitFor()
      await rig.run(['invoke', '--app-id', 'shop', '--verb', 'GET', '--method', 'pear/usd'])
      await page.getByRole('region', {name: 'Trouble'}).getByText('GET /pear/usd').waitFor()
      await page.getByRole('link', {name: 'Calls'}).click()
      await page.getByRole('searchbox', {name: 'Filter calls'}).fill('from:shop to:prices')
      await page.getByRole('row', {name: /shop → prices GET \/pear\/usd/}).click()
      await page.getByRole('button', {name: 'Pin'}).click()
      await page.getByRole('button', {name: 'Pinned'}).waitFor()
      await toView(page, 'Replay')
      const table = page.getByRole('region', {name: 'Pinned calls'})
      await table.getByRole('row', {name: /GET \/pear\/usd shop → prices 500/}).waitFor()
      const file = 'replay/prices/prices.mjs'
      const code = readFileSync(join(rig.folder, file), 'utf8')
      await rig.write({[file]: code.replace("replace('/pear/', '')", "replace('/pear/', '').toUpperCase()")})
      await table.getByRole('link', {name: '500 → 200'}).click()
      const side = page.getByRole('region', {name: 'Answers side by side'})
      await side.getByRole('group', {name: 'After'}).getByText('"$"').waitFor()
      t.same(troubles, [])
    })
  })
)
