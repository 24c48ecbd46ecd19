import {once} from 'node:events'
import {chmod, mkdir} from 'node:fs/promises'
import {createServer, type AddressInfo} from 'node:net'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

t.test('doctor is content where a template can run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', appPort: 0, command: ['true']}])
  const {code, stdout, stderr} = await rig.run(['doctor'])
  t.match({code, stderr}, {code: 0, stderr: ''})
  t.match(stdout, '✅  every command can be found\n')
  t.match(
    stdout,
    /names of apps \(NAME\.localhost\) resolve in .*\n[^]*names answer with plain HTTP\n    pillion trust/
  )
  t.match(stdout, '✅  every port that the template names is free\n')
  t.notMatch(stdout, '❌')
})

t.test('doctor names each port that is taken, by whom, and what to do', async t => {
  const rig = await openRig(t)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const {port} = server.address() as AddressInfo
  await rig.template([
    {appID: 'shop', daprHTTPPort: port, command: ['true']},
    {appID: 'stock', appPort: port, command: ['true']}
  ])
  const {code, stdout} = await rig.run(['doctor', '-f', '.'])
  t.equal(code, 1)
  const taken = (whose: string): string => `❌  port ${port} (${whose}) is taken by `
  t.match(stdout, taken('daprHTTPPort of "shop"'))
  t.match(stdout, taken('appPort of "stock"'))
  t.match(stdout, `(pid ${process.pid})\n    End it, or choose another number for "shop"`)
  t.match(stdout, `❌  port ${port} is named twice: daprHTTPPort of "shop", appPort of "stock"\n`)
})

t.test('doctor names the port at which others call an app, once for all its instances', async t => {
  const rig = await openRig(t)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const {port} = server.address() as AddressInfo
  await rig.template([{appID: 'web', port, replicas: 2, command: ['true']}])
  const {code, stdout} = await rig.run(['doctor', '-f', '.'])
  t.equal(code, 1)
  t.same(stdout.match(/❌ .*/g)?.length, 1)
  t.match(stdout, `❌  port ${port} (port of "web") is taken by `)
})

t.test('doctor takes no port for named twice that versions share, or profiles or addresses keep apart', async t => {
  const rig = await openRig(t)
  const [port, other] = [await freePort(), await freePort()]
  const each = {appDirPath: '.', command: ['true']}
  const doctor = async (apps: readonly object[]): Promise<{readonly code: number | null; readonly stdout: string}> => {
    await rig.write({'dapr.yaml': JSON.stringify({version: 1, apps: apps.map(app => ({...each, ...app}))})})
    return rig.run(['doctor'])
  }
  const apart = await doctor([
    {appID: 'hello', version: '1.0.0', port},
    {appID: 'hello', version: '2.0.0', port},
    {appID: 'one', daprHTTPPort: other, profiles: ['x']},
    {appID: 'two', daprHTTPPort: other, profiles: ['y']},
    {appID: 'three', daprHTTPPort: other, apiListenAddresses: '127.0.0.2', profiles: ['x']},
    {appID: 'four', port: `127.0.0.2:${port}`}
  ])
  t.match(apart, {code: 0, stdout: '✅  every port that the template names is free\n'})
  const twice = await doctor([
    {appID: 'one', appPort: other, profiles: ['x']},
    {appID: 'two', appPort: other, profiles: ['y']},
    {appID: 'three', appPort: other, profiles: ['x']}
  ])
  t.equal(twice.code, 1)
  t.match(twice.stdout, `❌  port ${other} is named twice: appPort of "one", appPort of "three"\n`)
})

t.test('doctor says nothing of ports that a run of this template holds', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', appPort: 0}])
  const run = rig.pillion(['run', '-f', '.'])
  await rig.driven('shop')
  const {code, stdout} = await rig.run(['doctor'])
  t.equal(code, 0)
  t.match(stdout, `this template runs already (pid ${run.pid})`)
})

t.test('doctor does not blame another copy of the template for its ports: a run takes others', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const apps = [{appID: 'shop', appDirPath: '.', daprHTTPPort: port, command: ['sleep', '600']}]
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, apps})})
  const run = rig.pillion(['up'], {folder: 'main'})
  await run.ports('shop')
  const {code, stdout} = await rig.run(['doctor'], {folder: 'pr'})
  t.match(
    stdout,
    `ℹ️  main (pid ${run.pid}) runs the same template: where it has a port, a run takes another one here\n`
  )
  t.equal(code, 0)
})

t.test('doctor finds commands that are missing, proxies before the loopback, and a state folder of others', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['no-such-program']}])
  await chmod(rig.runtimeDir, 0o755)
  const {code, stdout} = await rig.run(['doctor'], {
    env: {HTTP_PROXY: 'http://proxy:3128', NO_PROXY: 'intra,localhost'}
  })
  t.equal(code, 1)
  t.match(stdout, '❌  the command of "shop" cannot be found: "no-such-program" is in no folder of PATH')
  t.match(stdout, '❌  HTTP_PROXY is set and NO_PROXY does not spare 127.0.0.1:')
  t.match(stdout, '    export NO_PROXY=intra,localhost,127.0.0.1,::1 ')
  t.match(
    stdout,
    `❌  ${rig.runtimeDir} must be a folder that you own, with mode 0700\n    PILLION_RUNTIME_DIR names it. Unset it, or name a folder that does not`
  )
})

t.test('doctor tells that ~/.dapr is not needed, and looks at the machine where there is no template', async t => {
  const rig = await openRig(t)
  await mkdir(`${rig.home}/.dapr`)
  const {code, stdout} = await rig.run(['doctor'])
  t.equal(code, 0)
  t.match(stdout, `ℹ️  ${rig.home}/.dapr is not needed`)
  t.notMatch(stdout, 'template')
})

t.test('doctor tells of a template that cannot be read as validate does', async t => {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - appID: shop\n    appDirPath: ./shp\n'})
  const {code, stdout} = await rig.run(['doctor'])
  t.equal(code, 1)
  t.match(stdout, /❌ {2}Error getting apps from config file: .*\n {4}dapr\.yaml:4:17\n/)
})

t.test('validate -o json: every mistake with its place, for tools; the exit code is the same', async t => {
  const rig = await openRig(t)
  await rig.write({
    'dapr.yaml':
      'version: 1\napps:\n  - appID: shop\n    appDirPath: .\n    comand: [x]\n    command: ["true"]\n    watch: {path: [src]}\n    restart: often\n'
  })
  const broken = await rig.run(['validate', '-o', 'json'])
  t.match({code: broken.code, stderr: broken.stderr}, {code: 1, stderr: ''})
  const {errors} = JSON.parse(broken.stdout) as {errors: readonly object[]}
  t.match(errors, [
    {file: 'dapr.yaml', line: 7, column: 13, message: /unknown key path/, hint: /paths/},
    {file: 'dapr.yaml', line: 8, column: 14, message: /restart/, expected: /./}
  ])
  await rig.write({
    'dapr.yaml': 'version: 1\napps:\n  - appID: shop\n    appDirPath: .\n    comand: [x]\n    command: ["true"]\n'
  })
  const odd = await rig.run(['validate', '-o', 'json'])
  t.equal(odd.code, 0)
  t.match(JSON.parse(odd.stdout), {
    apps: 1,
    errors: [],
    findings: [{file: 'dapr.yaml', line: 5, column: 5, message: /comand/, hint: 'did you mean command?'}]
  })
  const none = await rig.run(['validate', '-f', 'none.yaml', '-o', 'json'])
  t.equal(none.code, 1)
  t.match(JSON.parse(none.stdout), {errors: [{message: /none\.yaml/}]})
})

t.test('schema prints the JSON schema of templates', async t => {
  const rig = await openRig(t)
  const {code, stdout} = await rig.run(['schema'])
  t.equal(code, 0)
  t.match(JSON.parse(stdout), {$schema: /draft-07/, title: 'Run template', properties: {apps: {}}})
})

t.test('doctor does not take its own probe of a port for its owner', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.template(['a', 'b', 'c'].map(appID => ({appID, appPort: port, command: ['true']})))
  const {code, stdout} = await rig.run(['doctor'])
  t.equal(code, 1)
  t.match(stdout, `❌  port ${port} is named twice: appPort of "a", appPort of "b", appPort of "c"\n`)
  t.notMatch(stdout, 'is taken by')
})

t.test('doctor tells which Node the apps find', async t => {
  const rig = await openRig(t)
  await rig.write({'bin/node': '#!/bin/sh\necho v20.1.2\n', 'broken/node': '#!/bin/sh\nexit 3\n'})
  await chmod(`${rig.folder}/bin/node`, 0o755)
  await chmod(`${rig.folder}/broken/node`, 0o755)
  const doctor = async (folder: string) => rig.run(['doctor'], {env: {PATH: `${rig.folder}/${folder}`}})
  t.match((await doctor('bin')).stdout, `✅  apps find Node 20.1.2 in PATH (${rig.folder}/bin/node)\n`)
  t.match(await doctor('broken'), {code: 1, stdout: `❌  ${rig.folder}/broken/node does not work: `})
  t.match(await doctor('none'), {code: 0, stdout: 'ℹ️  there is no node in PATH\n'})
})
