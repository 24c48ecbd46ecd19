import t from 'tap'
import {misfit} from '../rig/api-schema.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {openRig} from '../rig/rig.ts'

const HOUSE = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  request.resume()
  response.end(request.url === '/dapr/config' ? JSON.stringify({entities: ['Cart']}) : '{}')
}).listen(process.env.APP_PORT)
`

t.test('every answer of the API about jobs, reminders and actors is as its description says', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': HOUSE})
  await rig.template([{appID: 'shop', appDirPath: '.', autoPort: true, command: ['node', 'app.mjs']}])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  t.equal((await rig.run(['wait', '--for', 'ready'])).code, 0)
  const sidecar = async (method: string, path: string, body?: object): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${http}/v1.0${path}`, {
      method,
      ...(body !== undefined && {body: JSON.stringify(body), headers: {'content-type': 'application/json'}})
    })
    t.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.text()}`)
  }
  await sidecar('POST', '/jobs/report', {schedule: '@every 1h', data: {n: 1}})
  await sidecar('PUT', '/actors/Cart/17/method/add', {})
  await sidecar('POST', '/actors/Cart/17/reminders/expire', {dueTime: '1h', data: 'now'})

  const socket = controlSocket(rig)
  const answered = async (method: 'GET' | 'POST', path: string, schema: string, body?: object): Promise<unknown> => {
    const {
      status,
      json,
      body: text
    } = await ask(socket, `/api/v1${path}`, {method, ...(body !== undefined && {body: JSON.stringify(body)})})
    t.strictSame([status, misfit(schema, json)], [200, ''], `${method} ${path}: ${text}`)
    return json
  }
  const job = {app: 'shop', name: 'report'}
  t.match(await answered('GET', '/jobs', 'Jobs'), {jobs: [job]})
  t.match(await answered('GET', '/job?app=shop&name=report', 'JobDetail'), job)
  for (const change of ['run', 'pause', 'resume']) await answered('POST', `/job/${change}`, 'JobChange', job)

  const actor = 'type=Cart&id=17'
  t.match(await answered('GET', '/actors', 'ActorTypes'), {types: [{type: 'Cart', active: 1, reminders: 1}]})
  await answered('GET', '/actors/of?type=Cart', 'ActorList')
  await answered('GET', `/actor?${actor}`, 'ActorDetail')
  await answered('GET', '/reminders', 'Reminders')
  await answered('GET', `/reminder?${actor}&name=expire`, 'ReminderDetail')
  const reminder = {type: 'Cart', id: '17', name: 'expire'}
  await answered('POST', '/reminder/run', 'ReminderChange', reminder)

  await answered('GET', '/scheduled', 'AllScheduled')
  const kept = (await answered('GET', '/scheduled/jobs', 'KeptJobs')) as object
  await answered('POST', '/scheduled/delete', 'ScheduledDeleted', {names: ['app/shop/report']})
  t.match(await answered('GET', '/jobs', 'Jobs'), {jobs: []})
  await answered('POST', '/scheduled/jobs', 'JobsTaken', kept)
  await answered('POST', '/job/delete', 'JobChange', job)
  await answered('POST', '/reminder/delete', 'ReminderChange', reminder)
  t.match(await run.end('SIGINT'), {code: 0})
})
