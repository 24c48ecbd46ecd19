import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {resultsOf} from '../rig/results.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {daprForGo, daprForJavascript, daprForPython, installed} from './installed.ts'

t.setTimeout(300_000)

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures/sdks', name)

/** The statuses of durabletask. */
const [COMPLETED, FAILED, TERMINATED, PENDING, SUSPENDED] = [1, 3, 5, 6, 7]

t.test('Dapr’s SDK for JavaScript: a worker of workflows and its client', async t => {
  const folder = await installed(t, daprForJavascript('3.18.0'))
  if (folder === undefined) return
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: [process.execPath, fixture('workflow.mjs')], env: {SDK_FOLDER: folder}}])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await resultsOf(run), {
    chain: {status: COMPLETED, output: '11'},
    'fan-out': {status: COMPLETED, output: '465'},
    sleep: {status: COMPLETED, output: 'true'},
    parent: {status: COMPLETED, output: '[16,26]'},
    'bad-parent': {status: COMPLETED, output: /caught .*no apples/},
    fails: {status: FAILED, failure: /no apples/},
    retried: {status: COMPLETED, output: '3'},
    countdown: {status: COMPLETED, output: '"zero"'},
    compensated: {status: COMPLETED, output: '"pen released done"'},
    'unknown-name': {status: FAILED, failure: /nobody/},
    many: 100,
    event: {status: COMPLETED, output: '{"by":"Ada"}'},
    suspended: {status: SUSPENDED},
    resumed: {status: COMPLETED, output: '1'},
    twice: {code: 6, message: /an active workflow with ID 'forever' already exists$/},
    terminated: {status: TERMINATED, output: /enough/},
    purged: true,
    gone: null,
    'raise-unknown': {code: 2, message: 'no such instance exists'},
    'terminate-unknown': {code: 2, message: 'failed to submit termination request: no such instance exists'},
    later: {status: PENDING},
    'later-end': {status: COMPLETED, output: '7'},
    'by-http': {runtimeStatus: 'COMPLETED', properties: {'dapr.workflow.output': '{"by":"Eve"}'}},
    'by-http-gone': {message: /ERR_INSTANCE_ID_NOT_FOUND/},
    'curl-start': '202 {"instanceID":"by-curl"}',
    'curl-get': {instanceID: 'by-curl', workflowName: 'chain', properties: {'dapr.workflow.output': '10'}}
  })
})

const python = async (t: Test, others: readonly string[] = []): Promise<Rig | undefined> => {
  const folder = await installed(t, daprForPython)
  if (folder === undefined) return undefined
  const rig = await openRig(t)
  const command = ['python3', fixture('workflow.py')]
  await rig.template(['shop', ...others].map(appID => ({appID, command, env: {PYTHONPATH: folder}})))
  return rig
}

t.test('Dapr’s SDK for Python: a worker of workflows and its client, and a worker in another app', async t => {
  const rig = await python(t, ['bank'])
  if (rig === undefined) return
  t.match(await resultsOf(rig.pillion(['run', '-f', '.'])), {
    chain: {status: 'COMPLETED', output: '11'},
    'fan-out': {status: 'COMPLETED', output: '20100'},
    retried: {status: 'COMPLETED', output: '3'},
    'in-time': {status: 'COMPLETED', output: '"too late"', custom: 'went on'},
    parent: {status: 'COMPLETED', output: '[16, 26]'},
    rounds: {status: 'COMPLETED', output: '"zero"'},
    event: {status: 'COMPLETED', output: '{"by": "Ada"}'},
    paused: {status: 'SUSPENDED', custom: 'waits'},
    resumed: {status: 'RUNNING'},
    terminated: {status: 'TERMINATED', output: '"enough"'},
    gone: null,
    compensated: {status: 'COMPLETED', output: '"pen released"'},
    abroad: {status: 'COMPLETED', output: '["Ada pays", "Eve pays"]'},
    audited: {status: 'COMPLETED', output: '[[true, false], [true, true]]'},
    rerun: {status: 'COMPLETED', output: '11'},
    history: 12,
    listed: 14
  })
})

t.test('Dapr’s SDK for Go: a worker of workflows and its client, and a worker in another app', async t => {
  const folder = await installed(t, daprForGo)
  if (folder === undefined) return
  const rig = await openRig(t)
  const program = join(folder, 'sdks')
  await rig.template([
    {appID: 'shop', command: [program, 'workflows']},
    {appID: 'bank', command: [program, 'bank']}
  ])
  t.match(await resultsOf(rig.pillion(['run', '-f', '.'])), {
    chain: {Status: 'COMPLETED', Output: '11'},
    'fan-out': {Status: 'COMPLETED', Output: '20100'},
    retried: {Status: 'COMPLETED', Output: '3'},
    'in-time': {Status: 'COMPLETED', Output: '"too late"', Custom: 'went on'},
    parent: {Status: 'COMPLETED', Output: '[16,26]'},
    abroad: {Status: 'COMPLETED', Output: '"Ada pays, Eve pays"'},
    compensated: {Status: 'COMPLETED', Output: '"pen released"'},
    fails: {Status: 'FAILED', Failure: /no money/},
    rounds: {Status: 'COMPLETED', Output: '"zero"'},
    event: {Status: 'COMPLETED', Output: '"Ada"'},
    paused: {Status: 'SUSPENDED', Custom: 'waits'},
    resumed: {Status: 'COMPLETED', Output: '"Eve"'},
    twice: /an active workflow with ID 'forever' already exists/,
    terminated: {Status: 'TERMINATED', Output: '"enough"'},
    gone: 'no such instance exists',
    'purge-unknown': 'no such instance exists',
    'raise-unknown': /no such instance exists/,
    rerun: {Status: 'COMPLETED', Output: '104'},
    'rerun-unknown': /does not have history event with ID '77'/,
    later: {Status: 'PENDING'},
    'later-end': {Status: 'COMPLETED', Output: '7'},
    listed: 5,
    history: 12
  })
})

t.test('after kill -9 of the run its workflows go on with the next one', async t => {
  const rig = await python(t)
  if (rig === undefined) return
  const begun: Program = rig.pillion(['run', '-f', '.'], {env: {ORDERS: 'start', SLOW: '0.5'}})
  await begun.waitForLine('BEGUN order 3 one')
  await begun.waitForLine('RESULT started')
  await begun.end('SIGKILL')
  const told = await resultsOf(rig.pillion(['run', '-f', '.'], {env: {ORDERS: 'finish'}}))
  for (let number = 0; number < 5; number++) {
    const done = `order ${number}`
    t.match(told[`order-${number}`], {status: 'COMPLETED', output: `["${done} one done", "${done} two done"]`})
  }
  t.match(told['waits'], {status: 'COMPLETED', output: '"late"'})
})

for (const reload of ['replace', 'overlap'])
  t.test(`a restart waits for an activity under way: none runs twice, the next goes on (${reload})`, async t => {
    const folder = await installed(t, daprForJavascript('3.18.0'))
    if (folder === undefined) return
    const rig = await openRig(t)
    const command = [process.execPath, fixture('slow-order.mjs')]
    await rig.template([{appID: 'shop', command, env: {SDK_FOLDER: folder}, autoPort: reload === 'overlap', reload}])
    const run = rig.pillion(['run', '-f', '.'])
    for (const step of ['1', '2']) {
      await run.waitForLine(`BEGUN ${step}`)
      t.match(await rig.run(['restart', 'shop']), {code: 0})
    }
    t.match(await resultsOf(run), {ended: '"paid"'})
    const begun = run.stdout.text.match(/BEGUN \d/g)
    t.strictSame(begun, ['BEGUN 1', 'BEGUN 2', 'BEGUN 3'])
  })
