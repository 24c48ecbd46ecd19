import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {agent} from './mcp-agent.ts'

/** Calls itself, in the same trace. */
const CALLS_ITSELF = `
const {createServer} = process.getBuiltinModule('node:http')
const {APP_PORT, DAPR_HTTP_PORT} = process.env
createServer(async ({url, headers: {traceparent}}, response) => {
  if (url === '/inner') return response.writeHead(404).end('inner')
  await fetch(\`http://127.0.0.1:\${DAPR_HTTP_PORT}/v1.0/invoke/self/method/inner\`, {headers: {traceparent}})
  response.end('outer')
}).listen(Number(APP_PORT), '127.0.0.1')
`

t.test('the answer of an app that calls itself is its own', async t => {
  const rig = await openRig(t)
  await rig.write({'self/app.mjs': CALLS_ITSELF})
  await rig.template([{appID: 'self', appDirPath: 'self', autoPort: true, command: ['node', 'app.mjs']}])
  await rig.pillion(['run', '-f', '.']).waitForLine('Writing log files')
  const {call} = await agent(t, rig)
  t.match(await call('wait', {for: ['ready']}), {facts: {outcome: 'met'}})
  const given = ['7', '0', 'X'].map(sign => ({traceparent: `00-${sign.repeat(32)}-${'7'.repeat(16)}-01`}))
  for (const headers of [{}, {traceparent: 'none'}, {TraceParent: ''}, ...given])
    for (const time of ['once', 'again'])
      t.match(
        (await call('invoke', {app: 'self', path: 'outer', headers})).text,
        / It is call \d+\.\n[^]*"line":"HTTP\/1\.1 200 [^]*"body":"outer"/,
        `${JSON.stringify(headers)} ${time}`
      )
})

/** Answers with more than is recorded. */
const LARGE = `
const {createServer} = process.getBuiltinModule('node:http')
createServer(({method}, response) => {
  if (method === 'POST') return response.end('taken')
  response.writeHead(200, {'content-type': 'application/json', 'x-buyer': 'S3cr3t'})
  response.end(JSON.stringify({buyer: 'S3cr3t', items: 'x'.repeat(20_000)}))
}).listen(Number(process.env.APP_PORT), '127.0.0.1')
`

t.test('what is secret by the template is masked also in an answer of which a part is recorded', async t => {
  const rig = await openRig(t)
  await rig.write({'shop/app.mjs': LARGE})
  const app = {appID: 'shop', appDirPath: 'shop', autoPort: true, command: ['node', 'app.mjs']}
  for (const body of ['16Ki', '100']) {
    await rig.template([{...app, record: {body, mask: ['x-buyer', 'buyer']}}])
    const run = rig.pillion(['run', '-f', '.'])
    await run.waitForLine('Writing log files')
    const {call} = await agent(t, rig)
    t.match(await call('wait', {for: ['ready']}), {facts: {outcome: 'met'}})
    const {text} = await call('invoke', {app: 'shop', path: 'items'})
    t.match(
      text,
      /\["x-buyer","<masked, 6 characters>"\][^]*\\"buyer\\":\\"<masked, 6 characters>\\",\\"items\\":\\"xx/i
    )
    t.notMatch(text, 'S3cr3t')
    if (body === '100') t.match(text, / Only a part of the response is recorded\.\n[^]*"responseBytes": 20029/)
    const taken = await call('invoke', {app: 'shop', path: 'items', method: 'POST', body: 'x'.repeat(200)})
    if (body === '100') t.match(taken.text, /"responseBytes": 5,[^]*"body":"taken"/)
    await rig.run(['stop', '-f', '.'])
  }
})
