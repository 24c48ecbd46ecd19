import {chmodSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

/** The text of a template with one app that does nothing. */
const template = (appID: string): string =>
  JSON.stringify({version: 1, apps: [{appID, appDirPath: '.', command: ['sleep', '600']}]})

t.test('ids and paths behind up and down are refused: they would start, or stop, everything', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['sleep', '600']}])
  const table = [
    [['up', 'shop'], 'up takes no arguments: did you mean pillion up --only shop?'],
    [['up', 'shop', 'stock'], 'up takes no arguments: did you mean pillion up --only shop,stock?'],
    [['up', 'dapr.yaml'], 'up takes no arguments: did you mean pillion up -f dapr.yaml?'],
    [['down', 'shop'], 'down takes no arguments: did you mean pillion stop shop?'],
    [['down', '.'], 'down takes no arguments: did you mean pillion down -f .?']
  ] as const
  for (const [args, message] of table) t.match(await rig.run(args), {code: 255, stdout: `${message}\n`})
  t.match(await rig.run(['stop']), {code: 0, stderr: /^⚠ {2}Nothing is named, so nothing is stopped: /})
})

t.test('words and flags of other tools are answered with ours', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'gateway', command: ['sleep', '600']},
    {appID: 'orders', command: ['sleep', '600']}
  ])
  const run = rig.pillion(['up', '-w'])
  await run.ports('orders')
  const table: readonly (readonly [command: string, code: number, answer: string])[] = [
    ['run orders', 1, '"orders" is an app of dapr.yaml, not a program\npillion up -d --only orders starts it'],
    ['watch', 255, 'Did you mean this?\n\tup --watch\n'],
    ['new', 255, 'Did you mean this?\n\timport\n'],
    ['connect', 255, 'Did you mean this?\n\tattach\n'],
    ['call orders /', 255, 'Use any client: curl "$(pillion url ID)/path"'],
    ['build', 255, 'Nothing is built: each app starts by its command'],
    ['up --build', 255, 'Error: unknown flag: --build\nNothing is built: each app starts by its command'],
    ['up --scale orders=2', 255, 'Write replicas: 2 for the app into the template'],
    ['up --port 8080', 255, 'Write port: NUMBER for the app into the template'],
    ['up --verbose', 255, 'There is no verbose mode: pillion why and pillion logs say more'],
    ['ps --no-color', 255, 'Set NO_COLOR=1'],
    ['down -v', 255, 'down removes no data'],
    ['ps -a', 255, "Error: unknown shorthand flag: 'a' in -a\npillion ps shows all apps.\n"],
    ['restart --all', 255, 'Name the apps: pillion restart ID ID'],
    ['calls --app orders', 255, 'A filter says it: pillion calls app:ID'],
    ['calls --failed', 255, 'A filter says it: pillion calls is:failed'],
    ['fault gateway orders --delay 300', 255, '(300ms or 300s)'],
    ['replay path:/x', 1, 'no call matches path:/x'],
    ['wait --nothing', 255, "Error: unknown flag: --nothing\nRun 'pillion wait --help' for usage.\n"],
    ['up --rest main', 255, 'Name the apps to start here: pillion up --only ID,ID.'],
    ['run -k -f . --diff', 255, 'pillion export kubernetes -f PATH -o - | kubectl diff -f -.'],
    ['run -k -f . --dry-run', 255, 'kubectl apply --dry-run=server -f -.'],
    ['calls to:ordes', 1, 'no call matches: no app has the id ordes: did you mean orders?'],
    ['calls to=orders', 1, 'the filter to=orders is written to:orders'],
    [
      'invoke --app-id gatway --method x',
      1,
      'app ID gatway not found\nDid you mean gateway? Running: gateway, orders. [no-such-app]\n'
    ],
    ['validate dapr.yml', 1, 'no such file or directory\nDid you mean dapr.yaml? [template-unreadable]\n'],
    ['dash', 255, 'Did you mean this?\n\tdashboard\n'],
    ['scale orders=2', 255, 'Write replicas: 2 for the app into the template'],
    ['workflow show ID', 255, 'Did you mean this?\n\thistory\n'],
    ['wait --for ready --timeout 30', 255, 'expected a duration up to 24 days (30ms or 30s)']
  ]
  for (const [command, code, answer] of table) {
    const answered = await rig.run(command.split(' '))
    t.match(answered, {code, stderr: answer}, command)
  }
  t.match(await rig.run(['calls', '-o', 'json']), {code: 0, stdout: '[]\n', stderr: ''})
  t.match(JSON.parse((await rig.run(['list', '-o', 'json'])).stdout), {length: 2}, 'none of these starts anything')
  t.match((await rig.run(['calls', 'to:orders'])).stdout, 'No call matches.\n')
  t.match(await rig.run(['events', '-o', 'json']), {code: 0, stderr: ''})
})

t.test('run with a template in the place of a command names the flag', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['true']}])
  for (const path of ['dapr.yaml', '.'])
    t.match(await rig.run(['run', path]), {stderr: `⚠  ${path} is no program. As a template: pillion run -f ${path}\n`})
  t.notMatch((await rig.run(['run', './nowhere.yaml'])).stderr, 'As a template')
})

t.test('down in another folder names what runs', async t => {
  const rig = await openRig(t)
  await rig.write({'my shop/dapr.yaml': template('shop'), 'empty/x': ''})
  const nothing = 'ℹ️  There is nothing to stop: nothing is running\n'
  t.same(await rig.run(['down'], {folder: 'empty'}), {code: 0, stdout: nothing, stderr: ''})
  const run = rig.pillion(['up'], {folder: 'my shop'})
  await run.ports('shop')
  const {code, stderr} = await rig.run(['down'], {folder: 'empty'})
  t.equal(code, 1)
  const file = join(rig.folder, 'my shop/dapr.yaml')
  const command = `pillion stop -f '${file}'`
  t.equal(
    stderr,
    `❌  there is no template in this folder or above it\nWhat runs is stopped by: ${command} [several-runs]\n`
  )
  t.match(await rig.run(['stop', '-f', file], {folder: 'empty'}), {code: 0})
  t.match(await run.exited, {code: 0})
})

t.test('invoke and publish say of a missing app what brings it back, and why an event was refused', async t => {
  const rig = await openRig(t)
  const event = ['-p', 'pubsub', '-t', 'orders']
  const nothing = 'Nothing is running: "pillion up -d" starts the template of a folder. [no-run]\n'
  t.match(await rig.run(['invoke', '-a', 'shop', '-m', 'x']), {
    code: 1,
    stderr: `❌  error invoking app shop: app ID shop not found\n${nothing}`
  })
  t.match(await rig.run(['publish', '-i', 'shop', ...event]), {
    code: 1,
    stderr: new RegExp(`${nothing.replaceAll(/[[\]]/g, '\\$&')}$`)
  })
  t.match(await rig.run(['start', 'shop']), {code: 1, stderr: new RegExp(`${nothing.replaceAll(/[[\]]/g, '\\$&')}$`)})
  await rig.template([
    {appID: 'shop', command: ['sleep', '600']},
    {appID: 'stock', command: ['sleep', '600']}
  ])
  const run = rig.pillion(['up'])
  await Promise.all(['shop', 'stock'].map(async id => run.ports(id)))
  t.match(await rig.run(['invoke', '-a', 'nope', '-m', 'x']), {
    code: 1,
    stderr: /Running: shop, stock \[no-such-app\]\n$/
  })
  t.match(await rig.run(['publish', '-i', 'shop', '-p', 'nope', '-t', 'orders']), {
    code: 1,
    stderr: /unexpected status code 40\d on publishing to orders in nope\n.*pubsub/
  })
  t.match(await rig.run(['invoke', '-a', 'shop', '-m', 'x']), {
    code: 1,
    stderr: /app channel not initialized \(\\"shop\\" has no appPort: nothing can be called there\)"\}\n$/
  })
  await rig.run(['stop', 'shop'])
  t.match(await rig.run(['invoke', '-a', 'shop', '-m', 'x']), {
    code: 1,
    stderr: /app ID shop not found\n"shop" is stopped: "pillion start shop" brings it back\. \[app-stopped\]\n$/
  })
})

t.test('a command that is not there: the near one, or the one of the project', async t => {
  const rig = await openRig(t)
  const programs = ['npm/node_modules/.bin/nodemonster', '.venv/bin/uvicornette', 'bin/interpreter3']
  await rig.write(Object.fromEntries(programs.map(path => [path, '#!/bin/sh\n'])))
  for (const path of programs) chmodSync(join(rig.folder, path), 0o755)
  const env = {PATH: `${join(rig.folder, 'bin')}:${process.env['PATH'] ?? ''}`}
  await rig.template([{appID: 'shop', command: ['interpreter', 'app.py']}])
  const near = await rig.run(['up'], {env})
  t.match(near.stderr, /"interpreter" is in no folder of PATH; did you mean interpreter3\?\n/)
  await rig.template([{appID: 'shop', appDirPath: 'npm', command: ['nodemonster', 'app.js']}])
  const npm = await rig.run(['up'], {env})
  t.match(npm.stderr, '; ./node_modules/.bin has it: write command: [./node_modules/.bin/nodemonster, …]\n')
  await rig.template([{appID: 'shop', appDirPath: 'npm', command: ['uvicornette', 'app:app']}])
  const python = await rig.run(['up'], {env})
  t.match(python.stderr, '; ../.venv/bin has it: write command: [../.venv/bin/uvicornette, …]\n')
})

t.test('no advice is given that would break a system: a folder of PILLION_RUNTIME_DIR may be any', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['true']}])
  for (const folder of ['/proc', '/tmp', '/etc/passwd'])
    for (const args of [['up'], ['list'], ['doctor']]) {
      const {code, stdout, stderr} = await rig.run(args, {env: {PILLION_RUNTIME_DIR: folder}})
      t.notMatch(stdout + stderr, /chmod|Remove/, `${args.join(' ')} ${folder}`)
      if (folder !== '/etc/passwd') t.match(stdout + stderr, /Unset it, or name a folder that does not exist yet/)
      if (folder !== '/etc/passwd') t.equal(code, 1)
    }
})

t.test('a folder in which none can be made, and a mode of Redis that there is not, end a start at once', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['sleep', '600']}])
  t.match(await rig.run(['up'], {env: {PILLION_RUNTIME_DIR: '/proc/x'}}), {
    code: 1,
    stderr: /no folder for the sockets of runs: ENOENT.*'\/proc\/x'\nSet PILLION_RUNTIME_DIR to a folder that you own/
  })
  t.match(await rig.run(['up', '--run', 'true', '--report', '/proc/x']), {
    code: 125,
    stderr: /cannot write the report to \/proc\/x: ENOENT/
  })
  t.match(await rig.run(['up'], {env: {PILLION_REDIS: 'of'}}), {code: 1, stderr: /PILLION_REDIS is "of": it can be/})
})

t.test('validate refuses what run refuses: an app that needs one that starts only with a profile', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop', dependsOn: ['db'], command: ['true']},
    {appID: 'db', profiles: ['store'], command: ['true']}
  ])
  const {code, stdout, stderr} = await rig.run(['validate'])
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, /^❌ {2}app "shop" depends on "db", which starts only with --profile store\ndapr\.yaml:\d+:\d+\n/)
  t.match(await rig.run(['up']), {code: 1})
  t.same(await rig.run(['validate', '--profile', 'store']), {
    code: 0,
    stdout: '✅  dapr.yaml can run: 2 apps\n',
    stderr: ''
  })
  t.match(await rig.run(['validate', '--profile', 'other']), {code: 1})
})

t.test('invoke of an app that does not listen names the command that says why, and no circle of calls', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true, ready: {timeout: '1s'}, command: ['sleep', '600']}])
  await rig.pillion(['up']).ports('shop')
  const {code, stderr} = await rig.run(['invoke', '-a', 'shop', '-m', 'x'])
  t.equal(code, 1)
  t.match(stderr, /\(waited 1 s; .*; the call came through its own sidecar\)/)
  t.match(stderr, /\n"pillion why shop" says what it waits for\.\n$/)
  t.match((await rig.run(['why', 'shop'])).stdout, /it does not listen on any port; its appPort \d+ is waited for\n$/)
})

t.test('a Configuration that is not there keeps a single app from starting: its rules would not hold', async t => {
  const rig = await openRig(t)
  t.same(await rig.run(['run', '--app-id', 'shop', '--config', 'none.yaml', '--', 'true']), {
    code: 1,
    stdout: '',
    stderr: '❌  error loading configuration: stat none.yaml: no such file or directory\n'
  })
})

const expected = (more: string): RegExp => new RegExp(`^Error: invalid argument .*: expected KEY=VALUE${more}\n`)

t.test('--env with a name alone says what is expected, and nothing of an app that has -e', async t => {
  const rig = await openRig(t)
  t.match(await rig.run(['up', '--env', 'LOG_LEVEL']), {code: 255, stderr: expected('')})
  t.match(await rig.run(['run', 'node', '-e', 'console.log(1)']), {code: 255, stderr: expected('; write -- before .*')})
})
