import {once} from 'node:events'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {inShell, ofCalls} from './shown.ts'

const SHOP = `
import http from 'node:http'
http.createServer((request, response) => {
  if (request.url.startsWith('/charge')) process.exit(3)
  if (request.url.startsWith('/refuse')) response.statusCode = 503
  response.end('{"n":1}')
}).listen(process.env.APP_PORT)
`

const app = (appID: string) => ({appID, appDirPath: '.', autoPort: true, command: ['node', 'app.mjs']})

t.test('each command about calls that README and docs/ show does what it says', {timeout: 150_000}, async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': SHOP})
  await rig.template([app('shop'), app('stock'), {...app('payments'), restart: 'on-failure'}])
  const run = rig.pillion(['up'])
  const {http} = await run.ports('shop')
  const call = async (id: string, path: string): Promise<void> => {
    // the trace of the pages
    const headers = {traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'}
    await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/${id}/method${path}`, {headers})).text()
  }
  const collector = createServer((request, response) => request.resume().on('end', () => response.end('{}')))
  await once(collector.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => collector.close())
  await call('stock', '/items/7')
  await call('payments', '/charge')
  await call('payments', '/refuse')
  t.ok(ofCalls.length > 20, ofCalls.length.toString())
  for (const command of ofCalls) {
    const typed = command
      .replace(/(?<=^pillion (?:calls|trace|replay)(?: --pin| --unpin)? )(?:\d+|NUMBER)\b/, '1')
      .replace('why 3', 'why 1')
      .replace('120..180', '1..1')
      .replace('4318', (collector.address() as AddressInfo).port.toString())
    const program = inShell(rig, typed)
    program.stdin.end()
    if (/ -f\b/.test(typed)) {
      await call('payments', '/refuse')
      await program.waitForLine(/./)
      await program.end('SIGINT')
    } else t.match(await program.exited, {code: 0}, `${typed}: ${program.stdout.text}${program.stderr.text}`)
  }
})
