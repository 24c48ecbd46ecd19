import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('a suspended run is named by list, ps and logs, with how to resume it; stop resumes and ends it', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['sh', '-c', 'echo open; exec sleep 300']}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('== APP - shop == open')
  process.kill(run.pid, 'SIGSTOP')
  const pid = run.pid.toString()
  const told = `⚠  the run of ${rig.folder}/dapr.yaml (pid ${pid}) is suspended: resume it with fg in its terminal, or with kill -CONT ${pid}\n`
  for (const args of [['list'], ['ps'], ['logs', 'shop']]) t.match((await rig.run(args)).stderr, told, args.join(' '))
  const other = await rig.run(['stop', '--app-id', 'stock'])
  t.match(other.stderr, told, 'an app of another run')
  t.match(await rig.run(['stop', '-f', '.']), {
    code: 0,
    stdout: '✅  Dapr and app processes stopped successfully\n',
    stderr: ''
  })
  t.match(await run.exited, {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('stop with the id of an app resumes its run, too', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '--app-id', 'solo', '--', 'sh', '-c', 'echo up; exec sleep 300'])
  await run.waitForLine('up')
  process.kill(run.pid, 'SIGSTOP')
  t.match((await rig.run(['list'])).stderr, 'the run of "solo" (pid ')
  t.match(await rig.run(['stop', 'solo']), {code: 0, stderr: ''})
  t.match(await run.exited, {code: 0})
})
