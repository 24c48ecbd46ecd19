import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import type {Browser, CDPSession, Page} from 'playwright-core'
import {launch} from '../../test/browser/browser.ts'
import {call, madeUp, type MadeUp} from '../../test/browser/made-up.ts'
import {inRounds, type Figure} from '../figure.ts'

/** How often the API sends samples, and what is in one at most. */
const SAMPLE_MS = 250
const ROWS = 200
const LINES = 400
const WARM_MS = 2000

/** Seen in every page before its own scripts: when its first row, or the only line of a blank page, stood there. */
const NOTE_ROW = `new MutationObserver(() => {
  if (document.querySelector('[role=grid] a, body > p')) globalThis.row ??= performance.now()
}).observe(document, {childList: true, subtree: true})`

/** The dashboard in a browser: how soon it is there beyond a blank page, and what the browser's main thread has to do while much happens. */
export const page: Figure = {
  name: 'page',
  needs: [],
  measure: async ({rounds, seconds}) => {
    const teardowns: (() => void)[] = []
    const run = await madeUp({teardown: close => teardowns.push(close)})
    const blank = createServer((_, response) =>
      response.writeHead(200, {'content-type': 'text/html'}).end('<!doctype html><title>-</title><p>blank</p>')
    )
    await new Promise<void>(resolve => blank.listen(0, '127.0.0.1', resolve))
    const browser = await launch()
    try {
      const blankUrl = `http://127.0.0.1:${(blank.address() as AddressInfo).port}/`
      await shown(browser, run.url) // warm
      const firsts = await inRounds(rounds * 3, async () => ({
        ours: await shown(browser, run.url),
        blank: await shown(browser, blankUrl)
      }))
      const calls = await inRounds(rounds, async () => busy(browser, run, {view: 'apps', seconds, tick: sendCalls}))
      const lines = await inRounds(rounds, async () => busy(browser, run, {view: 'logs', seconds, tick: sendLines}))
      const none = {peer: [], peerName: ''}
      const rows = (['paint', 'row'] as const).map(what => ({
        name: `page: first ${what}` as const,
        unit: 'ms' as const,
        ours: firsts.map(({ours}) => ours[what]),
        peer: firsts.map(each => each.blank[what]),
        peerName: 'blank page'
      }))
      return [
        ...rows,
        {name: 'page: 50,000 calls/s', unit: '%', ours: calls.map(({share}) => share), ...none},
        {name: 'page: 1,600 lines/s', unit: '%', ours: lines.map(({share}) => share), ...none},
        {name: 'page: longest task', unit: 'ms', ours: [...calls, ...lines].map(({longestMs}) => longestMs), ...none}
      ]
    } finally {
      await browser.close()
      blank.close()
      for (const close of teardowns) close()
    }
  }
}

/** ms from the start of a navigation to its first paint and its first row. */
async function shown(browser: Browser, url: string): Promise<{readonly paint: number; readonly row: number}> {
  const context = await browser.newContext()
  const opened = await context.newPage()
  await opened.addInitScript(NOTE_ROW)
  await opened.goto(url)
  let [paint, row] = [0, 0]
  while (paint === 0 || row === 0)
    [paint, row] = await opened.evaluate<[number, number]>(
      `[performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0, globalThis.row ?? 0]`
    )
  await context.close()
  return {paint, row}
}

interface Busy {
  readonly view: string
  readonly seconds: number
  readonly tick: (run: MadeUp) => void
}

/** The share of time that the main thread worked, in percent, and its longest task. */
async function busy(
  browser: Browser,
  run: MadeUp,
  {view, seconds, tick}: Busy
): Promise<{readonly share: number; readonly longestMs: number}> {
  const opened = await browser.newPage()
  await opened.goto(run.url)
  await opened.getByRole('link', {name: 'payments'}).waitFor()
  await opened.goto(run.url.replace(/#.*/, `#/${view}`))
  await run.followed(view === 'logs' ? 'lines' : 'calls')
  const timer = setInterval(() => tick(run), SAMPLE_MS)
  await pause(WARM_MS)
  await opened.evaluate(
    `globalThis.longest = 0; new PerformanceObserver(list => {
      for (const {duration} of list.getEntries()) longest = Math.max(longest, duration)
    }).observe({type: 'longtask'})`
  )
  const session = await opened.context().newCDPSession(opened)
  await session.send('Performance.enable')
  const [from, before] = [performance.now(), await workedMs(session)]
  await pause(seconds * 1000)
  const share = (100 * ((await workedMs(session)) - before)) / (performance.now() - from)
  clearInterval(timer)
  const longestMs = await longestOf(opened)
  await opened.close()
  return {share, longestMs}
}

const longestOf = async (opened: Page): Promise<number> => opened.evaluate<number>('longest')

async function workedMs(session: CDPSession): Promise<number> {
  const {metrics} = await session.send('Performance.getMetrics')
  return (metrics.find(({name}) => name === 'TaskDuration')?.value ?? 0) * 1000
}

let sent = 0

/** Of 50,000 calls a second, 200 rows in a quarter of a second are sent. */
function sendCalls(run: MadeUp): void {
  const calls = Array.from({length: ROWS}, (_, n) => {
    const number = ++sent * 60
    return call(number, {
      at: new Date().toISOString(),
      path: `/orders/${number}?full=1`,
      isFailed: n % 9 === 0
    })
  })
  run.send('calls', {calls, notShown: 12_500 - ROWS})
}

function sendLines(run: MadeUp): void {
  const time = new Date().toISOString()
  const lines = Array.from({length: LINES}, (_, n) => ({
    time,
    app: ['payments', 'checkout', 'order-processor'][n % 3],
    stream: n % 20 === 0 ? 'stderr' : 'stdout',
    line: `\x1b[32minfo\x1b[0m request done id=${++sent} \x1b[41m MISS \x1b[0m {"orderId":712,"customer":"anna","items":[{"sku":"chair-7"}]}`
  }))
  run.send('lines', {lines, notShown: 12_000})
}
