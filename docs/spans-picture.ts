// `npm run docs`: draws spans-light.png and spans-dark.png from a real run whose apps send spans.
import {join} from 'node:path'
import type {Browser} from 'playwright-core'
import {OTEL_APP} from '../test/rig/otel-shop.ts'
import {draw, withRun} from './run-picture.ts'

const SIZE = {width: 1180, height: 800}
const TEMPLATE = `version: 1
common: {autoPort: true}
apps:
  - {appID: shop, appDirPath: ., command: [node, app.cjs, shop, sdk, stock]}
  - {appID: stock, appDirPath: ., command: [node, app.cjs, stock, sdk]}
`

/** Draws the pictures into a folder. */
export const drawSpans = async (folder: string, browser: Browser): Promise<void> =>
  withRun('shop', {'dapr.yaml': TEMPLATE, 'app.cjs': OTEL_APP}, async ({url, pillion}) => {
    for (const order of [1, 2, 13]) {
      try {
        pillion('invoke', '--app-id', 'shop', '--verb', 'GET', '--method', `orders/${order}`)
      } catch {
        // order 13 fails
      }
    }
    const calls = JSON.parse(pillion('calls', 'to:shop', '-o', 'json')) as readonly {readonly number: number}[]
    await draw(browser, {
      file: join(folder, 'spans'),
      size: SIZE,
      url,
      hash: `#/calls/${calls.at(-1)?.number ?? 0}`,
      settled: async page => {
        await page.getByText('NoStock').first().waitFor()
        return page.getByRole('main')
      }
    })
  })
