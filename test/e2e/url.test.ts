import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

/** A browser that keeps what it was given. */
const BROWSER = `#!/bin/sh
cp -p "$1" "$(dirname "$0")/opened.html"
`
const NO_SCREEN = {BROWSER: '', DISPLAY: '', WAYLAND_DISPLAY: ''}

/** An app with a port, one that speaks gRPC, one without a port. */
async function startRun(rig: Rig): Promise<{readonly port: number}> {
  await rig.write({'browser.sh': BROWSER})
  await rig.start(['chmod', '+x', 'browser.sh']).exited
  await rig.template([
    {appID: 'web', appDirPath: '.', autoPort: true},
    {appID: 'rpc', appDirPath: '.', appProtocol: 'grpc', autoPort: true, command: ['sleep', '100']},
    {appID: 'job', appDirPath: '.', command: ['sleep', '100']}
  ])
  const run = rig.pillion(['run', '-f', '.', '--name', 'pr-214'])
  const web = await rig.driven('web')
  const port = await web.listen()
  await run.waitForLine('Writing log files', {nth: 3})
  await rig.run(['wait', '--for', 'ready:web'])
  return {port}
}

t.test('url prints where an app is, and open opens it', async t => {
  const rig = await openRig(t)
  const {port} = await startRun(rig)
  const url = `http://localhost:${port}`
  t.match(await rig.run(['url', 'web']), {code: 0, stdout: `${url}\n`, stderr: ''})
  t.match(await rig.run(['url', 'web.1', '--name', 'pr-214'], {folder: '/'}), {code: 0, stdout: `${url}\n`})
  t.match(JSON.parse((await rig.run(['url', '-a', 'web', '-o', 'json'])).stdout), {
    app: 'web',
    url,
    appPort: port,
    appProtocol: 'http',
    isReady: true,
    runName: 'pr-214'
  })
  t.match(await rig.run(['url', 'rpc']), {code: 0, stdout: /^localhost:\d+\n$/})
  t.match(await rig.run(['open', 'web'], {env: {BROWSER: join(rig.folder, 'browser.sh')}}), {
    code: 0,
    stdout: `${url}\n`,
    stderr: ''
  })
  t.match(readFileSync(join(rig.folder, 'opened.html'), 'utf8'), `url=${url}"`)
  t.match(await rig.run(['open', 'web'], {env: NO_SCREEN}), {
    code: 0,
    stdout: `${url}\n`,
    stderr: /The browser was not opened: there is no screen here\. Open the address yourself/
  })
})

t.test('what has no address says why', async t => {
  const rig = await openRig(t)
  t.match(await rig.run(['url', 'web']), {code: 1, stderr: /couldn't find app id web/})
  await startRun(rig)
  t.match(await rig.run(['url', 'job']), {code: 1, stdout: '', stderr: /job has no port[^]*Give it an appPort/})
  t.match(await rig.run(['open', 'rpc']), {code: 1, stderr: /rpc speaks grpc, which no browser does: .* localhost:\d+/})
  t.match(await rig.run(['url', 'wep']), {code: 1, stderr: /did you mean "web"/})
  t.match(await rig.run(['url']), {code: 255, stderr: /url needs the id of one app/})
  t.match(await rig.run(['url', 'web', 'rpc']), {code: 255, stderr: /url needs the id of one app/})
  t.match(await rig.run(['url', 'web', '--name', 'pr-2']), {code: 1, stderr: /no run is called "pr-2"/})
  t.match(await rig.run(['url', 'web', '-o', 'xml']), {code: 1, stderr: /unknown output format "xml"/})
  await rig.run(['stop', 'web'])
  t.match(await rig.run(['open', 'web']), {code: 1, stderr: /web is stopped: "pillion start web" brings it back/})
})
