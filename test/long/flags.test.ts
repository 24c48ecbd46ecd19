import t from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const ready = "You're up and running! Both Dapr and your app logs will appear here."

/** A single run of a driven app. */
const single = async (
  rig: Rig,
  ...flags: readonly string[]
): Promise<{run: Program; env: Readonly<Record<string, string>>}> => {
  const run = rig.pillion(['run', '-a', 'a', ...flags, '--', ...rig.drivenCommand])
  const {env} = await rig.driven('a')
  await run.waitForLine(ready)
  return {run, env}
}

const isOfSidecar = (line: string): boolean => line.startsWith('{"app_id":"a",')

t.test('missing flags are named, all of them, in their order', async t => {
  const rig = await openRig(t)
  for (const [args, message] of [
    [['invoke'], 'required flag(s) "app-id", "method" not set'],
    [['invoke', '-m', 'x'], 'required flag(s) "app-id" not set'],
    [['publish', '-t', 'x'], 'required flag(s) "publish-app-id", "pubsub" not set']
  ] as const) {
    const {code, stdout, stderr} = await rig.run(args)
    t.equal(code, 255, args.join(' '))
    t.equal(stdout, `${message}\n`)
    t.ok(stderr.startsWith(`Error: ${message}\nUsage:\n  pillion ${args[0]} [flags]\n`), stderr)
  }
})

t.test('wrong words: a number, a switch, a list of shorts, a flag that was nearly right', async t => {
  const rig = await openRig(t)
  for (const [args, message] of [
    [
      ['run', '-p', 'abc'],
      'invalid argument "abc" for "-p, --app-port" flag: strconv.ParseInt: parsing "abc": invalid syntax'
    ],
    [
      ['logs', '-a', 'a', '-f=maybe'],
      'invalid argument "maybe" for "-f, --follow" flag: strconv.ParseBool: parsing "maybe": invalid syntax'
    ],
    [['run', '--app-id'], 'flag needs an argument: --app-id'],
    [['run', '-xy'], "unknown shorthand flag: 'x' in -xy"],
    [['run', '-v'], "unknown shorthand flag: 'v' in -v"],
    [['stop', '--run-fil', 'x'], 'unknown flag: --run-fil'],
    [['completion'], 'completion needs a shell: bash, zsh or fish'],
    [['stop', '--version=', 'hello'], '--version is empty: expected a version of a service'],
    [['copies', 'rm', 'pr'], 'unknown command "rm" for "pillion copies"'],
    [['graph', 'shop'], 'graph takes no arguments, and got shop'],
    [['dashboard', 'pr'], 'dashboard takes no arguments, and got pr'],
    [['notifications', 'hello'], 'notifications takes no arguments, and got hello']
  ] as const) {
    const {code, stdout, stderr} = await rig.run(args)
    t.equal(code, 255, args.join(' '))
    t.equal(stdout, `${message}\n`)
    const isOfDapr = ['run', 'logs', 'stop'].includes(args[0])
    t.ok(stderr.startsWith(`Error: ${message}\n${isOfDapr ? 'Usage:\n' : `Run 'pillion ${args[0]}`}`), stderr)
    if (message.includes('run-fil')) t.match(stderr, /Did you mean --run-file\?\n$/)
  }
})

t.test('flags come before, between and after words until --; the program’s own are taken, too', async t => {
  const rig = await openRig(t)
  await rig.write({'print.sh': 'echo "$APP_ID $APP_PORT: $@"'})
  for (const [args, expected] of [
    [['run', '--app-id', 'a', 'sh', 'print.sh', '-p', '5000', 'x'], 'a 5000: x'],
    [['run', 'sh', '-a=b', 'print.sh', '-p7000', '--enable-profiling=false'], 'b 7000: '],
    [['run', '-a', 'c', '-p=0x1388', '--', 'sh', 'print.sh', '-p', '1', '--', 'y'], 'c 5000: -p 1 -- y'],
    [['run', '--log-as-json=false', '-a', 'd', '--app-port', '-1', 'sh', 'print.sh'], 'd : ']
  ] as const) {
    const {stdout} = await rig.run(args)
    t.ok(stdout.split('\n').includes(expected), stdout)
  }
})

t.test('deprecated flags still work, and say so on stderr', async t => {
  const rig = await openRig(t)
  await rig.write({'res/.keep': ''})
  const {run, env} = await single(rig, '--components-path', 'res', '--app-ssl')
  await run.waitForLine('Flag --components-path', {stream: 'stderr'})
  t.same(run.stderr.lines.slice(0, 2), [
    'Flag --app-ssl has been deprecated, This flag is deprecated and will be removed in the future releases. Use "app-protocol" flag with https or grpcs values instead',
    'Flag --components-path has been deprecated, This flag is deprecated and will be removed in the future releases. Use "resources-path" flag instead'
  ])
  t.equal(env['APP_PROTOCOL'], 'https')
  t.notMatch((await rig.run(['run', '--help'])).stdout, /components-path|app-ssl/)
})

t.test('flags of a single run reach the app and its sidecar', async t => {
  const rig = await openRig(t)
  await rig.write({'one/.keep': '', 'two/.keep': '', 'three/.keep': ''})
  const flags = [
    '-p',
    '7001',
    '--app-channel-address',
    'localhost',
    '--resources-path',
    'one,two',
    '--resources-path',
    'three'
  ]
  const {run, env} = await single(
    rig,
    ...flags,
    ...'--metrics-port 0 -I -1 --log-level debug --dapr-listen-addresses 127.0.0.1'.split(' ')
  )
  t.match(env, {
    APP_ID: 'a',
    APP_PORT: '7001',
    APP_PROTOCOL: 'http',
    APP_CHANNEL_ADDRESS: 'localhost',
    DAPR_METRICS_PORT: /^\d+$/
  })
  const {http} = await run.ports('a')
  await t.rejects(fetch(`http://[::1]:${http}/v1.0/healthz`), 'it listens where it is told to, and nowhere else')
  const metadata = (await (await fetch(`http://127.0.0.1:${http}/v1.0/metadata`)).json()) as Record<string, unknown>
  t.match(metadata, {
    id: 'a',
    appConnectionProperties: {port: 7001, protocol: 'http', channelAddress: 'localhost'},
    extended: {cliPID: run.pid.toString(), appCommand: rig.drivenCommand.join(' ')}
  })
})

t.test('flags without meaning here are accepted in silence', async t => {
  const rig = await openRig(t)
  const {run} = await single(
    rig,
    ...'--app-protocol grpc --enable-profiling --placement-host-address x --scheduler-host-address'.split(' '),
    ''
  )
  await run.waitForLine("You're up and running! Both Dapr and your app logs will appear here.")
  t.strictSame(run.stderr.lines, [])
})

t.test('--log-as-json: every status line of ours is JSON, the app’s lines are not', async t => {
  const rig = await openRig(t)
  const {code, stdout, stderr} = await rig.run([
    ...'run --log-as-json -a a --enable-api-logging -- sh -c'.split(' '),
    'echo plain; exit 3'
  ])
  t.equal(code, 1)
  const told = stdout.split('\n').filter(line => line !== 'plain' && line !== '')
  t.ok(told.some(isOfSidecar), 'lines of the sidecar have its own form')
  for (const line of [...told.filter(each => !isOfSidecar(each)), ...stderr.split('\n').slice(0, -1)])
    t.match(
      JSON.parse(line),
      {time: /^\d{4}-\d\d-\d\dT.*Z$/, status: /^(success|failure|warning|info)$/, msg: /./},
      line
    )
  t.ok(stdout.split('\n').includes('plain'))
  await rig.template([{appID: 't', command: ['echo', 'plain']}])
  const run = await rig.run(['run', '-f', '.', '--log-as-json'])
  t.match(JSON.parse(run.stdout.split('\n')[0] ?? ''), {status: 'info', msg: 'Validating config and starting app "t"'})
  for (const [args, stream, msg] of [
    [['stop', 'zzz', '--log-as-json'], 'stderr', "failed to stop app id zzz: couldn't find app id zzz"],
    [['list', '-o', 'xml', '--log-as-json'], 'stderr', 'An invalid output format was specified.'],
    [['init', '--log-as-json'], 'stdout', /^Nothing to install/],
    [['--log-as-json', 'mtls'], 'stderr', "mtls is for Kubernetes: for a cluster use Dapr's own CLI"]
  ] as const)
    t.match(JSON.parse((await rig.run(args))[stream]), {msg}, args.join(' '))
  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - appID: a\n    command: [x]\n  - appID: b\n    command: [y]\n'})
  const refused = await rig.run(['run', '-f', '.', '--log-as-json'])
  const mistakes = `${refused.stdout}${refused.stderr}`.split('\n').filter(line => /required field|❌/.test(line))
  for (const line of mistakes) t.match(JSON.parse(line), {status: 'failure', msg: /'appDirPath' not found/}, line)
  t.equal(mistakes.length, 2)
})

t.test('help of a command comes by help, --help and -h; an unknown one gets the overview', async t => {
  const rig = await openRig(t)
  const {stdout} = await rig.run(['stop', '--help'])
  t.match(stdout, /^Stop apps\. With -f: all apps of a template\.\n\nUsage:\n {2}pillion stop \[flags\]\n/)
  for (const args of [
    ['help', 'stop'],
    ['stop', '-h'],
    ['stop', '--app-id', 'x', '-h']
  ])
    t.same(await rig.run(args), {code: 0, stdout, stderr: ''}, args.join(' '))
  const [overview, all] = [(await rig.run([])).stdout, (await rig.run(['help', '--all'])).stdout]
  const names = 'run stop list logs invoke publish restart init uninstall completion build-info version validate'
  for (const name of names.split(' ')) t.match(all, new RegExp(`^ {2}${name} +\\S`, 'm'))
  t.same(await rig.run(['help']), {code: 0, stdout: overview, stderr: ''})
  t.same(await rig.run(['help', 'stopp']), {code: 0, stdout: `Unknown help topic [\`stopp\`]\n${overview}`, stderr: ''})
})

t.test('stop without an id does nothing; with several it goes through them all', async t => {
  const rig = await openRig(t)
  t.match(await rig.run(['stop']), {
    code: 0,
    stdout: '',
    stderr: /^⚠ {2}Nothing is named, so nothing is stopped: .*\n$/
  })
  const run = rig.pillion(['run', '-a', 'a', '--', 'sleep', '60'])
  await run.waitForLine("You're up")
  t.same(await rig.run(['stop', 'zzz', '--app-id', 'a']), {
    code: 0,
    stdout: '✅  app stopped successfully: a\n',
    stderr: "❌  failed to stop app id zzz: couldn't find app id zzz\nRunning: a [no-such-app]\n"
  })
  t.same(await run.exited, {code: 0, signal: null})
  t.same(run.stdout.lines.slice(-3), [
    'terminated signal received: shutting down',
    '✅  Exited Dapr successfully',
    '✅  Exited App successfully'
  ])
})

t.test('version -o takes json alone', async t => {
  const rig = await openRig(t)
  t.same(await rig.run(['version', '-o', 'xml']), {
    code: 1,
    stdout: '',
    stderr: '❌  An invalid output format was specified.\n'
  })
})

t.test('a template from stdin is stopped as -, from where it was started', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const run = rig.start(['sh', '-c', 'exec "$@" < dapr.yaml', 'sh', ...rig.program, 'run', '-f', '-'])
  await run.waitForLine('Writing log files')
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly {runTemplatePath: string}[]
  t.match(rows, [{runTemplatePath: `${rig.folder}/-`}])
  t.match(await rig.run(['stop', '-f', '.']), {code: 0, stderr: /couldn't find apps with run file/})
  t.match(await rig.run(['stop', '-f', '-']), {code: 0, stdout: '✅  Dapr and app processes stopped successfully\n'})
  t.match(await run.exited, {code: 0})
})

t.test('files that are no template are refused in Dapr’s words', async t => {
  const rig = await openRig(t)
  await rig.write({'res/x.txt': '', 'app.mjs': ''})
  const nothing = 'no such file or directory'
  for (const [typed, why] of [
    ['none.yaml', `error getting file info for none.yaml: stat none.yaml: ${nothing}`],
    [
      'res',
      `error in validating the file path "res/dapr.yaml": error in getting the file info for res/dapr.yaml: stat res/dapr.yaml: ${nothing}`
    ],
    ['app.mjs', 'file "app.mjs" is not a YAML file']
  ] as const)
    for (const verb of ['run', 'stop'])
      t.same(
        await rig.run([verb, '-f', typed]),
        {
          code: 1,
          stdout: '',
          stderr: `❌  Failed to get run file path: ${why}\nName a file that ends in .yaml or .yml, or a folder with a pillion.yaml or dapr.yaml. [template-unreadable]\n`
        },
        `${verb} ${typed}`
      )
})

t.test('a template without apps, or that is broken, is told on stdout', async t => {
  const rig = await openRig(t)
  for (const [text, first] of [
    ['version: 1', '❌  No apps to run'],
    [
      'apps: []',
      "❌  Error getting apps from config file: required field 'version' not found in the provided run template file"
    ],
    [
      'version: 1\napps: [{appDirPath: nowhere}]',
      /^❌ {2}Error getting apps from config file: error in getting the file info for .*\/nowhere: stat .*\/nowhere: no such file or directory$/
    ]
  ] as const) {
    await rig.write({'dapr.yaml': text})
    const {code, stdout} = await rig.run(['run', '-f', '.'])
    t.equal(code, 1)
    t.match(stdout.split('\n')[0], first)
  }
})
