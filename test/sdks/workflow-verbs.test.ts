import {cp, readFile, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import {agent} from '../long/mcp-agent.ts'
import {daprForJavascript, installed} from './installed.ts'

t.setTimeout(300_000)

const EXAMPLE = join(import.meta.dirname, '../../examples/workflow-order')

interface Place {
  readonly rig: Rig
  /** What a verb prints on both streams, with its exit code behind if that is not 0. */
  readonly verb: (...args: readonly string[]) => Promise<string>
}

/** The example runs, with Dapr's SDK, and has told a line. */
async function openExample(t: Test, told = '== APP - orders == takes orders'): Promise<Place | undefined> {
  const sdk = await installed(t, daprForJavascript('3.18.0'))
  if (sdk === undefined) return undefined
  const rig = await openRig(t)
  await cp(EXAMPLE, rig.folder, {recursive: true})
  await symlink(join(sdk, 'node_modules'), join(rig.folder, 'node_modules'))
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine(told)
  const verb = async (...args: readonly string[]): Promise<string> => {
    const {code, stdout, stderr} = await rig.run(['workflow', ...args])
    return `${stdout}${stderr}${code === 0 ? '' : `exit ${String(code)}`}`
  }
  return {rig, verb}
}

const ORDER = JSON.stringify({item: 'pen', count: 2, customer: 'Ada', price: 6})
/** Ada may pay, Grace may not. */
const TOO_DEAR = ORDER.replace('Ada', 'Grace')

t.test('the verbs of workflows, on a worker of Dapr’s SDK', async t => {
  const place = await openExample(t)
  if (place === undefined) return
  const {rig, verb} = place
  const until = async (condition: string): Promise<unknown> =>
    t.match(await rig.run(['wait', '--for', `workflow:${condition}`]), {code: 0}, condition)

  t.equal(await verb('list'), '❌  No workflow found in namespace "default"\n')
  t.equal(await verb('list', '-a', 'orders'), '❌  No workflow found in namespace "default" for app ID "orders"\n')
  t.match(await verb('history', 'o-17'), /^❌ {2}there is no workflow 'o-17'\n[^]*exit 1$/)
  t.match(await verb('run', 'order', '-a', 'odrers'), /couldn't find app id odrers: did you mean "orders"\?[^]*exit 1$/)

  t.equal(
    await verb('run', 'order', '--instance-id', 'o-17', '--input', ORDER),
    'ℹ️  Workflow instance started successfully: o-17\n',
    'the only app with a worker is meant'
  )
  t.match(
    await verb('run', 'order', '-i', 'o-17', '-x', ORDER),
    /an active workflow with ID 'o-17' already exists\n[^]*exit 1/
  )
  t.equal(
    await verb('run', 'order', '-i', 'later', '-s', '1h', '-x', ORDER),
    'ℹ️  Workflow instance started successfully: later\n'
  )
  const events = rig.pillion(['events', '-f', '--types', 'workflow'])
  await events.waitForLine('orders  ready')
  await verb('suspend', 'o-17')
  await events.waitForLine('orders  order o-17: suspended')
  await verb('resume', 'o-17')
  await verb('run', 'order', '-i', 'o-18', '-x', TOO_DEAR)
  const followed = rig.pillion(['workflow', 'timeline', 'o-18', '--follow'])
  t.match(await followed.exited, {code: 0}, 'it ends with the workflow')
  t.match(followed.stdout.text, /completed/)
  await events.waitForLine('orders  order o-18: activity charge failed: bank refuses: Grace cannot pay 6')
  await events.waitForLine('orders  order o-18: completed')
  await until('o-18:completed')
  t.match(await verb('list', '-s', 'COMPLETED'), /^NAME +ID +STATUS +AGE +\norder +o-18 +COMPLETED +\ds +\n$/)
  t.match(
    await verb('history', 'o-18'),
    /TaskFailed .*FAILED +- +\n[^]*ExecutionCompleted +- +\d +\S+ +COMPLETED +execDuration=/
  )
  t.match(
    await verb('timeline', 'o-18'),
    /activity charge +failed [^\n]*bank refuses: Grace cannot pay 6\n +3 +activity release +done/
  )

  await rig.run(['wait', '--for', 'log:bank:Ada pays 6'])
  t.equal(await verb('suspend', 'o-17', '-r', 'a break'), "ℹ️  Workflow 'o-17' suspended successfully\n")
  t.match(await verb('timeline', 'o-17'), /^order o-17 of orders: SUSPENDED[^]*suspended a break +waits/)
  t.equal(await verb('suspend', 'o-17'), "ℹ️  Workflow 'o-17' suspended successfully\n", 'twice is as once')
  t.equal(await verb('resume', 'o-17'), "ℹ️  Workflow 'o-17' resumed successfully\n")
  t.match(
    await verb('raise-event', 'o-17'),
    /^the argument must be in the format '<instance-id>\/<event-name>'\n[^]*exit 255$/
  )
  t.equal(
    await verb('raise-event', 'o-17/approved', '-x', '{"by":"Ada"}'),
    "ℹ️  Workflow 'o-17' raised event 'approved' successfully\n"
  )
  await until('o-17:completed')
  t.match(await verb('history', 'o-17', '-o', 'wide'), /EventRaised +approved [^\n]*payload=\{"by":"Ada"\}/)
  t.match(await verb('suspend', 'o-17'), /workflow 'o-17' is over: COMPLETED\n[^]*exit 1$/)
  t.match(await rig.run(['wait', '--for', 'workflow:o-17:failed']), {code: 1, stderr: /order of orders is COMPLETED/})

  t.equal(await verb('terminate', 'later'), "ℹ️  Workflow 'later' terminated successfully\n")
  t.match(JSON.parse(await verb('list', '-o', 'json', '-s', 'TERMINATED')), [{appID: 'orders', instanceID: 'later'}])
  t.equal(await verb('purge', 'later'), 'ℹ️  Purging 1 workflow instance(s)\n✅  Purged workflow instance "later"\n')
  t.match(await verb('purge', 'o-17', 'later'), /there is no workflow 'later'\n[^]*exit 1$/)
  t.equal((await verb('list', '-o', 'ids')).split('\n').toSorted().join(), ',o-17,o-18', 'then none is removed')

  t.equal(await verb('rerun', 'o-17', '--new-instance-id', 'o-19'), 'ℹ️  Rerunning workflow instance: o-19\n')
  t.match(await rig.run(['skip', '7d']), {code: 0, stdout: /orders {2}order o-19: timer \d+ fires\n/})
  await until('o-19:ended')
  t.match(await verb('timeline', 'o-19'), /timer +skipped/)
  t.match(await verb('skip', 'o-19'), /workflow 'o-19' waits for no timer\n[^]*exit 1$/)
  await verb('run', 'order', '-i', 'o-20', '-s', '1h', '-x', ORDER)
  t.equal(await verb('skip', 'o-20'), "ℹ️  Workflow 'o-20' skipped a timer successfully\n", 'its start')
  await until('o-20:started')
  await verb('purge', 'o-20', '--force')
  await verb('purge', 'o-19')

  t.match(await verb('purge', '--all'), /^ℹ️ {2}Purging 2 workflow instance\(s\)\n/)
})

t.test('replay: the code of an order runs through its history once more; what was changed in it is told', async t => {
  const place = await openExample(t)
  if (place === undefined) return
  const {rig, verb} = place
  await verb('run', 'order', '-i', 'waits', '-x', ORDER)
  await verb('run', 'order', '-i', 'over', '-x', TOO_DEAR)
  await rig.run(['wait', '--for', 'workflow:over:completed', '--for', 'log:bank:Ada pays 6'])
  const told =
    /^turn 1 {2}started → activity 'reserve'\nturn 2 {2}activity reserve done → activity 'charge'\nturn 3 {2}activity charge failed → activity 'release'\nturn 4 {2}activity release done → the end \(completed\)\n✅ {2}The code does what the history says: 4 turns\n$/
  const timeline = await verb('timeline', 'over', '-o', 'json')
  const {stdout: charged} = await rig.run(['logs', 'bank'])
  t.match(await verb('replay', 'over'), told)
  t.match(await verb('replay', 'waits'), /turn 3 {2}activity charge done → a timer\n✅/)
  t.match(JSON.parse(await verb('replay', 'waits', '-o', 'json')), [{turn: 0}, {turn: 1, difference: ''}, {turn: 2}])
  const {call} = await agent(t, rig)
  t.match(await call('replay_workflow', {id: 'over', turn: 2}), {
    text: /^The code does what the history says\. [^]*"turn":2,"came":\["activity reserve done"\],"did":\["activity 'charge'"\]/
  })
  t.equal(await verb('timeline', 'over', '-o', 'json'), timeline, 'nothing was changed')
  t.match(await rig.run(['logs', 'bank']), {stdout: charged}, 'no activity ran')

  const stepped = rig.pillion(['workflow', 'replay', 'over', '--step'])
  for (let turn = 1; turn <= 4; turn++) {
    await stepped.waitForLine(`Enter sends turn ${turn} to the worker`, {stream: 'stderr'})
    stepped.stdin.write('\n')
    await stepped.waitForLine(`turn ${turn}  `)
  }
  t.match(await stepped.exited, {code: 0})
  const atOnce = rig.pillion(['workflow', 'replay', 'over', '--step'])
  atOnce.stdin.end('\n\n')
  t.match(await atOnce.exited, {code: 0})
  t.match(atOnce.stdout.text, /^turn 1 [^\n]*\nturn 2 [^\n]*\n$/, 'each of two lines that come at once is one')

  const file = join(rig.folder, 'orders/orders.mjs')
  const code = await readFile(file, 'utf8')
  await writeFile(file, code.replace("callActivity('charge', input)", "callActivity('ship', input)"))
  await rig.run(['restart', 'orders'])
  t.match(
    await verb('replay', 'over'),
    /^turn 1 [^\n]*\nturn 2 {2}activity reserve done → activity 'charge', now activity 'ship'\n(?:⌛ [^\n]*\n)?❌ {2}turn 2 is not as it was: step 2 was activity 'charge'; the code has activity 'ship' there\nexit 1$/
  )
  t.match(await call('replay_workflow', {id: 'over'}), {
    text: /"turn":2,[^\n]*"does":\["activity 'ship'"\],"difference":"step 2 was activity 'charge'; /
  })
  await writeFile(file, code)
  await rig.run(['restart', 'orders'])
  await verb('raise-event', 'waits/approved')
  t.match(await rig.run(['wait', '--for', 'workflow:waits:completed']), {code: 0}, 'it has gone on')
  t.match(await verb('replay', 'nobody'), /there is no workflow 'nobody'\n[^]*exit 1$/)
})

t.test('a workflow may be started while its worker still connects: it tells which app is meant', async t => {
  const place = await openExample(t, 'Started Dapr with app id "orders"')
  t.equal(
    await place?.verb('run', 'order', '-i', 'o-1', '-x', ORDER),
    place && 'ℹ️  Workflow instance started successfully: o-1\n'
  )
})
