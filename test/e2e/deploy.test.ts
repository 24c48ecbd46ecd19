import {existsSync, readdirSync} from 'node:fs'
import {join, relative} from 'node:path'
import {gzipSync} from 'node:zlib'
import t, {type Test} from 'tap'
import {freePort} from '../rig/free-port.ts'
import {managerOf} from '../rig/manager.ts'
import {openRig} from '../rig/rig.ts'
import {tarOf, type Member} from '../rig/tar.ts'

/** The form with an archive, as Daeploy's command line sends it. */
function formOf(service: {readonly name: string; readonly version: string}, ...members: readonly Member[]): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries({...service, port: '8000', run_args: '{}'})) form.set(name, value)
  form.set('file', new Blob([new Uint8Array(gzipSync(tarOf(...members)))]), 'hello.tar.gz')
  return form
}

/** A run with a manager, and what sends an archive to it. */
async function openDeployer(t: Test) {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, managerPort: 0, apps: []})})
  const run = rig.pillion(['run', '-f', '.'])
  const manager = await managerOf(run)
  const deploy = async (version: string, ...members: readonly Member[]) => {
    const body = formOf({name: 'hello', version}, ...members)
    const response = await fetch(`${manager}/services/~tar`, {method: 'POST', body})
    return {status: response.status, body: await response.text()}
  }
  const kill = async (version: string): Promise<number> => {
    const body = JSON.stringify({name: 'hello', version})
    const headers = {'content-type': 'application/json'}
    return (await fetch(`${manager}/services/`, {method: 'DELETE', body, headers})).status
  }
  return {rig, run, manager, deploy, kill}
}

t.test('what is deployed as an archive is unpacked and started', async t => {
  const {run, deploy} = await openDeployer(t)
  const script = {name: 'app.sh', text: 'cat data/greeting; exec sleep 60\n', mode: '0000755'}
  const data = {name: 'data/greeting', text: 'hello from the archive\n'}
  t.match(await deploy('1.0.0', {name: '/', type: '5'}, {name: 'data', type: '5'}, data, script), {status: 202})
  await run.waitForLine(/hello from the archive/)
  t.match(await run.end('SIGINT'), {code: 0})
})

t.test('a service that is killed keeps its folder until its last call is answered; then its name is free', async t => {
  const {rig, run, manager, deploy, kill} = await openDeployer(t)
  const server = `import {existsSync, readFileSync} from 'node:fs'
const {createServer} = process.getBuiltinModule('node:http')
createServer(async ({url}, response) => {
  console.log('asked', url)
  while (url === '/slow' && !existsSync('${join(rig.folder, 'go')}')) await new Promise(done => setTimeout(done, 20))
  response.end(readFileSync('data', 'utf8'))
}).listen(process.env.APP_PORT, '127.0.0.1')`
  const members = (data: string): readonly Member[] => [
    {name: 'app.sh', text: `exec '${process.execPath}' app.mjs\n`, mode: '0000755'},
    {name: 'app.mjs', text: server},
    {name: 'data', text: data}
  ]
  t.match(await deploy('1.0.0', ...members('first')), {status: 202})
  const [marker = ''] = readdirSync(join(rig.home, '.cache/pillion'))
  const folder = join(rig.home, '.cache/pillion', marker, 'hello_1.0.0')
  const call = async (path: string): Promise<string> => (await fetch(`${manager}/services/hello${path}`)).text()
  t.equal(await call('/'), 'first')
  const slow = call('/slow')
  await run.waitForLine('asked /slow')
  const killed = kill('1.0.0')
  while ((await (await fetch(`${manager}/services/`)).text()) !== '[]');
  const again = deploy('1.0.0', ...members('second'))
  await rig.write({go: ''})
  t.equal(await slow, 'first')
  t.equal(await killed, 200)
  t.match(await again, {status: 202})
  t.equal(await call('/'), 'second')
  t.equal(await kill('1.0.0'), 200)
  t.notOk(existsSync(folder), 'its files go with it')

  t.match(await deploy('1.0.0', ...members('third')), {status: 202})
  await rig.write({[relative(rig.folder, join(folder, 'data'))]: 'edited'})
  t.equal(await kill('1.0.0'), 200)
  t.ok(existsSync(folder), 'unless the user has changed them')
  await run.end('SIGINT')
  t.match(run.stderr.text, `files were changed in ${folder}: it is kept`)
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
  t.match(await run.end('SIGINT'), {code: 0})
  t.notOk(existsSync(join(rig.home, '.cache/pillion/escaped')))
})

t.test('a name and version of an app of the template are refused, and that app stays', async t => {
  const rig = await openRig(t)
  const managerPort = await freePort()
  const hello = {appID: 'hello', appDirPath: '.', command: ['sleep', '60']}
  const apps = [hello, {...hello, appID: 'later', profiles: ['later']}]
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, managerPort, apps})})
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Started Dapr with app id "hello"')
  const archive = {name: 'app.sh', text: 'exec sleep 60\n', mode: '0000755'}
  for (const name of ['hello', 'later']) {
    const form = formOf({name, version: '0.0.0'}, archive)
    const response = await fetch(`http://127.0.0.1:${managerPort}/services/~tar`, {method: 'POST', body: form})
    t.equal(response.status, 422)
    t.equal(await response.text(), `{"detail":"the template has an app ${name} of version 0.0.0"}`)
  }
  t.equal(await (await fetch(`http://127.0.0.1:${managerPort}/services/`)).text(), '[]')
  t.match(await run.end('SIGINT'), {code: 0})
})
