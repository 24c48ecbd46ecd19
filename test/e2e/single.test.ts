import t from 'tap'
import {openRig} from '../rig/rig.ts'

const lines = (text: string): readonly string[] => text.split('\n').slice(0, -1)

t.test('a single app that ends with 0: its bytes as they come, and Dapr before App at the end', async t => {
  const rig = await openRig(t)
  const {code, stdout, stderr} = await rig.run(['run', '--app-id', 'a', '--', 'sh', '-c', 'echo hello; echo oops >&2'])
  t.equal(code, 0)
  t.equal(stderr, 'oops\n')
  const told = lines(stdout).filter(line => line !== 'hello' && !/^(ℹ️ {2}Updating|✅ {2}You're up|$)/.test(line))
  t.match(told[0], /^ℹ️ {2}Starting Dapr with id a\. HTTP Port: \d+\. gRPC Port: \d+$/)
  t.match(told[1], /^ℹ️ {2}Checking if Dapr sidecar is listening on HTTP port \d+$/)
  t.match(told[2], /^ℹ️ {2}Checking if Dapr sidecar is listening on GRPC port \d+$/)
  t.same(told.slice(3), [
    'ℹ️  Dapr sidecar is up and running.',
    '✅  Exited App successfully',
    'ℹ️  ',
    'terminated signal received: shutting down',
    '✅  Exited Dapr successfully',
    '✅  Exited App successfully'
  ])
  t.ok(lines(stdout).includes('hello'))
})

t.test('a single app that fails: exit 1, with its code told', async t => {
  const rig = await openRig(t)
  const {code, stderr} = await rig.run(['run', '--app-id', 'a', '--', 'sh', '-c', 'exit 3'])
  t.equal(code, 1)
  t.same(lines(stderr), [
    '❌  The App process exited with error code: 3',
    '❌  Error exiting App: app exited with status 3'
  ])
})

t.test('a command that is not found is told in the words of Go', async t => {
  const rig = await openRig(t)
  const {code, stdout, stderr} = await rig.run(['run', '--app-id', 'a', '--app-port', '7001', '--', 'nodee', 'app.mjs'])
  t.equal(code, 1)
  t.equal(stderr, '❌  Failed to find command nodee: exec: "nodee": executable file not found in $PATH\n')
  t.equal(lines(stdout).at(-1), '✅  Start App failed, try to stop Dapr successfully')
})

t.test('Ctrl-C ends a single app with 0; with a port nothing is said of checking', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'a', '-p', '7001', '-H', '0', '--', ...rig.drivenCommand])
  const a = await rig.driven('a')
  t.match(a.env, {APP_ID: 'a', APP_PORT: '7001', APP_CHANNEL_ADDRESS: '127.0.0.1'})
  await run.waitForLine("You're up and running! Both Dapr and your app logs will appear here.")
  t.notMatch(run.stdout.text, /Checking/)
  t.ok(run.stdout.lines.includes('ℹ️  Updating metadata for app command: ' + rig.drivenCommand.join(' ')))
  run.signalGroup('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.same(run.stdout.lines.slice(-4), [
    'ℹ️  ',
    'terminated signal received: shutting down',
    '✅  Exited Dapr successfully',
    '✅  Exited App successfully'
  ])
  t.same(await rig.leftovers(), [])
})

t.test('a single app reads what we are given', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'a', '--', 'cat'])
  run.stdin.end('to the app\n')
  t.same(await run.exited, {code: 0, signal: null})
  t.ok(run.stdout.lines.includes('to the app'))
})

t.test('bytes pass as they are, a last line without a newline too', async t => {
  const rig = await openRig(t)
  const {stdout} = await rig.run(['run', '-a', 'a', '--', 'printf', 'a\\tb%s', '\r'])
  t.match(stdout, 'a\tb\r\n')
})

t.test('no command: a sidecar alone, with a readable id of its own', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run'])
  t.equal(await run.waitForLine(/./), 'WARNING: no application command found.')
  const line = await run.waitForLine('Starting Dapr with id')
  const [, port] = /id [a-z]+-[a-z]+\. HTTP Port: (\d+)/.exec(line) ?? []
  await run.waitForLine("You're up and running! Dapr logs will appear here.")
  t.equal((await fetch(`http://127.0.0.1:${port ?? ''}/v1.0/healthz`)).status, 204)
  t.match(await run.end(), {code: 0})
})

t.test('wrong values are told bare, on stderr', async t => {
  const rig = await openRig(t)
  const table: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['--resources-path', './nothere'],
      /^❌ {2}error validating resources path \["\.\/nothere"\] : stat \.\/nothere: no such file or directory$/
    ],
    [['--max-body-size', 'much'], /^❌ {2}invalid max request body size: quantities must match/]
  ]
  for (const [flags, expected] of table) {
    const {code, stderr} = await rig.run(['run', '-a', 'a', ...flags, '--', 'true'])
    t.equal(code, 1)
    t.match(lines(stderr)[0], expected)
  }
})

t.test('a run whose reader of stderr is gone goes on, also with a flag that is deprecated', async t => {
  const rig = await openRig(t)
  // by then nobody reads the pipe
  const line = '{ sleep 0.5; "$@" 2>&1 >/dev/null; echo "CODE $?" >&3; } 3>&2 | true'
  const run = rig.start(['sh', '-c', line, 'sh', ...rig.program, 'run', '--app-ssl', '-a', 'a', '--', 'true'])
  await run.exited
  t.equal(run.stderr.text, 'CODE 0\n')
})
