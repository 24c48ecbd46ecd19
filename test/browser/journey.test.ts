import {execFileSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import {open, withBrowser} from './browser.ts'

const APP = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  let body = ''
  request.on('data', piece => (body += piece)).on('end', () => {
    if (request.url === '/charge') console.log('last digits', JSON.parse(body).card.slice(-4))
    response.end('{}')
  })
}).listen(process.env.APP_PORT)
`

async function startRun(rig: Rig): Promise<{readonly run: ReturnType<Rig['pillion']>; readonly http: number}> {
  await rig.write({'app.mjs': APP})
  await rig.template(
    ['checkout', 'payments'].map(appID => ({appID, appDirPath: '.', autoPort: true, command: ['node', 'app.mjs']}))
  )
  const run = rig.pillion(['run', '-f', '.'])
  return {run, http: (await run.ports('checkout')).http}
}

const urlOf = async (rig: Rig): Promise<string> =>
  /http:\S+/.exec((await rig.run(['dashboard', '--no-open'])).stdout)?.[0] ?? ''

const charge = async (http: number, card: string | null): Promise<number> =>
  (
    await fetch(`http://127.0.0.1:${http}/v1.0/invoke/payments/method/charge`, {
      method: 'POST',
      body: JSON.stringify({card})
    })
  ).status

t.test('a real run on the page', {timeout: 120_000}, async t =>
  withBrowser(t, async browser => {
    await t.test('a request kills an app: the page names it, and starts the app again', async t => {
      const rig = await openRig(t)
      const {run, http} = await startRun(rig)
      const {page, troubles} = await open(browser, await urlOf(rig))
      await page.getByRole('grid', {name: 'Apps'}).getByRole('link', {name: 'payments'}).waitFor()
      t.equal(await charge(http, '4242 4242'), 200)
      await page.getByRole('grid', {name: 'Latest calls'}).getByText('POST /charge').waitFor()
      t.equal(await charge(http, null), 500)
      const trouble = page.getByRole('region', {name: 'Trouble'})
      await trouble.getByText('POST /charge').waitFor()
      await trouble.getByText('TypeError: Cannot read properties of null').waitFor()
      await trouble.getByRole('link', {name: 'payments'}).click()
      const killed = page.getByRole('region', {name: 'Last crash'})
      await killed.getByText('in flight for').waitFor()
      await killed.getByText('TypeError: Cannot read properties of null').first().waitFor()
      await page.getByRole('main').getByRole('button', {name: 'Start'}).click()
      await page.getByRole('main').getByRole('button', {name: 'Stop'}).waitFor()
      t.equal(await charge(http, '1111 1111'), 200)
      await page.getByRole('link', {name: 'Logs', exact: true}).last().click()
      await page.getByRole('log').getByText('last digits 1111').waitFor()
      run.signal('SIGINT')
      await page.getByRole('region', {name: 'Connection'}).getByText('The run has ended').waitFor()
      t.ok(await page.getByRole('log').getByText('last digits 1111').isVisible(), 'what was known stays')
      t.same(
        troubles.filter(text => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED/.test(text)),
        []
      )
      await run.exited
    })

    await t.test('opened by the file, the page has its token, and goes on with the next run', async t => {
      const rig = await openRig(t)
      const {run} = await startRun(rig)
      await rig.write({'browser.sh': '#!/bin/sh\ncp "$1" "$(dirname "$0")/opened.html"\n'})
      execFileSync('chmod', ['+x', join(rig.folder, 'browser.sh')])
      await rig.run(['dashboard'], {env: {BROWSER: join(rig.folder, 'browser.sh')}})
      const {page} = await open(browser, `file://${join(rig.folder, 'opened.html')}`)
      await page.getByRole('link', {name: 'payments'}).waitFor()
      t.match(page.url(), /^http:\/\/127\.0\.0\.1:\d+\/$/)
      await run.end('SIGINT')
      await page.getByRole('region', {name: 'Connection'}).getByText('The run has ended').waitFor()
      const next = await startRun(rig)
      await urlOf(rig)
      await page.getByRole('region', {name: 'Connection'}).getByText('The run has ended').waitFor({state: 'detached'})
      await page.getByRole('link', {name: 'payments'}).click()
      await page.getByText('node app.mjs').waitFor()
      next.run.signal('SIGINT')
      await next.run.exited
      t.same(await rig.leftovers(), [])
    })
  })
)
