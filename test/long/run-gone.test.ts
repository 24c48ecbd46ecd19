import t, {type Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

/** Takes calls, and answers none. */
const SILENT = `require('node:http').createServer(({url}) => console.log('called', url)).listen(process.env.APP_PORT)`

async function rigWithJob(t: Test): Promise<Rig> {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true, command: ['node', '-e', SILENT]}])
  return rig
}

t.test('a run that is killed in the middle of a command is said to have ended', async t => {
  const rig = await rigWithJob(t)
  const run = rig.pillion(['up'])
  const {http} = await run.ports('a')
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  const body = JSON.stringify({schedule: '@daily'})
  await fetch(`http://127.0.0.1:${http}/v1.0-alpha1/jobs/report`, {method: 'POST', body})
  const asking = rig.pillion(['jobs', 'run', 'report'])
  await run.waitForLine('== APP - a == called /job/report')
  run.signal('SIGKILL')
  t.match(await asking.exited, {code: 1})
  t.equal(asking.stderr.text, '❌  the run has ended before it has answered\n')
})

t.test('ps -w names the run of another folder once, and ends with the run, also of ids', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', appDirPath: '.', command: ['sleep', '300']}])
  const run = rig.pillion(['up'])
  await run.ports('a')
  const shown = [
    ['ps', '-w'],
    ['ps', '-w', 'a']
  ].map(args => rig.pillion(args, {folder: '..'}))
  await Promise.all(shown.map(async each => each.waitForLine(/^a +ready/)))
  t.match(await rig.run(['restart', 'a']), {code: 0})
  await Promise.all(shown.map(async each => each.waitForLine(/^a +ready/, {nth: 2})))
  t.match(await rig.run(['down']), {code: 0})
  await run.exited
  for (const each of shown) {
    t.match(await each.exited, {code: 0})
    t.equal(each.stderr.text.match(/Using the run of another folder/g)?.length, 1)
  }
})
