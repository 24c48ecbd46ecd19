import {readdirSync} from 'node:fs'
import {chmod, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {checked, left} from '../rig/import-check.ts'

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
    /^run --rm --name work-db-check-\d+ --network pillion-\w+ --network-alias db --publish \d+:5432 --volume \/var\/lib\/postgresql\/data --volume \/var\/lib\/postgresql\/more --volume \.\/init\.sql:\/init\.sql postgres$/m
  )
  t.match(calls, /^exec work-db-check-\d+ pg_isready$/m)
  t.match(calls, /^rm --force --volumes work-db-check-\d+$/m)
  t.match(await readFile(join(rig.folder, 'pillion.yaml'), 'utf8'), /--name, work-db, .*work_data:/)
  t.strictSame(left(rig, tmp), [])
})

t.test('import --check leaves nothing after Ctrl-C, a second one, and a kill, which the next run clears', async t => {
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
    t.notMatch(await readFile(join(rig.folder, 'pillion.yaml'), 'utf8'), /--check/)
  }
  t.not(readdirSync(tmp).length, 0)
  t.match(await rig.run(['import', '--check', '--force', '--timeout', '1s'], {env}), {code: 1, stdout: /❌ {2}web: /})
  t.strictSame(left(rig, tmp), [])
})

/** The app of a check has been started. */
async function started(tmp: string): Promise<void> {
  for (;;) {
    const names = readdirSync(tmp, {recursive: true}).map(String)
    if (names.some(name => /logs\/web_app/.test(name))) return
    await pause(20)
  }
}
