import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import t, {type Test} from 'tap'
import {managerOf} from '../rig/manager.ts'
import {openRig} from '../rig/rig.ts'
import {tarOf, type Member} from '../rig/tar.ts'

/** A run with a manager, and what sends an archive to it. */
async function openDeployer(t: Test) {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, managerPort: 0, apps: []})})
  const run = rig.pillion(['run', '-f', '.'])
  const manager = await managerOf(run)
  const deploy = async (version: string, ...members: readonly Member[]) => {
    const form = new FormData()
    for (const [name, value] of Object.entries({name: 'hello', version, port: '8000', run_args: '{}'}))
      form.set(name, value)
    form.set('file', new Blob([new Uint8Array(gzipSync(tarOf(...members)))]), 'hello.tar.gz')
    const response = await fetch(`${manager}/services/~tar`, {method: 'POST', body: form})
    return {status: response.status, body: await response.text()}
  }
  return {rig, run, deploy}
}

t.test('what is deployed as an archive is unpacked and started', async t => {
  const {run, deploy} = await openDeployer(t)
  const script = {name: 'app.sh', text: 'cat data/greeting; exec sleep 60\n', mode: '0000755'}
  const data = {name: 'data/greeting', text: 'hello from the archive\n'}
  t.match(await deploy('1.0.0', {name: '/', type: '5'}, {name: 'data', type: '5'}, data, script), {status: 202})
  await run.waitForLine(/hello from the archive/)
  run.signal('SIGINT')
  t.match(await run.exited, {code: 0})
})

t.test('an archive that would write outside its folder, or is none, is refused, and nothing of it is left', async t => {
  const {rig, run, deploy} = await openDeployer(t)
  const chain = [
    {name: 'a', type: '2', link: '.'},
    {name: 'a/up', type: '2', link: '..'},
    {name: 'up/escaped', text: 'x'}
  ]
  t.match(await deploy('1.0.0', ...chain), {status: 422, body: /The archive cannot be unpacked: /})
  t.match(await deploy('1.0.0', {name: 'app.sh', text: 'x'}, {name: '../escaped', text: 'x'}), {
    status: 422,
    body: '{"detail":"The archive cannot be unpacked: ../escaped leaves the folder"}'
  })
  const found = rig.start(['find', join(rig.home, '.cache'), '(', '-name', 'escaped', '-o', '-name', 'hello*', ')'])
  await found.exited
  t.equal(found.stdout.text, '')
  run.signal('SIGINT')
  t.match(await run.exited, {code: 0})
  t.notOk(existsSync(join(rig.home, '.cache/pillion/escaped')))
})
