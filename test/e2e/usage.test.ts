import {symlinkSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {noScreen, Screen} from '../rig/screen.ts'

t.test('wrong words end with 255, the usage on stderr and the message on both streams', async t => {
  const rig = await openRig(t)
  const table: readonly (readonly [readonly string[], string])[] = [
    [['run', '--flag'], 'unknown flag: --flag'],
    [['stop', '-p', 'x'], "unknown shorthand flag: 'p' in -p"],
    [['run', '-f'], "flag needs an argument: 'f' in -f"],
    [
      ['run', '--app-port', 'abc'],
      'invalid argument "abc" for "-p, --app-port" flag: strconv.ParseInt: parsing "abc": invalid syntax'
    ]
  ]
  for (const [args, message] of table) {
    const {code, stdout, stderr} = await rig.run(args)
    t.equal(code, 255, args.join(' '))
    t.equal(stdout, `${message}\n`)
    t.ok(stderr.startsWith(`Error: ${message}\nUsage:\n  pillion ${args[0] ?? ''} [flags]\n`), stderr.slice(0, 200))
    t.match(stderr, /-f, --run-file string/)
  }
})

t.test('an unknown command gets the near miss', async t => {
  const rig = await openRig(t)
  const {code, stdout, stderr} = await rig.run(['runn'])
  t.equal(code, 255)
  t.match(stdout, 'unknown command "runn" for "pillion"\n\nDid you mean this?\n\trun\n')
  t.match(stderr, /^Error: unknown command "runn" for "pillion"[^]*Run 'pillion --help' for usage\.\n$/)
})

t.test('help shows what the folder can use, help --all everything; the help of a command fits a terminal', async t => {
  const rig = await openRig(t)
  const app = {appID: 'a', appDirPath: '.', command: ['sleep', '600']}
  await rig.write({
    'none/x': '',
    'plain/pillion.yaml': JSON.stringify({version: 1, apps: [{id: 'a', dir: '.', command: ['sleep', '600']}]}),
    'dapr/dapr.yaml': JSON.stringify({version: 1, apps: [app]}),
    'daeploy/dapr.yaml': JSON.stringify({version: 1, managerPort: 0, apps: [app]})
  })
  const shown = async (folder: string, ...args: readonly string[]): Promise<readonly string[]> => {
    const {code, stdout, stderr} = await rig.run(args, {folder})
    t.same({code, stderr}, {code: 0, stderr: ''})
    t.match(
      stdout,
      /^Run all your services with one command\.\n\nUsage:\n {2}pillion \[command\]\n\nRun and stop:\n {2}up /
    )
    const names = [...stdout.matchAll(/^ {2}([\w-]+) {2,}\w/gm)].map(([, name = '']) => name)
    if (!args.includes('--all')) t.ok(names.length <= 25)
    t.same(
      stdout.split('\n').filter(line => line.length > 80),
      []
    )
    return names
  }
  const none = await shown('none')
  t.match(
    (await rig.run([], {folder: 'none'})).stdout,
    'There is no template in this folder: "pillion import" writes one.'
  )
  for (const args of [['help'], ['--help'], []]) t.same(await shown('plain', ...args), none)
  for (const name of ['invoke', 'jobs', 'actors', 'scheduler', 'workflow', 'ls', 'assign', 'list'])
    t.notOk(none.includes(name), name)
  t.ok((await shown('dapr')).includes('publish'))
  t.ok((await shown('daeploy')).includes('assign'))
  const all = await shown('plain', 'help', '--all')
  t.ok(['jobs', 'scheduler', 'run', 'assign', 'completion'].every(name => all.includes(name)))
  const help = await rig.run(['run', '--help'])
  t.match(help, {code: 0, stderr: ''})
  t.match(help.stdout, / {2}-a, --app-id string +The id for your application, used for/)
  t.match(help.stdout, /Global Flags:\n {6}--log-as-json/)
})

t.test('help shows the commands of workflows and jobs once a run has used them', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: ['sleep', '600']}])
  const run = rig.pillion(['up'])
  const {http} = await run.ports('a')
  t.notMatch((await rig.run(['help'])).stdout, /^ {2}jobs /m)
  const response = await fetch(`http://127.0.0.1:${http}/v1.0/jobs/report`, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({schedule: '@every 1h', data: 'x'})
  })
  t.ok(response.ok)
  await run.end('SIGINT')
  t.match((await rig.run(['help'])).stdout, /^ {2}jobs +List, run, pause and delete scheduled jobs$/m)
})

t.test('version tells both versions, the first line with its blank', async t => {
  const rig = await openRig(t)
  for (const args of [['version'], ['--version'], ['-v']])
    t.match((await rig.run(args)).stdout, /^CLI version: \d+\.\d+\.\d+ \nRuntime version: \d+\.\d+\.\d+\n$/)
  t.match(JSON.parse((await rig.run(['version', '-o', 'json'])).stdout), {'Cli version': /./, 'Runtime version': /./})
})

t.test('called by a link named dapr, it calls itself dapr', async t => {
  const rig = await openRig(t)
  const link = join(rig.folder, 'dapr')
  symlinkSync(rig.program.at(-1) ?? '', link)
  const called = rig.start([...rig.program.slice(0, -1), link, 'frobnicate'])
  t.match(await called.exited, {code: 255})
  t.equal(called.stdout.text, 'unknown command "frobnicate" for "dapr"\n')
})

t.test('on a terminal a wrong flag gets the message and a hint, without the usage', {skip: noScreen}, async t => {
  const rig = await openRig(t)
  const screen = new Screen(rig, [...rig.program, 'run', '--watc'])
  await screen.shows(/--help/)
  t.match(screen.text, 'Error: unknown flag: --watc')
  t.match(screen.text, 'Did you mean --watch?')
  t.match(screen.text, "Run 'pillion run --help' for usage.")
  t.notMatch(screen.text, 'Flags:')
})

t.test('what does not fit on a full disk is told, with exit code 1', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const words = rig.program.map(word => `'${word}'`).join(' ')
  const commands = [
    '--help',
    '--version',
    'help nothing',
    'validate -o json',
    'doctor',
    'schema',
    'list',
    'ps -w',
    'build-info'
  ]
  for (const command of commands) {
    const program = rig.start(['sh', '-c', `exec ${words} ${command} > /dev/full`])
    t.same(await program.exited, {code: 1, signal: null}, command)
    t.equal(program.stderr.text, 'cannot write to stdout: no space left on device\n', command)
  }
  const exported = rig.start(['sh', '-c', `exec ${words} export compose > /dev/full`])
  t.same(await exported.exited, {code: 1, signal: null})
  t.notMatch(exported.stderr.text, /^ +at /m, 'a mistake whose message goes to stdout has no stack trace')
  const reader = rig.start(['sh', '-c', `{ ${words} schema; echo "code $?" >&2; } | head -c 1`])
  t.same(await reader.exited, {code: 0, signal: null})
  t.equal(reader.stderr.text, 'code 0\n', 'a reader that leaves is no mistake')
})
