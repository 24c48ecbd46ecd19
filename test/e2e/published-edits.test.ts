import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

const textAt = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text()

t.test('an edit may name another address for a port, or use its number for something else', async t => {
  const rig = await openRig(t)
  const [port, other] = [await freePort(), await freePort()]
  const save = async (word: string, ports: object, more: object = {}): Promise<void> => {
    await rig.template([
      {appID: 'b', ...more},
      {appID: 'a', ...ports}
    ])
    const a = await rig.driven('a')
    await a.listen()
    await a.answer({body: word})
  }
  const first = save('at the loopback', {port})
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await first
  t.equal(await textAt(port), 'at the loopback')
  await save('for all', {port: `0.0.0.0:${port}`})
  t.equal(await textAt(port), 'for all')
  await save('elsewhere', {port: other}, {daprHTTPPort: port})
  t.equal(await textAt(other), 'elsewhere')
  t.equal((await fetch(`http://127.0.0.1:${port}/v1.0/healthz/outbound`)).status, 204)
  t.match(await run.end(), {code: 0})
})

t.test('an app that is started does not take the port at which another one is called', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.template([
    {appID: 'real', port},
    {appID: 'fake', port, profiles: ['fake']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const real = await rig.driven('real')
  await real.listen()
  await real.answer({body: 'real'})
  await run.waitForLine('Writing log files')
  t.equal(await textAt(port), 'real')
  t.match(await rig.run(['start', 'fake']), {
    code: 1,
    stderr: new RegExp(`the apps "fake" and "real" are both called at port ${port}`)
  })
  t.equal(await textAt(port), 'real')
  t.match(await run.end(), {code: 0})
})
