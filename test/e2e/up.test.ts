import {rename} from 'node:fs/promises'
import {join} from 'node:path'
import {isDeepStrictEqual} from 'node:util'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('up and down run and stop the template of this folder, also one called dapr.yml', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  for (const name of ['dapr.yaml', 'dapr.yml']) {
    if (name === 'dapr.yml') await rename(join(rig.folder, 'dapr.yaml'), join(rig.folder, name))
    const run = rig.pillion(['up'])
    await rig.driven('a')
    await run.waitForLine('Writing log files')
    t.match(await rig.run(['restart', 'a']), {code: 0}, 'its run is the one of this folder')
    await rig.driven('a')
    t.match(await rig.run(['down']), {code: 0, stdout: '✅  1 app stopped\n'}, name)
    t.same(await run.exited, {code: 0, signal: null})
  }
})

const template = (appID: string): string =>
  JSON.stringify({version: 1, apps: [{appID, appDirPath: '.', command: ['true']}]})

t.test('of both names dapr.yaml is meant, a folder with neither is refused, with the way to a first one', async t => {
  const rig = await openRig(t)
  await rig.write({'empty/x': ''})
  t.match(await rig.run(['up'], {folder: 'empty'}), {
    code: 1,
    stderr:
      '❌  there is no pillion.yaml or dapr.yaml in this folder\n' +
      '"pillion import" writes a first one from what is here; -f names one elsewhere. [no-template]\n'
  })
  await rig.write({'dapr.yaml': template('first'), 'dapr.yml': template('second')})
  t.match(await rig.run(['up']), {code: 0, stdout: /"first"/})
  t.match(await rig.run(['up'], {folder: 'empty'}), {code: 1, stderr: 'The nearest one above is ../dapr.yaml: -f ..'})
})

t.test('run without a command in the folder of a template is a sidecar alone, with a hint', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const hint = 'To run the apps of the template in this folder: pillion up'
  const run = rig.pillion(['run'])
  await run.waitForLine("You're up and running! Dapr logs will appear here.")
  await run.waitForLine(hint, {stream: 'stderr'})
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
  const named = rig.pillion(['run', '--app-id', 'door'])
  await named.waitForLine("You're up and running! Dapr logs will appear here.")
  await named.end('SIGINT')
  t.equal(named.stderr.text, '', 'who names it means it')
})

t.test('the sidecar of an app has the same ports in each run', async t => {
  const portsOfTwo = async (): Promise<readonly unknown[]> => {
    const rig = await openRig(t)
    await rig.template([{appID: 'a'}, {appID: 'b'}])
    const ports = async (): Promise<unknown> => {
      const run = rig.pillion(['up'])
      const apps = await Promise.all([rig.driven('a'), rig.driven('b')])
      await run.end('SIGINT')
      return apps.map(({env}) => [env['DAPR_HTTP_PORT'], env['DAPR_GRPC_PORT'], env['DAPR_METRICS_PORT']])
    }
    return [await ports(), await ports()]
  }
  let [first, second] = await portsOfTwo()
  // another test may have one of them all the time: another folder has others
  for (let tries = 0; tries < 10 && !isDeepStrictEqual(first, second); tries++) [first, second] = await portsOfTwo()
  t.same(second, first)
})

t.test('an empty -f is the template of this folder', async t => {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': template('first')})
  t.match(await rig.run(['up', '-f', '']), {code: 0, stdout: /"first"/})
  t.match(await rig.run(['calls', '--run-file', '']), {code: 1, stderr: /there is no run of dapr\.yaml\n/})
})
