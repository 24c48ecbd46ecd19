import {Agent} from 'node:http'
import t from 'tap'
import {called} from '../rig/bad-input.ts'
import {openRig} from '../rig/rig.ts'

const COUNT = Number(process.env['REMINDERS'] ?? 10_000)
const SETTERS = 32
/** They are due so long after they are set: most of them at once. */
const SET_MS = 8000

t.setTimeout(300_000)

const HOST = `
const http = process.getBuiltinModule('node:http')
let fired = 0
http.createServer((request, response) => {
  if (request.url.includes('/remind/')) fired++
  request.resume()
  request.on('end', () => response.end(request.url === '/dapr/config' ? '{"entities":["Clock"]}' : String(fired)))
}).listen(process.env.APP_PORT)
`

t.test('10,000 reminders of the same moment on one app do not hold up calls beside them', async t => {
  const rig = await openRig(t)
  await rig.write({'host/app.mjs': HOST})
  await rig.template([
    {appID: 'host', autoPort: true, command: [process.execPath, 'app.mjs']},
    {appID: 'shop', command: ['sleep', '10000']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [{http: own}, {http}] = [await run.ports('host'), await run.ports('shop')]
  const agent = new Agent({keepAlive: true, maxSockets: SETTERS})
  t.teardown(() => agent.destroy())
  let next = 0
  const body = JSON.stringify({dueTime: new Date(Date.now() + SET_MS).toISOString()})
  const setAll = async (): Promise<void> => {
    while (next < COUNT) {
      const answer = await fetch(`http://127.0.0.1:${own}/v1.0/actors/Clock/${next++}/reminders/r`, {
        method: 'POST',
        body
      })
      if (answer.status !== 204) throw new Error(`${answer.status} ${await answer.text()}`)
    }
  }
  await Promise.all(Array.from({length: SETTERS}, setAll))
  const delays: number[] = []
  for (let fired = 0; fired < COUNT;) {
    const from = performance.now()
    const {status, body: count} = await called(http, 'host', '/plain', {agent})
    if (status !== 200) t.fail(`${status}`)
    delays.push(performance.now() - from)
    fired = Number(count)
  }
  const longest = Math.max(...delays)
  t.ok(longest < 1000, `the longest of ${delays.length} calls took ${longest.toFixed()} ms`)
  t.match(await run.end(), {code: 0})
})
