import {spawnSync} from 'node:child_process'
import {existsSync, readdirSync} from 'node:fs'
import {chmod, mkdir, readFile} from 'node:fs/promises'
import {createServer} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {misfitOf} from '../rig/api-schema.ts'
import {freePort} from '../rig/free-port.ts'
import {missing} from '../rig/missing.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const SERVER = `require('node:http').createServer((_, response) => response.end('hello')).listen(process.env.PORT)`

/** A rig whose temporary files are in a folder of its own. */
async function checked(t: Test): Promise<{rig: Rig; env: Record<string, string>; tmp: string}> {
  const rig = await openRig(t)
  const tmp = join(rig.folder, '../tmp')
  await mkdir(tmp)
  return {rig, tmp, env: {TMPDIR: tmp, PATH: `${join(rig.folder, 'bin')}:${process.env['PATH'] ?? ''}`}}
}

/** What a check has left behind, in the folder of the template, at home and among temporary files; not the hooks that all runs share. */
const left = (rig: Rig, tmp: string): readonly string[] =>
  [rig.home, tmp, join(rig.folder, '.dapr')]
    .flatMap(folder => (existsSync(folder) ? readdirSync(folder, {recursive: true}).map(String) : []))
    .filter(name => !/^\.cache(?:\/pillion(?:\/port-hooks.*)?)?$/.test(name))

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
    'busy.js': `require('node:http').createServer().listen(${port})`,
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
  t.match(report, {template: 'dapr.yaml', isReady: false, tookMs: Number})
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
  const text = await readFile(join(rig.folder, 'dapr.yaml'), 'utf8')
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

t.test('import --check: containers have names and volumes of their own', async t => {
  const {rig, env, tmp} = await checked(t)
  await rig.write({
    'compose.yaml': `
services:
  db:
    image: postgres
    volumes: ["data:/var/lib/postgresql/data", "./pg:/var/lib/postgresql/more", "./init.sql:/init.sql"]
    healthcheck: {test: [CMD, pg_isready]}
volumes: {data: {}}
`,
    'init.sql': '',
    'bin/docker': `#!/bin/sh\necho "$*" >> "$SEEN"\n[ "$1" = run ] && exec sleep 1000\nexit 0\n`
  })
  await chmod(join(rig.folder, 'bin/docker'), 0o755)
  const seen = join(rig.folder, 'seen')
  const {stdout} = await rig.run(['import', '--check'], {env: {...env, SEEN: seen}})
  t.match(stdout, /✅ {2}db: ready\n.*the app became ready/)
  const calls = await readFile(seen, 'utf8')
  t.match(
    calls,
    /^run --rm --name work-db-check-\d+ --publish \d+:5432 --volume \/var\/lib\/postgresql\/data --volume \/var\/lib\/postgresql\/more --volume \.\/init\.sql:\/init\.sql postgres$/m
  )
  t.match(calls, /^exec work-db-check-\d+ pg_isready$/m)
  t.match(calls, /^rm --force --volumes work-db-check-\d+$/m)
  t.match(await readFile(join(rig.folder, 'dapr.yaml'), 'utf8'), /--name, work-db, .*work_data:/)
  t.strictSame(left(rig, tmp), [])
})

t.test(
  'import --check leaves nothing behind after Ctrl-C, a second one, and a kill, which the next run clears',
  async t => {
    const {rig, env, tmp} = await checked(t)
    await rig.write({
      Procfile: 'web: node deaf.js $PORT',
      'deaf.js': "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"
    })
    for (const signals of [['SIGINT'], ['SIGINT', 'SIGINT'], ['SIGKILL']] as const) {
      const program = rig.pillion(['import', '--check', '--force'], {env})
      await started(tmp)
      for (const signal of signals) {
        program.signal(signal)
        await pause(20)
      }
      const {code} = await program.exited
      t.equal(code, signals[0] === 'SIGKILL' ? null : 130)
      if (signals[0] === 'SIGKILL') continue
      t.strictSame(left(rig, tmp), [], signals.join())
      t.notMatch(await readFile(join(rig.folder, 'dapr.yaml'), 'utf8'), /--check/)
    }
    t.not(readdirSync(tmp).length, 0)
    t.match(await rig.run(['import', '--check', '--force', '--timeout', '1s'], {env}), {code: 1, stdout: /❌ {2}web: /})
    t.strictSame(left(rig, tmp), [])
  }
)

/** The app of a check has been started. */
async function started(tmp: string): Promise<void> {
  for (;;) {
    const names = readdirSync(tmp, {recursive: true}).map(String)
    if (names.some(name => /logs\/web_app/.test(name))) return
    await pause(20)
  }
}

t.test('import --check: what it is not given', async t => {
  const {rig} = await checked(t)
  await rig.write({Procfile: 'web: true'})
  t.match(await rig.run(['import', '--timeout', '1s']), {code: 255, stderr: /--timeout needs --check/})
  t.match(await rig.run(['import', '-o', 'json']), {code: 1, stderr: /must end in \.yaml/})
  const shown = await rig.run(['import', '--check', '-o', '-'])
  t.match(shown, {code: 0, stdout: /^# Written by pillion import from Procfile/, stderr: /✅ {2}web: /})
  t.notOk(existsSync(join(rig.folder, 'dapr.yaml')))
})

const hasRedis = ['redis-server', 'redis-cli'].every(name => spawnSync(name, ['--version']).status === 0)

t.test(
  'import --native --check: a server of this machine, with data that go with the check',
  {skip: !hasRedis && missing('redis-server')},
  async t => {
    const {rig, env, tmp} = await checked(t)
    await rig.write({'compose.yaml': `services: {cache: {image: "redis:7", ports: ["${await freePort()}:6379"]}}`})
    t.match(await rig.run(['import', '-o', '-'], {env}), {
      stderr: /This machine has the programs of cache: --native runs them without Docker\./
    })
    const {code, stdout} = await rig.run(['import', '--native', '--check'], {env})
    t.equal(code, 0, stdout)
    t.match(stdout, /✅ {2}cache: ready\n/)
    t.notOk(existsSync(join(rig.folder, 'cache')))
    t.strictSame(left(rig, tmp), [])
  }
)
