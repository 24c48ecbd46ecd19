import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {noScreen, Screen} from '../rig/screen.ts'

/** The rows of a table by their first word: state, and what follows. */
const rows = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(text.split('\n').map(line => [line.split(' ')[0] ?? '', line.replace(/^\S+ +/, '')]))

t.test('ps shows the state, address and processes of each app, and what they use', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'db', autoPort: true},
    {appID: 'shop', autoPort: true},
    {appID: 'page', dependsOn: ['db']},
    {appID: 'job'},
    {appID: 'worker', restart: 'on-failure'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [db, shop, job, worker] = await Promise.all(['db', 'shop', 'job', 'worker'].map(async id => rig.driven(id)))
  if (db === undefined || shop === undefined || job === undefined || worker === undefined) throw new Error('four apps')
  await shop.listen()
  await worker.exit(1)
  await rig.driven('worker')
  await job.exit(3)
  const watching = rig.pillion(['ps', '-w'])
  for (const line of [/^shop +ready/, /^job +exited/, /^worker +ready.* 1 +\d+ MB/]) await watching.waitForLine(line)
  const {stdout: table} = await rig.run(['ps'])
  const {db: first, shop: second, page, job: fourth, worker: last, ID: head} = rows(table)
  t.match(head, /^STATE +URL +PID +AGE +RESTARTS +MEMORY +CPU$/)
  t.match(first, /^starting +http:\/\/localhost:\d+ +\d+ +\d+\w +0 +\d+ MB +[\d.]+%$/)
  const url = `http://localhost:${shop.env['APP_PORT'] ?? ''}`
  t.match(second, new RegExp(`^ready +${url} +${shop.pid} +\\d+\\w +0 +\\d+ MB +[\\d.]+%$`))
  t.match(page, /^waits for db +0$/)
  t.match(fourth, /^exited 3 +0$/)
  t.match(last, /^ready +\d+ +\d+\w +1 +\d+ MB/)
  const listed = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly unknown[]
  t.match(listed, [
    {state: 'starting', ready: false, exitCode: null, restarts: 0},
    {state: 'running', ready: true},
    {state: 'idle', ready: false},
    {state: 'exited', ready: false, exitCode: 3},
    {state: 'running', ready: true, restarts: 1}
  ])
  const chosen = await rig.run(['ps', 'shop', 'job'])
  t.same(Object.keys(rows(chosen.stdout)), ['ID', 'shop', 'job', ''])
  t.same(await rig.run(['ps', 'shp', 'job']), {
    code: 1,
    stdout: '',
    stderr: `❌  couldn't find app id shp: did you mean "shop"?\nRunning: db, shop, page, job, worker [no-such-app]\n`
  })
  await watching.waitForLine(/^db +starting/)
  await db.listen()
  await watching.waitForLine(/^db +ready/)
  await watching.waitForLine(/^page +ready/)
  run.signal('SIGTERM')
  t.match(await watching.exited, {code: 0}, 'nothing runs any more')
})

t.test('ps shows the runs of this folder; nothing is said as in list', async t => {
  const rig = await openRig(t)
  t.same(await rig.run(['ps']), {code: 0, stdout: 'Nothing is running.\n', stderr: ''})
  await rig.template([{appID: 'here', command: ['sleep', '60']}])
  await rig.write({'below/keep': ''})
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Writing log files')
  const other = rig.pillion(['run', '-a', 'there', '--', 'sleep', '60'], {folder: '../home'})
  const own = rig.pillion(['run', '-a', 'mine', '--', 'sleep', '60'], {folder: 'below'})
  await Promise.all([other, own].map(async each => each.waitForLine("You're up and running")))
  const {stdout} = await rig.run(['ps'], {folder: 'below'})
  t.match(
    stdout,
    /^work: \S+dapr\.yaml \(pid \d+\)\nID .*\nhere .*\n\nbelow: the single run of "mine" \(pid \d+\)\nID .*\nmine /
  )
  t.notMatch(stdout, 'there')
  await rig.write({'two/dapr.yaml': 'version: 1\napps: []\n'})
  t.match(await rig.run(['ps'], {folder: 'two'}), {stdout: 'Nothing is running here.\n', stderr: /Running elsewhere: /})
})

t.test('on a terminal list is ps, of all runs, and fits; -o table is Dapr’s table', {skip: noScreen}, async t => {
  const rig = await openRig(t)
  const ids = Array.from({length: 30}, (_, i) => `service-with-a-long-name-${i}`)
  await rig.template(ids.map(appID => ({appID, command: ['sleep', '60'], appDirPath: '.'})))
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Writing log files', {nth: 30})
  for (const columns of [80, 20]) {
    const list = new Screen(rig, [...rig.program, 'list'], {columns})
    await list.ended()
    t.match(list.lines[0], /^ID +STA/)
    t.equal(list.lines.filter(line => line.startsWith('service-')).length, 30)
    t.same(
      list.lines.filter(line => line.length > columns),
      []
    )
  }
  const table = new Screen(rig, [...rig.program, 'list', '-o', 'table'])
  await table.ended()
  t.match(table.lines[0], /^APP ID +HTTP PORT .* COMMAND/)
  const watch = new Screen(rig, [...rig.program, 'ps', '-w'], {columns: 60, rows: 10})
  await watch.shows(/more lines/)
  watch.type('\x03')
  await watch.ended()
  t.ok(await watch.isAsBefore())
  t.same(
    watch.lines.filter(line => line.length > 60),
    []
  )
  const unsized = new Screen(rig, [...rig.program, 'ps', '-w'], {columns: 0, rows: 0})
  await unsized.shows(/service-with-a-long-name-19 /)
})
