// `npm run docs`: draws dashboard-light.png and dashboard-dark.png from the page of a real run in which an app has crashed.
import {execFileSync, spawn} from 'node:child_process'
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Browser, Page} from 'playwright-core'

const SIZE = {width: 1180, height: 520}
const PILLION = join(import.meta.dirname, '../bin/pillion.js')

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
export async function drawDashboard(folder: string, browser: Browser): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'pillion-docs-'))
  const env = {PATH: process.env['PATH'], HOME: home, PILLION_RUNTIME_DIR: join(home, 'run'), PILLION_NAMES: '0'}
  const cwd = join(home, 'shop')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'dapr.yaml'), TEMPLATE)
  writeFileSync(join(cwd, 'app.mjs'), APP)
  const pillion = (...args: readonly string[]): string =>
    execFileSync(process.execPath, [PILLION, ...args], {cwd, env, encoding: 'utf8'})
  const run = spawn(process.execPath, [PILLION, 'run', '-f', '.'], {cwd, env, stdio: ['ignore', 'pipe', 'ignore']})
  const exited = new Promise(resolve => run.once('exit', resolve))
  try {
    await new Promise<void>((resolve, reject) => {
      void exited.then(() => reject(new Error('the run has ended')))
      run.stdout.setEncoding('utf8').on('data', (text: string) => text.includes('Writing log files') && resolve())
    })
    pillion('wait', '--for', 'ready')
    const apps = JSON.parse(pillion('ps', '-o', 'json')) as readonly {id: string; appPort: number}[]
    const {appPort = 0} = apps.find(({id}) => id === 'checkout') ?? {}
    const [url = ''] = /http:\S+/.exec(pillion('dashboard', '--no-open')) ?? []
    for (let order = 1; order <= 42; order++) await fetch(`http://127.0.0.1:${appPort}/orders/${order}`)
    for (const theme of ['light', 'dark'] as const) {
      const page = await browser.newPage({viewport: SIZE, colorScheme: theme})
      await page.goto(url)
      await page.locator('.card .error').waitFor()
      await page.locator('.grid.apps .memory').last().waitFor()
      let found: readonly number[] = []
      for (let tries = 0; tries < 30; tries++) {
        found = await failuresOn(page)
        if (new Set(found).size === 1 && found[0] !== 0) break
        await pause(500)
      }
      if (new Set(found).size > 1) throw new Error(`header, rows and card name ${found.join(', ')} failed calls`)
      await page.screenshot({path: join(folder, `dashboard-${theme}.png`)})
      await page.close()
    }
  } finally {
    run.kill()
    await exited
    rmSync(home, {recursive: true})
  }
}
