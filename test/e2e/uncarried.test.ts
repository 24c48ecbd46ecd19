import t from 'tap'
import {freePorts} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

/** A server at its own number, beside a debugger and a port that the system has chosen. */
const SERVER = `const {createServer} = require('node:http')
createServer((request, response) => response.end('here')).listen(Number(process.argv[2]), '127.0.0.1')
createServer(() => {}).listen(0, '127.0.0.1')`

t.test('an app without a port that listens is told once, and named by empty answers', async t => {
  const rig = await openRig(t)
  const [port = 0, debug = 0] = await freePorts(2)
  const apps = [
    {id: 'api', dir: '.', command: ['node', `--inspect=${debug}`, 'server.js', port.toString()]},
    {id: 'worker', dir: '.', command: ['sleep', '600']}
  ]
  await rig.write({'server.js': SERVER, 'pillion.yaml': JSON.stringify({version: 1, apps})})
  const run = rig.pillion(['up'])
  const text = `api listens on ${port}: write port: ${port} to carry its calls`
  await run.waitForLine(`ℹ️  ${text}`)
  t.match((await rig.run(['ps'])).stdout, new RegExp(`api .*\\b${port}\\b`))
  t.equal(
    (await rig.run(['calls'])).stdout,
    `No calls yet. Calls between the apps, and to them, are shown here.\n${text}\n`
  )
  t.match((await rig.run(['graph'])).stdout, `No calls yet.\n${text}\n`)
  t.match(await rig.run(['trace']), {code: 1, stderr: new RegExp(`there are no calls yet\n.*${text}`)})
  t.match(await rig.run(['url', 'api']), {code: 1, stderr: new RegExp(`app id api has no port\n.*${text}`)})
  t.match(await rig.run(['url', 'worker']), {code: 1, stderr: /it does not listen/})
})

const CALLER = `const {Agent, request} = require('node:http')
const agent = new Agent({keepAlive: true})
const call = () => request({port: process.argv[2], agent}, response => response.resume()).on('error', () => {}).end()
setInterval(call, 50)`

/** A server that says when each of its processes is called first. */
const CALLED = `const {createServer} = require('node:http')
let calls = 0
createServer((request, response) => {
  response.end(calls++ === 0 ? console.log('called') : 'here')
}).listen(Number(process.argv[2]), '127.0.0.1')`

t.test('a reload of an app that is called at its appPort says once that these calls are not held', async t => {
  const rig = await openRig(t)
  const [port = 0, other = 0] = await freePorts(2)
  const apps = [
    {id: 'api', dir: 'api', appPort: port, watch: true, command: ['node', 'server.js', port.toString()]},
    {id: 'quiet', dir: 'quiet', appPort: other, watch: true, command: ['node', 'server.js', other.toString()]},
    {id: 'web', dir: 'web', command: ['node', 'caller.js', port.toString()], dependsOn: ['api', 'quiet']}
  ]
  await rig.write({
    'api/server.js': CALLED,
    'quiet/server.js': SERVER,
    'web/caller.js': CALLER,
    'pillion.yaml': JSON.stringify({version: 1, apps})
  })
  const run = rig.pillion(['up'])
  await run.waitForLine('web started')
  await rig.write({'quiet/server.js': `${SERVER}\n//1`})
  await run.waitForLine('quiet: reloaded in')
  for (const nth of [1, 2]) {
    await run.waitForLine('== APP - api == called', {nth}) // over a connection that stays
    await rig.write({'api/server.js': `${CALLED}\n//${nth}`})
    await run.waitForLine('api: reloaded in', {nth})
  }
  const lines = run.stderr.lines.filter(line => line.includes('not held'))
  t.same(lines, [`⚠  calls at appPort ${port} of "api" are not held: use port: ${port}`])
})
