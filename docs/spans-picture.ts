// `node docs/spans-picture.ts`: draws spans-light.png and spans-dark.png from the built page, with a run that is made up.
import {join} from 'node:path'
import {launch} from '../test/browser/browser.ts'
import {callDetail, FIRST_VIEW, madeUp} from '../test/browser/made-up.ts'
import {madeRequest} from '../test/browser/made-up-spans.ts'

const SIZE = {width: 1440, height: 800}

const teardowns: (() => void)[] = []
const run = await madeUp({teardown: close => teardowns.push(close)})
const {order, tree} = madeRequest(Date.now() - 60_000)
Object.assign(run.answers, FIRST_VIEW, {
  'GET /calls': {last: 42, calls: [order]},
  'GET /calls/41': {...callDetail(order)},
  'GET /pins': {pins: [], rounds: []},
  'GET /trace': {...tree}
})
const browser = await launch()
for (const theme of ['light', 'dark'] as const) {
  const page = await browser.newPage({viewport: SIZE, colorScheme: theme})
  await page.goto(run.url)
  await page.goto(`${page.url().replace(/#.*/, '')}#/calls/41`)
  await page.getByText('failed, LockTimeout').waitFor()
  await page.getByRole('main').screenshot({path: join(import.meta.dirname, `spans-${theme}.png`)})
}
await browser.close()
for (const close of teardowns) close()
