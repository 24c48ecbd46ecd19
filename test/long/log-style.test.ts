import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {noScreen, Screen} from '../rig/screen.ts'

t.test('--log-style short and --timestamps: aligned lines with times; files and start lines stay', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}, {appID: 'worker'}])
  const run = rig.pillion(['run', '-f', '.', '--log-style', 'short', '--timestamps'])
  const [api, worker] = await Promise.all([rig.driven('api'), rig.driven('worker')])
  await api.print('one\ntwo\n')
  await worker.print('three\n')
  t.match(await run.waitForLine('one'), /^\d\d:\d\d:\d\d\.\d{3} api {4}│ one$/)
  t.match(await run.waitForLine('two'), /^\d\d:\d\d:\d\d\.\d{3} api {4}│ two$/)
  t.match(await run.waitForLine('three'), /^\d\d:\d\d:\d\d\.\d{3} worker │ three$/)
  t.match(run.stdout.lines[0], 'ℹ️  Validating config and starting app "api"', 'no flag is named as ignored')
  await run.end()
  const folder = join(rig.folder, 'api/.dapr/logs')
  const name = readdirSync(folder).find(file => file.startsWith('api_app_')) ?? ''
  t.match(readFileSync(join(folder, name), 'utf8'), /^== APP - api == one\n== APP - api == two\n/)
})

t.test('wrong styles, and styles without a template, are refused', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  t.match(await rig.run(['run', '-f', '.', '--log-style', 'long']), {
    code: 255,
    stderr: /^Error: invalid argument "long"/
  })
  t.match(await rig.run(['run', '--timestamps', '--', 'true']), {
    code: 1,
    stderr: /^❌ {2}--timestamps formats the lines of a run template's apps/
  })
})

t.test('FORCE_COLOR and CLICOLOR_FORCE bring colours into a pipe: of our prefix, and of the app', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  for (const [env, isColoured] of [
    [{FORCE_COLOR: '1'}, true],
    [{CLICOLOR_FORCE: '1'}, true],
    [{}, false]
  ] as const) {
    const run = rig.pillion(['run', '-f', '.'], {env})
    const api = await rig.driven('api')
    t.equal(api.env['FORCE_COLOR'], isColoured ? '1' : undefined)
    await api.print('\x1b[35mviolet\x1b[39m\n')
    const line = await run.waitForLine('violet')
    if (isColoured) t.match(line, /^\x1b\[38;5;32m.*== APP - api ==.*\x1b\[35mviolet/) // oxlint-disable-line no-control-regex
    else t.equal(line, '== APP - api == violet')
    await run.end()
  }
})

t.test('on a terminal our warnings are coloured; with NO_COLOR nothing of ours is', {skip: noScreen}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  for (const [env, isColoured] of [
    [{}, true],
    [{NO_COLOR: '1'}, false]
  ] as const) {
    const screen = new Screen(rig, [...rig.program, 'run', '-f', '.'], {env})
    const api = await rig.driven('api')
    await api.print('hello\n')
    await screen.line(/^== APP - api == hello$/)
    await api.exit(2)
    await screen.line(/"api" exited with code 2/)
    await screen.ended()
    t.equal(screen.text.includes('\x1b[33m⚠  "api" exited'), isColoured)
    t.equal(screen.text.includes('\x1b[38;5;32m'), isColoured)
    t.equal(screen.text.includes('\x1b[38;5;'), isColoured)
  }
})
