import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

const CALLEE = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  response.writeHead(request.url === '/fail' ? 503 : 200).end()
}).listen(process.env.APP_PORT)
`

t.test('graph shows who has called whom, and where that differs from dependsOn', async t => {
  const rig = await openRig(t)
  const callee = {appDirPath: '.', autoPort: true, command: ['node', 'callee.mjs']}
  await rig.write({
    'callee.mjs': CALLEE,
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {...callee, appID: 'checkout', dependsOn: ['stock', 'mail']},
        {...callee, appID: 'payments'},
        {...callee, appID: 'stock'},
        {...callee, appID: 'mail'}
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('checkout')
  const graph = async (...words: readonly string[]): Promise<string> => (await rig.run(['graph', ...words])).stdout
  t.equal(await graph(), 'No calls yet.\n')
  for (const path of ['payments/method/pay', 'payments/method/fail', 'stock/method/items', 'nobody/method/x'])
    await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/${path}`)).text()
  const before = await graph()
  t.notMatch(before, 'mail', 'what nobody calls does not have to be called')
  const {http: other} = await run.ports('payments')
  await (await fetch(`http://127.0.0.1:${other}/v1.0/invoke/mail/method/x`)).text()
  const table = await graph()
  t.match(table, /^FROM +TO +CALLS +FAILED +P50 +P95 +WAITED\ncheckout +payments +2 +1 +[\d.]+ ms +[\d.]+ ms\b/)
  t.match(table, /\ncheckout +stock +1 /)
  t.match(table, '\n\ncheckout calls payments: not in its dependsOn\n')
  t.match(table, '\ncheckout names mail under dependsOn, and has not called it\n')
  const json = JSON.parse(await graph('-o', 'json')) as Api.Graph
  t.match(json, {
    apps: ['checkout', 'payments', 'stock', 'mail'],
    edges: [
      {from: 'checkout', to: 'payments', calls: 2, failed: 1, isDeclared: false},
      {to: 'stock', calls: 1, isDeclared: true},
      {to: 'nobody', failed: 1},
      {from: 'payments', to: 'mail', calls: 1, isDeclared: false}
    ],
    uncalled: [{from: 'checkout', to: 'mail'}],
    awaited: []
  })
  t.equal(json.edges[2]?.isDeclared, undefined, 'what is no app of the run cannot be declared')
  t.match(
    await graph('-o', 'mermaid'),
    /^flowchart LR\n {2}n0\["checkout"\]\n[^]*\n {2}n0 -\.->\|"2 calls, 1 failed, p95 [\d.]+ ms"\| n1\n {2}n0 -->\|"1 call, /
  )
})
