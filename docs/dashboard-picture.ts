// `npm run docs`: draws dashboard-light.png and dashboard-dark.png from the page of a real run in which an app has crashed.
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Browser, Page} from 'playwright-core'
import {draw, withRun} from './run-picture.ts'

const SIZE = {width: 1180, height: 520}

const APP = `
import http from 'node:http'
const {APP_ID, APP_PORT, DAPR_HTTP_PORT} = process.env
const invoke = (app, path, init) => fetch(\`http://127.0.0.1:\${DAPR_HTTP_PORT}/v1.0/invoke/\${app}/method\${path}\`, init)
http.createServer(async (request, response) => {
  const order = request.url.split('/').at(-1)
  if (APP_ID === 'checkout') {
    const {status} = await invoke('order-processor', \`/orders/\${order}\`)
    const charged = await invoke('payments', '/charge/' + order, {method: 'POST', body: JSON.stringify({order})})
    response.statusCode = charged.ok ? status : 502
    console.log(\`order \${order} passed on\`)
  }
  if (APP_ID === 'order-processor') console.log(\`order \${order} is packed\`)
  const card = order === '40' ? null : '4111 1111'
  if (APP_ID === 'payments') setImmediate(() => console.log('charged a card that ends in ' + card.slice(-4)) ?? response.end())
  else response.end()
}).listen(APP_PORT)
`

const TEMPLATE = `version: 1
common: {autoPort: true}
apps:
  - {appID: checkout, appDirPath: ., command: [node, app.mjs]}
  - {appID: order-processor, appDirPath: ., command: [node, app.mjs]}
  - {appID: payments, appDirPath: ., command: [node, app.mjs], watch: true}
`

/** The number of failed calls that the header, the rows and the card name. */
const failuresOn = async (page: Page): Promise<readonly number[]> =>
  page.evaluate<number[]>(`(() => {
    const numbers = selector => [...document.querySelectorAll(selector)].map(each => Number.parseInt(each.textContent.trim().replaceAll(',', '')))
    const sum = all => all.reduce((a, b) => a + b, 0)
    return [numbers('.figures .bad'), numbers('.grid.apps .rows .failed b'), numbers('.card p.soft')].map(sum)
  })()`)

/** Draws the pictures into a folder; throws an error if a picture contradicts itself. */
export const drawDashboard = async (folder: string, browser: Browser): Promise<void> =>
  withRun('shop', {'dapr.yaml': TEMPLATE, 'app.mjs': APP}, async ({url, portOf}) => {
    for (let order = 1; order <= 42; order++) await fetch(`http://127.0.0.1:${portOf('checkout')}/orders/${order}`)
    await draw(browser, {file: join(folder, 'dashboard'), size: SIZE, url, settled})
  })

async function settled(page: Page): Promise<Page> {
  await page.locator('.card .error').waitFor()
  await page.locator('.grid.apps .memory').last().waitFor()
  let found: readonly number[] = []
  for (let tries = 0; tries < 30; tries++) {
    found = await failuresOn(page)
    if (new Set(found).size === 1 && found[0] !== 0) return page
    await pause(500)
  }
  throw new Error(`header, rows and card name ${found.join(', ')} failed calls`)
}
