import {renameSync} from 'node:fs'
import {chmod, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('with restart, a start that fails after a save waits for the next save', async t => {
  const rig = await openRig(t)
  // every start leaves a line; it fails as long as main.txt says so
  const script = 'echo x >> ../starts; grep -q broken main.txt && { echo cannot >&2; exit 3; }; echo up; exec sleep 300'
  await rig.template([{appID: 'app', command: ['sh', '-c', script], restart: 'always', watch: ['main.txt']}])
  await rig.write({'app/main.txt': 'good\n'})
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('== APP - app == up')
  await rig.write({'app/main.txt': 'broken\n'})
  await run.waitForLine(/"app" exited with code 3 .*waits for a save/, {stream: 'stderr'})
  await rig.write({'app/main.txt': 'good again\n'})
  await run.waitForLine('== APP - app == up', {nth: 2})
  t.equal((await readFile(join(rig.folder, 'starts'), 'utf8')).trim().split('\n').length, 3, 'one start for each save')
})

t.test('an app whose start fails without a save is restarted by its policy, also when it is watched', async t => {
  const rig = await openRig(t)
  const script = 'echo x >> ../starts; [ "$(wc -l < ../starts)" -lt 4 ] && exit 3; echo up; exec sleep 300'
  await rig.template([{appID: 'app', command: ['sh', '-c', script], restart: 'on-failure', watch: true}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('== APP - app == up')
  t.pass('the fourth start was one of the policy')
})

t.test('watch: true honours .gitignore, a glob of the template does not, and may leave the folder', async t => {
  const rig = await openRig(t)
  const command = ['sh', '-c', 'echo start; exec sleep 300']
  await rig.template([
    {appID: 'all', command, watch: true},
    {appID: 'dist', command, watch: ['dist/**']},
    {appID: 'shared', command, watch: ['src/**', '../lib/**/*.txt']}
  ])
  await rig.write({
    '.git/HEAD': 'ref: refs/heads/main\n',
    '.gitignore': 'dist\n',
    'all/dist/a.js': '1',
    'dist/dist/a.js': '1',
    'shared/src/a.js': '1',
    'lib/deep/a.txt': '1'
  })
  const run = rig.pillion(['run', '-f', '.'])
  const started = async (id: string, nth: number): Promise<unknown> => run.waitForLine(`== APP - ${id} == start`, {nth})
  await Promise.all([started('all', 1), started('dist', 1), started('shared', 1)])
  await rig.write({'all/dist/a.js': '2', 'dist/dist/a.js': '2', 'lib/deep/a.txt': '2', 'shared/a.txt': '2'})
  await Promise.all([started('dist', 2), started('shared', 2), run.waitForLine(/^ℹ️ {2}dist: reloaded/)])
  await rig.write({'all/b.js': '2'})
  await started('all', 2)
  t.equal(run.stdout.lines.filter(line => line === '== APP - all == start').length, 2, 'dist/ of it was ignored')
})

t.test('run --watch leaves out what reloads itself, and says so once; a watch key wins', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'web', command: ['npm', 'run', 'dev']},
    {appID: 'forced', command: ['npm', 'run', 'dev'], watch: true},
    {appID: 'api', command: ['sh', '-c', 'echo start; exec sleep 300']}
  ])
  const scripts = {dev: 'sh -c "echo start; exec sleep 300" # vite'}
  await rig.write({
    'forced/package.json': JSON.stringify({scripts}),
    'web/package.json': JSON.stringify({scripts: {dev: 'npm run serve', serve: 'cross-env A=1 nodemon app.js'}})
  })
  await rig.write({'web/node_modules/.bin/cross-env': '#!/bin/sh\necho start; exec sleep 300\n'})
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const told = await run.waitForLine(/--watch leaves out/, {stream: 'stderr'})
  t.match(
    told,
    '--watch leaves out "web" (nodemon): it reloads itself. To watch anyway, write watch: true in the template'
  )
  await run.end()
  t.equal(run.stderr.text.match(/leaves out/g)?.length, 1)
})

const start = (id: string, rest: string): string[] => ['sh', '-c', `echo ${id} >> "$STARTS"; echo up; ${rest}`]

t.test('--watch: a save restarts the apps whose code it is, no database, no finished one-shot app', async t => {
  const rig = await openRig(t)
  await rig.write({'bin/postgres': '#!/bin/sh\necho db >> "$STARTS"; echo up; exec sleep 300\n', 'api/a.js': '1'})
  await chmod(join(rig.folder, 'bin/postgres'), 0o755)
  await rig.write({
    'dapr.yaml': JSON.stringify({
      version: 1,
      common: {env: {STARTS: join(rig.folder, 'starts.log')}},
      apps: [
        {appID: 'db', appDirPath: '.', command: ['bin/postgres']},
        {appID: 'migrate', appDirPath: 'api', command: start('migrate', 'exit 0'), dependsOn: ['db']},
        {appID: 'api', appDirPath: 'api', command: start('api', 'exec sleep 300'), dependsOn: {migrate: 'completed'}},
        {appID: 'root', appDirPath: '.', command: start('root', 'exec sleep 300')},
        {appID: 'told', appDirPath: 'api', command: start('told', 'exit 0'), watch: true}
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await Promise.all([
    run.waitForLine('== APP - api == up'),
    run.waitForLine('== APP - root == up'),
    run.waitForLine('"told" waits for a save', {stream: 'stderr'})
  ])
  t.match(await rig.run(['wait', '--for', 'ready', '--timeout', '20s']), {code: 0}, 'what has finished is no obstacle')
  await rig.write({'api/a.js': '2'})
  await run.waitForLine('api: reloaded')
  await run.waitForLine('"told" waits for a save', {stream: 'stderr', nth: 2})
  await rig.write({'main.js': '2'})
  await run.waitForLine('root: reloaded')
  t.match(await rig.run(['wait', '--for', 'idle', '--timeout', '20s']), {code: 0})
  const starts = (await readFile(join(rig.folder, 'starts.log'), 'utf8')).trim().split('\n').toSorted()
  t.same(starts, ['api', 'api', 'db', 'migrate', 'root', 'root', 'told', 'told'])
})

t.test('an app is ready when its ready command succeeds; it runs in the folder and environment of the app', async t => {
  const rig = await openRig(t)
  await rig.template([
    {
      appID: 'db',
      command: ['sh', '-c', 'echo up; exec sleep 300'],
      env: {FLAG: 'here'},
      ready: {command: ['sh', '-c', 'test -f "$FLAG"'], timeout: '1s'}
    },
    {appID: 'app', command: ['sh', '-c', 'echo started'], dependsOn: ['db']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine(/"db" is not ready after 1 s: sh -c test -f "\$FLAG" exited with 1/, {stream: 'stderr'})
  t.notOk(run.stdout.lines.includes('== APP - app == started'))
  await rig.write({'db/here': ''})
  await run.waitForLine('== APP - app == started')
  t.match(await run.end(), {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('a ready command that hangs ends with its app', async t => {
  const rig = await openRig(t)
  await rig.template([
    {
      appID: 'db',
      command: ['sh', '-c', 'while [ ! -f ../asked ]; do sleep 0.05; done; echo asked; exec sleep 300'],
      ready: {command: ['sh', '-c', 'echo > ../asked; exec sleep 301']}
    }
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('== APP - db == asked')
  t.match(await run.end(), {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('a save starts no app whose dependency has failed', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'migrate', command: ['sh', '-c', 'exit 3'], watch: false},
    {
      appID: 'app',
      command: ['sh', '-c', 'echo started; exec sleep 300'],
      watch: ['main.txt'],
      dependsOn: {migrate: 'completed'}
    },
    {appID: 'other', command: ['sh', '-c', 'exec sleep 300'], watch: ['../app/main.txt']}
  ])
  await rig.write({'app/main.txt': '1'})
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine(/"app" was not started/, {stream: 'stderr'})
  await run.waitForLine('Started Dapr with app id "other"')
  await rig.write({'app/main.txt': '2'})
  await run.waitForLine(/other: reloaded/)
  await rig.run(['wait', '--for', 'idle:100ms', '--timeout', '5s'])
  t.notOk(run.stdout.lines.includes('== APP - app == started'))
})

t.test('an app whose folder is moved away keeps its process, and is reloaded once a folder is there again', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'app', command: ['sh', '-c', 'cat main.txt; exec sleep 300'], watch: true}])
  await rig.write({'app/main.txt': 'first\n'})
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('== APP - app == first')
  // its folder is watched by then
  await rig.write({'app/main.txt': 'saved\n'})
  await run.waitForLine('== APP - app == saved')
  for (const word of ['second', 'third']) {
    renameSync(join(rig.folder, 'app'), join(rig.folder, word))
    await rig.write({[`${word}/main.txt`]: 'elsewhere\n'})
    await run.waitForLine(/the folder of "app" is gone, so it keeps its process until there is one again: .*\/app$/, {
      stream: 'stderr',
      nth: word === 'second' ? 1 : 2
    })
    await rig.write({'app/main.txt': `${word}\n`})
    await run.waitForLine(`== APP - app == ${word}`)
  }
  t.notMatch(run.stdout.text, 'elsewhere')
  t.notMatch(run.stderr.text, 'could not be started')
})

t.test('without --watch a save of the file of variables is one of the apps that watch it', async t => {
  const rig = await openRig(t)
  await rig.write({'vars.env': 'WHO=reader\n'})
  await rig.template([{appID: 'a', appDirPath: '.', watch: ['vars.env']}], {}, {interpolate: 'vars.env'})
  const run = rig.pillion(['run', '-f', '.'])
  await rig.driven('a')
  await run.waitForLine('Writing log files')
  await rig.write({'vars.env': 'WHO=writer\n'})
  await rig.driven('a')
})
