import {readFileSync} from 'node:fs'
import {createServer, type IncomingMessage} from 'node:http'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {listen} from '../integration/dapr/sidecar/rig.ts'

interface Listed {
  readonly appId: string
  readonly daprdLogPath: string
}

t.test('each process of an app is asked for its configuration when it listens, with its token', async t => {
  const requests: IncomingMessage[] = []
  const port = await listen(
    t,
    createServer((request, response) => {
      if (request.url === '/dapr/config') requests.push(request)
      response.writeHead(404).end()
    })
  )
  const rig = await openRig(t)
  await rig.template([
    {appID: 'ide', command: [], appPort: port},
    {appID: 'shop', autoPort: true},
    {appID: 'worker', appPort: 0}
  ])
  const run = rig.pillion(['run', '-f', '.'], {env: {APP_API_TOKEN: 'secret'}})
  const shop = await rig.driven('shop')
  await shop.configure({body: '{"entities": ["Order", "Cart"], "actorIdleTimeout": "1h"}'})
  await shop.listen()
  await run.waitForLine('Writing log files', {nth: 3})
  const listed = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as Listed[]
  const log = (): string => readFileSync(listed.find(({appId}) => appId === 'shop')?.daprdLogPath ?? '', 'utf8')
  const logged = async (count: number): Promise<void> => {
    while (log().split('Application configuration loaded').length <= count) await pause(10)
  }
  await logged(1)
  while (!log().includes('Registered hosted actors: Order, Cart')) await pause(10)
  while (requests.length === 0) await pause(10)
  t.match(
    requests.map(({method, url, headers}) => ({method, url, headers})),
    [
      {
        method: 'GET',
        url: '/dapr/config',
        headers: {'dapr-app-id': 'ide', 'content-type': 'application/json', 'dapr-api-token': 'secret'}
      }
    ]
  )
  const restarted = rig.run(['restart', '--app-id', 'shop'])
  const again = await rig.driven('shop')
  await again.configure({body: '{}'})
  await again.listen()
  t.match(await restarted, {code: 0})
  await logged(2)
  t.equal(requests.length, 1, 'once for each process')
})
