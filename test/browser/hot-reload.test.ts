import {cp} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {withNames} from '../rig/by-name.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {installed, vite} from '../sdks/installed.ts'
import {withBrowser} from './browser.ts'

const MAIN = `
import {text} from './text.js'
const show = words => (document.querySelector('p').textContent = words)
show(text)
import.meta.hot.accept('./text.js', next => show(next.text))
`

await withBrowser(t, async browser => {
  const packages = await installed(t, vite)
  if (packages === undefined) return
  const rig = await openRig(t)
  const [port, entrance] = [await freePort(), await freePort()]
  await cp(packages, join(rig.folder, 'web'), {recursive: true, verbatimSymlinks: true})
  await rig.write({
    'web/index.html': '<p></p><script type="module" src="/main.js"></script>',
    'web/main.js': MAIN,
    'web/text.js': "export const text = 'first'\n"
  })
  const command = ['npx', 'vite', '--port', port.toString(), '--strictPort']
  await rig.template([{appID: 'web', appDirPath: 'web', port, command}])
  rig.pillion(['up', '--watch'], {env: {...withNames(entrance), PATH: process.env['PATH'] ?? ''}})
  await rig.run(['wait', '--for', 'ready:web'])

  const byName = (await rig.run(['name', 'web'])).stdout.trim()
  for (const url of [`http://localhost:${port}`, byName])
    await t.test(`a saved module shows at ${url === byName ? 'its name' : 'its port'}, live`, async t => {
      const page = await (await browser.newContext()).newPage()
      const connected = async (): Promise<unknown> =>
        page.waitForEvent('console', message => message.text().includes('[vite] connected'))
      const opened = Promise.all([page.waitForEvent('websocket'), connected()])
      const loaded: string[] = []
      page.on('load', () => void loaded.push('load'))
      await page.goto(url)
      const [socket] = await opened
      t.match(socket.url(), `${url.replace('http', 'ws')}/`)
      await page.waitForSelector('p:text("first")')
      t.match(await rig.run(['calls', 'is:open', '-o', 'ndjson']), {stdout: /"to":"web"[^\n]*"path":"\/\?token=/})
      await rig.write({'web/text.js': "export const text = 'second'\n"})
      await page.waitForSelector('p:text("second")')
      t.equal(loaded.length, 1)

      const again = connected()
      t.match(await rig.run(['restart', 'web']), {code: 0})
      await again
      await rig.write({'web/text.js': "export const text = 'first'\n"})
      await page.waitForSelector('p:text("first")')
      await page.close()
    })
})
