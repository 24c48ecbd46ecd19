import {createServer} from 'node:http'
import t from 'tap'
import type {PsRow} from '../../src/model/api.generated.ts'
import type {Program} from '../rig/program.ts'
import {openRig} from '../rig/rig.ts'

t.test('invoke prints the body and a word of success, of a failure the status and the body on stderr', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true}])
  rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await a.listen()
  await rig.write({'data.json': '{"from":"file"}'})
  const ok = '✅  App invoked successfully\n'
  const table: readonly {args: readonly string[]; got: object; reply: object; told: object}[] = [
    {
      args: ['-m', 'orders/1?x=1', '--verb', 'GET', '--data', '{"n":1}'],
      got: {method: 'GET', url: '/orders/1?x=1', body: '{"n":1}', headers: {'content-type': 'application/json'}},
      reply: {body: '{"got":1}'},
      told: {code: 0, stdout: `{"got":1}\n${ok}`, stderr: ''}
    },
    {
      args: ['-m', 'a b'],
      got: {method: 'POST', url: '/a%20b', body: ''},
      reply: {},
      told: {code: 0, stdout: ok, stderr: ''}
    },
    {
      args: ['-m', 'x', '-f', 'data.json', '-v', 'PUT'],
      got: {method: 'PUT', body: '{"from":"file"}'},
      reply: {status: 302},
      told: {code: 0, stdout: ok, stderr: ''}
    },
    {
      args: ['-m', 'nothing'],
      got: {},
      reply: {status: 404, body: 'no'},
      told: {code: 1, stdout: '', stderr: '❌  error invoking app a: 404 Not Found\nno\n'}
    },
    {
      args: ['-m', 'fail', '--log-as-json'],
      got: {},
      reply: {status: 500, body: 'no'},
      told: {
        code: 1,
        stdout: '',
        stderr: /^\{"time":"[^"]+","status":"failure","msg":"error invoking app a: 500 Internal Server Error"\}\nno\n$/
      }
    }
  ]
  for (const {args, got, reply, told} of table) {
    const invoked = rig.run(['invoke', '--app-id', 'a', ...args])
    const request = await a.nextRequest()
    t.match(request, got, args.join(' '))
    await request.reply(reply)
    t.match(await invoked, told, args.join(' '))
  }
})

const NOTHING = 'Nothing is running: "pillion up -d" starts the template of a folder. [no-run]'

t.test('what is wrong with an invoke or a publish is said before anything is sent', async t => {
  const rig = await openRig(t)
  const table: readonly (readonly [readonly string[], string])[] = [
    [['invoke', '-a', 'zzz', '-m', 'x'], `error invoking app zzz: app ID zzz not found\n${NOTHING}`],
    [
      ['invoke', '-a', 'a', '-m', 'x', '-d', '1', '-f', '2'],
      'Only one of --data and --data-file allowed in the same invoke command'
    ],
    [
      ['invoke', '-a', 'a', '-m', 'x', '-f', 'nofile'],
      "Error reading payload from 'nofile'. Error: open nofile: no such file or directory"
    ],
    [
      ['publish', '-i', 'a', '-p', 'p', '-t', 't'],
      `Error publishing topic t: couldn't find a running Dapr instance\n${NOTHING}`
    ],
    [
      ['publish', '-i', 'a', '-p', 'p', '-t', 't', '-d', '1', '-f', '2'],
      'Only one of --data and --data-file allowed in the same publish command'
    ],
    [['publish', '-i', '', '-p', 'p', '-t', 't'], 'Error publishing topic t: publishAppID is missing']
  ]
  for (const [args, message] of table)
    t.same(await rig.run(args), {code: 1, stdout: '', stderr: `❌  ${message}\n`}, args.join(' '))
  t.match(await rig.run(['publish', '-i', 'a', '-p', 'p', '-t', 't', '-m', '{']), {
    code: 1,
    stderr: /^❌ {2}Error parsing metadata as JSON\. Error: /
  })
})

t.test('publish asks the sidecar, and tells the URL where the sidecar refuses', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'a', '--', ...rig.drivenCommand])
  await rig.driven('a')
  const {http} = await run.ports('a')
  t.match(await rig.run(['publish', '-i', 'a', '-p', 'p', '-t', 't', '-d', '1', '-m', '{"ttl":5}']), {
    code: 1,
    stdout: `http://localhost:${http}/v1.0/publish/p/t?metadata.ttl=5\n`,
    stderr:
      /^❌ {2}Error publishing topic t: unexpected status code 404 on publishing to t in p\n\{"errorCode":"ERR_PUBSUB_NOT_FOUND".*\}\n$/
  })
})

t.test('-u calls through a unix socket, with a word of warning', async t => {
  const rig = await openRig(t)
  rig.pillion(['run', '-a', 'a', '--', ...rig.drivenCommand])
  await rig.driven('a')
  const server = createServer((request, response) => response.end(`${request.method ?? ''} ${request.url ?? ''}`))
  await new Promise<void>(resolve => server.listen(`${rig.folder}/dapr-a-http.socket`, resolve))
  t.teardown(() => server.close())
  t.same(await rig.run(['invoke', '-a', 'a', '-m', 'x', '-u', '.']), {
    code: 0,
    stdout:
      '⚠  Unix domain sockets are currently a preview feature\nPOST /v1.0/invoke/a/method/x\n✅  App invoked successfully\n',
    stderr: ''
  })
  t.match(await rig.run(['invoke', '-a', 'a', '-m', 'x', '-u', '/nowhere']), {
    code: 1,
    stderr:
      /^❌ {2}error invoking app a: Post "http:\/\/127\.0\.0\.1:\d+\/v1\.0\/invoke\/a\/method\/x": dial unix \/nowhere\/dapr-a-http\.socket: connect: no such file or directory\n$/
  })
})

t.test('restart gives a running app a new process, and one that has ended, too', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [first, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await run.waitForLine('Writing log files', {nth: 2})
  const done = {code: 0, stdout: '✅  app restarted successfully: a\n', stderr: ''}
  t.same(await rig.run(['restart', '--app-id', 'a']), done)
  await first.closed
  const second = await rig.driven('a')
  t.not(second.pid, first.pid)
  t.equal(second.env['DAPR_HTTP_PORT'], first.env['DAPR_HTTP_PORT'], 'its sidecar stays')
  await second.exit(3)
  await run.waitForLine('exit status 3')
  t.same(await rig.run(['restart', '-a', 'a']), done)
  const third = await rig.driven('a')
  await third.answer({body: 'again'})
  await third.listen()
  t.match(await b.fetch('/v1.0/invoke/a/method/x'), {status: 200, body: 'again'})
  await b.exit(0)
  await run.waitForLine('Exited App successfully')
  t.notOk(run.hasExited, 'an app that was restarted keeps the run alive')
  await third.exit(0)
  t.match(await run.exited, {code: 0})
})

t.test('restart of what is not there, or not ours, fails', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'sidecar'])
  await run.waitForLine("You're up")
  t.same(await rig.run(['restart', '-a', 'zzz']), {
    code: 1,
    stdout: '',
    stderr: "❌  failed to restart app id zzz: couldn't find app id zzz\nRunning: sidecar [no-such-app]\n"
  })
  t.match(await rig.run(['restart', '-a', 'sidecar']), {
    code: 1,
    stderr: '❌  failed to restart app id sidecar: it has no command, only a sidecar\n'
  })
})

t.test('init and uninstall do nothing, say so, and take all flags of Dapr', async t => {
  const rig = await openRig(t)
  for (const args of [
    ['init'],
    ['init', '-s', '--runtime-version', '1.18.0', '--container-runtime=podman', '--network', 'x'],
    ['uninstall', '--all', '--network', 'x']
  ])
    t.match(await rig.run(args), {code: 0, stdout: /^✅ {2}Nothing to (un)?install/, stderr: ''}, args.join(' '))
})

t.test('what is for Kubernetes, or for services that are not here, says so in one line', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const own = "use Dapr's own CLI"
  const table = [
    [['init', '-k', '--wait'], `init is not supported for Kubernetes: ${own}`],
    [['uninstall', '--kubernetes'], `uninstall is not supported for Kubernetes: ${own}`],
    [['status', '-k'], `status is for Kubernetes: "pillion ps" shows what runs here; for a cluster ${own}`],
    [['logs', '-n', '5'], '--namespace is for Kubernetes: did you mean --tail 5?'],
    [['logs', '-n', 'shop'], '--namespace is for Kubernetes: add --kubernetes'],
    [['mtls', 'export', '-o', 'x'], `mtls is for Kubernetes: for a cluster ${own}`]
  ] as const
  for (const [args, message] of table)
    t.same(await rig.run(args), {code: 1, stdout: '', stderr: `❌  ${message}\n`}, args.join(' '))
  for (const [word, meant] of [
    ['top', 'ps -w'],
    ['kill', 'stop']
  ] as const)
    t.match(await rig.run([word]), {
      code: 255,
      stdout: `unknown command "${word}" for "pillion"\n\nDid you mean this?\n\t${meant}\n`
    })
})

t.test('build-info tells the versions', async t => {
  const rig = await openRig(t)
  t.match((await rig.run(['build-info'])).stdout, /^CLI:\n\tVersion: \d+\.\d+\.\d+\nRuntime:\n\tVersion: \d/)
})

t.test('the completion script for bash completes commands, flags, ids and files', async t => {
  const rig = await openRig(t)
  t.match(await rig.run(['completion', 'zsh']), {code: 0, stdout: /^#compdef pillion\n/, stderr: ''})
  t.match(await rig.run(['completion', 'fish']), {code: 0, stdout: /complete -c pillion -n .* -l run-file -s f -r/})
  t.match(await rig.run(['completion', 'tcsh']), {code: 255})
  const {stdout} = await rig.run(['completion', 'bash'])
  await rig.write({'completion.bash': stdout})
  const complete = async (...words: readonly string[]): Promise<readonly string[]> => {
    const script = `. ./completion.bash; shift 0; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pillion; printf '%s\\n' "\${COMPREPLY[@]}"`
    const shell = rig.start(['bash', '-c', script, 'bash', 'pillion', ...words])
    await shell.exited
    t.equal(shell.stderr.text, '')
    return shell.stdout.lines.filter(line => line !== '')
  }
  t.same(await complete('sto'), ['stop'])
  t.same(await complete('run', '--run'), ['--run-file', '--runtime-path'])
  t.same(await complete('run', '-f', ''), [], 'files are left to the shell')
  t.same(await complete('completion', 'b'), ['bash'])
})

t.test('an id in several runs: this folder’s run is meant, else all are named', async t => {
  const rig = await openRig(t)
  const template = JSON.stringify({version: 1, apps: [{appID: 'a', appDirPath: '.', command: rig.drivenCommand}]})
  await rig.write({'one/dapr.yaml': template, 'two/dapr.yaml': template})
  const one = rig.pillion(['run', '-f', 'one'])
  await rig.driven('a')
  const two = rig.pillion(['run', '-f', 'two'])
  await rig.driven('a')
  await two.waitForLine('Writing log files')
  const several = `app id a is in several runs: ${rig.folder}/one/dapr.yaml (pid ${one.pid}), ${rig.folder}/two/dapr.yaml (pid ${two.pid})`
  for (const [verb, message] of [
    ['stop', `failed to stop app id a: ${several}`],
    ['restart', `failed to restart app id a: ${several}`],
    ['logs', several]
  ] as const)
    t.match(
      await rig.run([verb, '--app-id', 'a']),
      {code: 1, stdout: '', stderr: new RegExp(`^❌ {2}${message.replaceAll(/[.()]/g, '\\$&')}\n`)},
      verb
    )
  t.match(await rig.run(['stop', 'a']), {stderr: /\nSelect one with --name one or --name two\. \[several-runs\]\n$/})
  await rig.write({'three/dapr.yaml': template})
  t.match(await rig.run(['stop', 'a', '-f', 'three']), {
    stderr: /^❌ {2}failed to stop app id a: there is no run of three\/dapr\.yaml\nRunning elsewhere: /
  })
  t.match(await rig.run(['stop', 'a'], {folder: 'two'}), {code: 0, stdout: '✅  app stopped successfully: a\n'})
  t.match(await two.exited, {code: 0})
  t.notOk(one.hasExited)
  t.match(await rig.run(['stop', 'a']), {code: 0}, 'the only one is meant')
  t.match(await one.exited, {code: 0})
})

t.test('in a project that does not run no command touches the run of another one', async t => {
  const rig = await openRig(t)
  const template = JSON.stringify({
    version: 1,
    apps: [{appID: 'catalog', appDirPath: '.', autoPort: true, command: rig.drivenCommand}]
  })
  await rig.write({'one/dapr.yaml': template, 'two/dapr.yaml': template, 'none/x': ''})
  const run = rig.pillion(['run', '-f', 'one'])
  const app = await rig.driven('catalog')
  await run.waitForLine('Writing log files')
  const one = `${rig.folder}/one/dapr.yaml (pid ${run.pid})`
  const refused = new RegExp(
    `nothing runs here: ${rig.folder}/two/dapr\\.yaml is not running(?:\n|\\. )Running elsewhere: ${one.replaceAll(/[().]/g, '\\$&')}\\. "pillion up -d" starts this one\\.`
  )
  t.notMatch((await rig.run(['invoke', '-a', 'catalog', '-m', 'x'], {folder: 'two'})).stderr, 'Did you mean catalog')
  const failing = [
    ['restart', 'catalog'],
    ['start', 'catalog'],
    ['debug', 'catalog'],
    ['env', 'catalog'],
    ['why', 'catalog'],
    ['calls'],
    ['graph'],
    ['fault', 'any', 'catalog', '--status', '503'],
    ['fault', '--off', 'all'],
    ['dashboard', '--no-open'],
    ['replay', '--pinned'],
    ['events'],
    ['invoke', '-a', 'catalog', '-m', 'x'],
    ['publish', '-i', 'catalog', '-p', 'p', '-t', 't'],
    ['assign', 'catalog', '1.0.0']
  ]
  for (const args of failing)
    t.match(await rig.run(args, {folder: 'two'}), {code: 1, stdout: '', stderr: refused}, args.join(' '))
  for (const args of [['ps'], ['ps', '-o', 'json'], ['ls'], ['notifications']]) {
    const {code, stdout, stderr} = await rig.run(args, {folder: 'two'})
    t.match({code, stderr}, {code: 0, stderr: refused}, args.join(' '))
    t.notMatch(stdout, 'catalog')
  }
  t.match(await rig.run(['logs', 'catalog'], {folder: 'two'}), {code: 1, stderr: `Running elsewhere: ${one}`})
  t.match(await rig.run(['wait', '--for', 'ready', '--timeout', '50ms'], {folder: 'two'}), {code: 124})
  t.match(
    (await rig.run(['restart', '--', 'catalog'], {folder: 'none'})).stderr,
    `ℹ️  Using the run of another folder: ${one}\n`
  )
  const again = await rig.driven('catalog')
  t.not(again.pid, app.pid, 'only the last one has touched it')
  t.match(await rig.run(['ps', '-f', '../one'], {folder: 'two'}), {code: 0, stdout: /catalog/, stderr: ''})
  t.match(await rig.run(['list', '-o', 'json'], {folder: 'two'}), {stdout: /"catalog"/, stderr: ''})
  const ends = /^ℹ️  "catalog" was the last app of the run, which ends\n$/
  t.match(await rig.run(['stop', 'catalog'], {folder: 'two'}), {code: 0, stderr: ends}, 'as Dapr does')
  t.match(await run.exited, {code: 0})
})

t.test('a second run of a template says so after the start lines, and stop -f ends both', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const first = rig.pillion(['run', '-f', '.'])
  await first.waitForLine('Writing log files')
  const second = rig.pillion(['run', '-f', '.'])
  t.match(
    await second.waitForLine('is already running', {stream: 'stderr'}),
    `⚠  dapr.yaml is already running (pid ${first.pid})`
  )
  await second.waitForLine('Writing log files')
  t.match(await rig.run(['stop', '-f', '.']), {code: 0, stdout: '✅  Dapr and app processes stopped successfully\n'})
  t.match(await first.exited, {code: 0})
  t.match(await second.exited, {code: 0})
})

t.test('two copies of one template, each by its name', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const copies: {name: string; run: Program}[] = []
  // they are told in the order of their starts
  for (const name of ['main', 'pr-214']) {
    const run = rig.pillion(['run', '-f', '.', '--name', name])
    copies.push({name, run})
    await run.waitForLine('Writing log files')
  }
  const ports = new Set<number>()
  for (const {name, run} of copies) {
    const [row] = JSON.parse((await rig.run(['ps', '-o', 'json', '--name', name])).stdout) as PsRow[]
    t.match(row, {runName: name, runPid: run.pid, id: 'a'})
    ports.add(row?.httpPort ?? 0)
  }
  t.equal(ports.size, 2)
  t.match((await rig.run(['ps'])).stdout, /^main: .*\n[^]*\npr-214: /)
  t.match(await rig.run(['restart', 'a']), {code: 1, stderr: /Select one with --name main or --name pr-214/})
  t.match(await rig.run(['restart', 'a', '--name', 'pr-214']), {code: 0})
  t.match(await rig.run(['run', '-f', '.', '--name', 'main']), {
    code: 1,
    stderr: /a run is called "main" already \(pid/
  })
  t.match(await rig.run(['run', '-f', '.', '--name', 'a/b']), {code: 1, stderr: /no run can be called "a\/b"/})
  t.match(await rig.run(['down', '--name', 'pr']), {code: 1, stderr: /no run is called "pr"/})
  t.match(await rig.run(['down', '--name', 'pr-214']), {code: 0, stdout: / stopped\n/})
  t.match(await copies[1]?.run.exited, {code: 0})
  t.match(await rig.run(['stop', 'a', '--name', 'mian']), {
    stderr: '❌  failed to stop app id a: no run is called "mian": did you mean "main"?\nRunning: main [no-such-run]\n'
  })
  t.match(await rig.run(['stop', 'a', '--name', 'main']), {code: 0})
  t.match(await copies[0]?.run.exited, {code: 0})
})

t.test('list of single runs: blank columns are left out', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'a', '-p', '7001', '--', 'sleep', '60'])
  await run.waitForLine("You're up")
  const {stdout} = await rig.run(['list'])
  t.equal(
    stdout.split('\n')[0]?.trimEnd().replaceAll(/ {2,}/g, '|'),
    'APP ID|HTTP PORT|GRPC PORT|APP PORT|COMMAND|AGE|CREATED|DAPRD PID|CLI PID|APP PID'
  )
})

t.test('invoke shows the token of its shell to the sidecar', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true}])
  const env = {DAPR_API_TOKEN: 'secret'}
  rig.pillion(['run', '-f', '.'], {env})
  const a = await rig.driven('a')
  await a.answer({body: 'let in'})
  await a.listen()
  t.match(await rig.run(['invoke', '-a', 'a', '-m', 'x'], {env}), {code: 0, stdout: /^let in\n/})
  t.match(await rig.run(['invoke', '-a', 'a', '-m', 'x']), {
    code: 1,
    stderr: '❌  error invoking app a: 401 Unauthorized\n'
  })
})

t.test('an app of a template has nothing to read', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: ['sh', '-c', 'wc -c; readlink /proc/self/fd/0']}])
  const run = rig.pillion(['run', '-f', '.'])
  run.stdin.end('not for the app')
  t.match(await run.exited, {code: 0})
  t.ok(run.stdout.lines.includes('== APP - a == 0'))
  t.ok(run.stdout.lines.includes('== APP - a == /dev/null'))
})
