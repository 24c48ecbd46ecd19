import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {withBrowser} from './browser.ts'

const APP = `
const {createServer} = process.getBuiltinModule('node:http')
createServer(({url}, response) => {
  if (url === '/die') process.exit(3)
  response.setHeader('content-type', 'text/html')
  response.end('<h1>Hello</h1>')
}).listen(process.env.PORT, '127.0.0.1')
`

await withBrowser(t, async browser => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({'app.mjs': APP})
  await rig.template([{appID: 'web', appDirPath: '.', port, command: ['node', 'app.mjs']}])
  const run = rig.pillion(['up', '--watch'])
  await rig.run(['wait', '--for', 'ready'])

  await t.test('a browser at the port of an app that is down sees why, and the app once it is there', async t => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`http://localhost:${port}/page`)
    t.equal(await page.textContent('h1'), 'Hello')
    await fetch(`http://127.0.0.1:${port}/die`).catch(() => undefined)
    await run.waitForLine('exited with code 3', {stream: 'stderr'})
    await page.reload()
    t.equal(await page.textContent('h1'), '"web" cannot be reached')
    t.match(await page.textContent('p'), 'code 3')
    t.match(await rig.run(['restart', 'web']), {code: 0})
    await page.waitForSelector('h1:text("Hello")')
    t.equal(page.url(), `http://localhost:${port}/page`)
  })
})
