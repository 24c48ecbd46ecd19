// `node docs/dashboard-picture.ts`: draws dashboard-light.png and dashboard-dark.png from the built page, with a run that is made up.
import type * as Api from '../src/model/api.generated.ts'
import {join} from 'node:path'
import {launch} from '../test/browser/browser.ts'
import {trouble} from '../test/browser/made-up-crash.ts'
import {app, call, madeUp} from '../test/browser/made-up.ts'

const SIZE = {width: 1180, height: 520}
const START = Date.parse('2026-01-31T14:46:45.977Z')
const RECENTLY = new Date(Date.now() - 240_000).toISOString()
const NO_RECENT = {waited: 0, requestBytes: 0, responseBytes: 0, p50Ms: 3, p99Ms: 90}

const APPS: readonly Api.App[] = [
  app('checkout', {startedAt: RECENTLY}),
  app('order-processor', {restarts: 3, startedAt: RECENTLY}),
  app('payments', {
    state: 'exited',
    isReady: false,
    pid: 0,
    exitCode: 1,
    exit: 'exited with code 1',
    startedAt: null,
    restarts: 2
  })
]
const LINES = [
  {time: null, app: 'checkout', stream: 'stdout', line: 'order 712 passed on'},
  {time: null, app: 'order-processor', stream: 'stdout', line: 'cache warm, 1204 keys'},
  {time: null, app: 'payments', stream: 'stderr', line: "TypeError: Cannot read properties of null (reading 'slice')"}
]
const PATHS = ['GET /orders/7', 'POST /charge', 'GET /prices/EUR', 'POST /orders', 'GET /orders/712?full=1']

const teardowns: (() => void)[] = []
const run = await madeUp({teardown: close => teardowns.push(close)})
run.apps = APPS
run.answers['GET /logs'] = LINES.map(line => `${JSON.stringify(line)}\n`).join('')
run.answers['GET /calls'] = {
  last: 300,
  calls: Array.from({length: 40}, (_, n) => {
    const [method = '', path = ''] = (PATHS[n % PATHS.length] ?? '').split(' ')
    const isFailed = path === '/charge'
    return call(300 - n, {
      at: new Date(START - n * 23).toISOString(),
      to: isFailed ? 'payments' : 'order-processor',
      method,
      path,
      status: isFailed ? 500 : 200,
      isFailed,
      totalMs: 0.8 + ((n * 37) % 90) / 10,
      responseBytes: 36 + ((n * 733) % 9000)
    })
  })
}
run.troubles = [
  trouble({
    at: new Date(Date.now() - 12_000).toISOString(),
    text: '"payments" exited with code 1 after 41 s while handling POST /charge from checkout (18 ms), waits for a save',
    error: "TypeError: Cannot read properties of null (reading 'slice')",
    place: 'charge.mjs:41',
    failed: [
      {from: 'checkout', to: 'payments', calls: 3},
      {from: 'web', to: 'checkout', calls: 3}
    ],
    failedCalls: 6
  })
]
const browser = await launch()
for (const theme of ['light', 'dark'] as const) {
  const page = await browser.newPage({viewport: SIZE, colorScheme: theme})
  await page.goto(run.url)
  await page.getByText('POST /charge').first().waitFor()
  await page.getByText('TypeError').first().waitFor()
  run.send('edges', {
    edges: [
      {
        ...NO_RECENT,
        from: 'checkout',
        to: 'payments',
        calls: 900,
        failed: 280,
        p95Ms: 65,
        recent: {seconds: 60, calls: 756, failed: 234, p95Ms: 65}
      },
      {
        ...NO_RECENT,
        from: 'checkout',
        to: 'order-processor',
        calls: 4000,
        failed: 0,
        p95Ms: 28,
        recent: {seconds: 60, calls: 1764, failed: 0, p95Ms: 28}
      }
    ],
    waiting: {}
  })
  await page.getByText('234 of 756').waitFor()
  await page.screenshot({path: join(import.meta.dirname, `dashboard-${theme}.png`)})
}
await browser.close()
for (const close of teardowns) close()
