/** Spring Boot at a port of ours. Maven fetches it from Maven Central; where that, or Java, is not to be had, the test is skipped. */
import t from 'tap'
import {installed, springForJava} from '../sdks/installed.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {java} from './java.ts'

t.setTimeout(400_000)

t.test('Spring Boot is called at its port; where it listens there itself, the line to write is said', async t => {
  const folder = await installed(t, springForJava)
  if (folder === undefined) return
  const rig = await openRig(t)
  const [port, taken] = [await freePort(), await freePort()]
  const start = java(folder, 'web.Web')
    .map(word => `'${word}'`)
    .join(' ')
  await rig.template([
    {appID: 'web', appDirPath: '.', port, command: ['sh', '-c', `SERVER_PORT=$PORT exec ${start}`]},
    {appID: 'stuck', appDirPath: '.', port: taken, env: {SERVER_PORT: taken.toString()}, command: ['sh', '-c', start]}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await rig.run(['wait', '--for', 'ready:web', '--timeout', '120s']), {code: 0})
  t.equal(await (await fetch(`http://localhost:${port}/`)).text(), 'hello from Spring')
  const old = await fetch(`http://localhost:${port}/old`, {redirect: 'manual'})
  t.match(new URL(old.headers.get('location') ?? '', old.url).href, `http://localhost:${port}/`)
  await run.waitForLine(/"stuck".*SERVER_PORT=\$PORT/, {stream: 'stderr', limitMs: 120_000})
})
