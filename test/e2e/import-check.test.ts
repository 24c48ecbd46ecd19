import {existsSync} from 'node:fs'
import {chmod, readFile} from 'node:fs/promises'
import {createServer} from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import {misfitOf} from '../rig/api-schema.ts'
import {checked, left, SERVER} from '../rig/import-check.ts'

t.test('import --check: what became ready, and why the others did not', async t => {
  const {rig, env, tmp} = await checked(t)
  const holder = createServer().listen(0)
  await new Promise(resolve => holder.once('listening', resolve))
  t.teardown(() => void holder.close())
  const {port} = holder.address() as {port: number}
  await rig.write({
    Procfile: [
      'web: node server.js',
      'once: true',
      'nope: no-such-program --fast',
      'shell: no-such-tool && true',
      'lib: cd lib && node app.js',
      'busy: node busy.js',
      'key: node key.js',
      'boom: node boom.js',
      'plain: node plain.js'
    ].join('\n'),
    'server.js': SERVER,
    'lib/package.json': '{"dependencies": {"express": "4"}}',
    'lib/package-lock.json': '{}',
    'lib/app.js': "require('express')",
    'busy.js': `for (const port of [process.env.PORT, ${port}]) require('node:http').createServer().listen(port)`,
    'key.js': "throw new Error('the environment variable SHOP_KEY is not set')",
    'boom.js': 'null.price',
    'plain.js':
      "if (process.env.PILLION_REDIS !== undefined) throw new Error('not my environment'); setInterval(() => {}, 1000)"
  })
  const {code, stdout, stderr} = await rig.run(['import', '--check', '--timeout', '20s', '-o', 'json'], {env})
  t.equal(code, 1, stderr)
  const report = JSON.parse(stdout) as {
    apps: {id: string; state: string; obstacle: {kind: string; text: string; command: string}}[]
  }
  t.equal(misfitOf('import --check', report), '')
  t.match(report, {template: 'pillion.yaml', isReady: false, tookMs: Number})
  const found = Object.fromEntries(
    report.apps.map(({id, obstacle}) => [id, obstacle === null ? '' : `${obstacle.kind}: ${obstacle.text}`])
  )
  t.match(found, {
    web: '',
    once: '',
    plain: '',
    nope: /^program: "no-such-program" is not installed/,
    shell: /^program: "no-such-tool" is not installed/,
    lib: 'packages: packages are not installed: (cd lib && npm ci)',
    busy: new RegExp(`^port: port ${port} is in use by .*\\(pid ${process.pid}\\)`),
    key: /^variable: SHOP_KEY has no value/,
    boom: /^crash: it exited with code 1: TypeError: Cannot read properties of null/
  })
  t.equal(report.apps.find(({id}) => id === 'once')?.state, 'exited 0')
  const text = await readFile(join(rig.folder, 'pillion.yaml'), 'utf8')
  t.match(text, /command: \[node, app\.js\][^]*# import: --check: packages are not installed: \(cd lib && npm ci\)\n/)
  t.match(text, /# import: --check: SHOP_KEY has no value/)
  t.strictSame(left(rig, tmp), [])
  t.match(await rig.run(['validate']), {code: 0})
})

t.test('import --check of a compose file: containers, variables, and what waits for them', async t => {
  const {rig, env, tmp} = await checked(t)
  await rig.write({
    'compose.yaml': `
services:
  web: {build: web, command: node server.js, ports: ["3999:3999"], depends_on: [cache]}
  alone: {build: web, command: node server.js, ports: ["3998:3998"]}
  paid: {build: web, command: node server.js, environment: {KEY: "\${PAY_KEY:?ask the team}"}}
  after: {build: web, command: node server.js, depends_on: {cache: {condition: service_healthy}}}
  cache: {image: "redis:7"}
`,
    'web/server.js': SERVER,
    'bin/docker': '#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2\nexit 1\n'
  })
  await chmod(join(rig.folder, 'bin/docker'), 0o755)
  const {code, stdout} = await rig.run(['import', '--check', '--timeout', '20s'], {env})
  t.equal(code, 1)
  t.match(stdout, /✅ {2}alone: ready\n/)
  t.match(stdout, /❌ {2}paid: PAY_KEY has no value: set it in \.env, or where pillion is started\n/)
  t.match(stdout, /❌ {2}after: it waits for cache\n/)
  t.match(stdout, /❌ {2}cache: it is a container, and the Docker daemon does not answer\n/)
  t.strictSame(left(rig, tmp), [])
  t.match(await rig.run(['import', '--check', '--force'], {env: {...env, PAY_KEY: 'x'}}), {
    stdout: /✅ {2}paid: ready\n/
  })
})

t.test('import --check: what it is not given', async t => {
  const {rig} = await checked(t)
  await rig.write({Procfile: 'web: true'})
  t.match(await rig.run(['import', '--timeout', '1s']), {code: 255, stderr: /--timeout needs --check/})
  t.match(await rig.run(['import', '-o', 'json']), {code: 1, stderr: /must end in \.yaml/})
  const shown = await rig.run(['import', '--check', '-o', '-'])
  t.match(shown, {code: 0, stdout: /^# Written by pillion import from Procfile/, stderr: /✅ {2}web: /})
  t.notOk(existsSync(join(rig.folder, 'pillion.yaml')))
})

t.test('import --check: what was written into the template meanwhile stays', async t => {
  const {rig, env} = await checked(t)
  await rig.write({Procfile: 'web: node server.js\nboom: node boom.js', 'server.js': SERVER, 'boom.js': 'null.price'})
  const check = rig.pillion(['import', '--check', '--timeout', '20s'], {env})
  await check.waitForLine('--check: starting the apps', {stream: 'stderr'})
  const mine = '# mine\n'
  await rig.write({'pillion.yaml': mine})
  t.match(await check.exited, {code: 1})
  t.equal(await readFile(join(rig.folder, 'pillion.yaml'), 'utf8'), mine)
  t.match(check.stderr.text, '⚠  pillion.yaml was changed during the check: it stays as it is')
  t.match(check.stdout.text, /❌ {2}boom: it exited with code 1/)
})
