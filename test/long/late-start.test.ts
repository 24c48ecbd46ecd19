import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('where no terminal shows it, apps that are not ready after 10 s are told on stderr', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'db', autoPort: true, command: ['sleep', '300']},
    {appID: 'api', dependsOn: ['db'], command: ['sleep', '300']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const words = 'not ready after 10 s: db (starting), api (waits for db); "pillion why" says what is waited for'
  await run.waitForLine(`⌛  ${words}`, {stream: 'stderr'})
  t.equal(run.stdout.lines.length, 3, 'stdout has the start lines of db alone')
  t.match(await rig.run(['why']), {code: 0, stdout: /"db" is starting: it does not listen on any port/})
})

t.test('so are those for which up --run waits', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'db', autoPort: true, command: ['sleep', '300']}])
  const run = rig.pillion(['up', '--timeout', '11s', '--run', 'true', '--log-as-json'])
  await run.waitForLine(/^\{.*"status":"pending","msg":"not ready after 10 s: db \(starting\); /, {stream: 'stderr'})
  t.match(await run.exited, {code: 124})
})
