import {request} from 'node:http'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** Asks `api` at its port, and its own sidecar as curl does; answers with the numbers that it got. */
const WEB = `
const http = process.getBuiltinModule('node:http')
const seen = async (url, headers) => (await fetch(url, {headers})).headers.get('pillion-call')
http.createServer(async (request, response) => {
  if (request.url === '/die') process.exit(3)
  const numbers = [await seen(process.env.API_URL)]
  const {DAPR_HTTP_PORT: port} = process.env
  if (port) numbers.push(await seen('http://127.0.0.1:' + port + '/v1.0/invoke/api/method/x', {'user-agent': 'curl/8.5.0'}))
  response.end(JSON.stringify(numbers))
}).listen(process.env.PORT, '127.0.0.1')
`
const API = `
process.getBuiltinModule('node:http').createServer((_, response) => response.end('well')).listen(process.env.PORT, '127.0.0.1')
`

interface Answer {
  readonly number: string | undefined
  readonly text: string
}

const ask = async (url: string, {method = 'GET', agent = 'node'} = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(url, {method, agent: false, headers: {'user-agent': agent}}, response => {
      let text = ''
      response.setEncoding('utf8').on('data', piece => (text += piece))
      response.on('end', () => resolve({number: response.headers['pillion-call'] as string | undefined, text}))
    })
    sent.on('error', reject).end()
  })

const app = (appID: string, port: number, more = {}): object => ({
  appID,
  appDirPath: '.',
  port,
  command: ['node', `${appID}.mjs`],
  ...more
})

const callOf = async (rig: Rig, number = ''): Promise<object> =>
  JSON.parse((await rig.run(['calls', number, '-o', 'json'])).stdout) as object

t.test('a response names its call to a caller of this machine, and to no app; a key turns it off', async t => {
  const rig = await openRig(t)
  const [web, api] = [await freePort(), await freePort()]
  await rig.write({'web.mjs': WEB, 'api.mjs': API})
  const template = (more = {}): string =>
    JSON.stringify({
      version: 1,
      apps: [app('web', web, {env: {API_URL: `http://127.0.0.1:${api}/x`}}), app('api', api, more)]
    })
  await rig.write({'dapr.yaml': template()})
  const run = rig.pillion(['up'])
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  const first = await ask(`http://127.0.0.1:${web}/orders?x=1`)
  t.same(JSON.parse(first.text), [null, null], 'an app gets what the other one has sent')
  t.match(await callOf(rig, first.number), {from: 'outside', to: 'web', path: '/orders?x=1', status: 200})
  const {stdout: ps} = await rig.run(['ps', '-o', 'json'])
  const {httpPort = 0} = (JSON.parse(ps) as {readonly httpPort?: number}[])[0] ?? {}
  const sidecar = `http://127.0.0.1:${httpPort}/v1.0/invoke/api/method/x`
  t.match(await ask(sidecar), {number: undefined, text: 'well'}, 'as apps send')
  for (const [method, agent] of [
    ['GET', 'curl/8.5.0'],
    ['POST', 'HTTPie/3.2.4']
  ] as const) {
    const {number} = await ask(sidecar, {method, agent})
    t.match(await callOf(rig, number), {from: 'web', to: 'api', method, path: '/x'}, agent)
  }
  await run.end()
  await rig.write({'dapr.yaml': template({record: {callHeader: false}})})
  rig.pillion(['up'])
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  t.match(await ask(`http://127.0.0.1:${api}/`), {number: undefined, text: 'well'})
})

t.test('a refused call has a number, too', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({'web.mjs': WEB})
  await rig.write({
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'web', appDirPath: '.', port, command: ['node', 'web.mjs']},
        {appID: 'other', appDirPath: '.', command: ['sleep', '600']}
      ]
    })
  })
  rig.pillion(['up'])
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  await ask(`http://127.0.0.1:${port}/die`)
  t.match(await rig.run(['wait', '--for', 'exit:web', '--timeout', '9s']), {code: 0})
  for (let time = 0; time < 2; time++) {
    const {number, text} = await ask(`http://127.0.0.1:${port}/orders`)
    t.match(text, 'exited with code 3')
    t.match(await callOf(rig, number), {to: 'web', path: '/orders', status: 503})
  }
})
