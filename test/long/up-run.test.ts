import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const invoke = (id: string, path: string): string =>
  `curl -s http://127.0.0.1:$DAPR_HTTP_PORT/v1.0/invoke/${id}/method${path}`

const SERVER = `
const http = process.getBuiltinModule('node:http')
console.log('stock begins') // before it is ready, with which the command starts
http.createServer((request, response) => {
  if (request.url === '/die') process.exit(3)
  response.writeHead(request.url === '/fail' ? 503 : 200)
  response.end('stock')
}).listen(process.env.APP_PORT)
`
const stock = {appID: 'stock', appDirPath: '.', autoPort: true, command: ['node', 'stock.mjs']}

/** A folder with one app that answers. */
async function shop(t: Parameters<typeof openRig>[0], app: Readonly<Record<string, unknown>> = {}): Promise<Rig> {
  const rig = await openRig(t)
  await rig.write({'stock.mjs': SERVER, 'dapr.yaml': JSON.stringify({version: 1, apps: [{...stock, ...app}]})})
  return rig
}

t.test('up --run runs a command when all apps are ready, with its own sidecar, and exits with its code', async t => {
  const rig = await shop(t)
  const {code, stdout, stderr} = await rig.run([
    'up',
    '--run',
    `${invoke('stock', '/x')}; echo " $APP_ID"; [ -n "$DAPR_GRPC_PORT" ]; exit 7`
  ])
  t.equal(code, 7)
  t.equal(stdout, 'stock test\n', 'stdout is the command’s')
  t.match(stderr, /Starting 1 app of dapr\.yaml for: /)
  t.match(stderr, /The apps are ready after [\d.]+ s\. Running: curl/)
  t.match(stderr, /⚠ {2}The command exited with code 7 after /)
  t.notMatch(stderr, 'stock begins', 'the output of the apps goes to files')
  t.same(await rig.leftovers(), [])
  t.match(await rig.run(['up', '--as', 'e2e', '--logs', '--run', 'echo $APP_ID']), {
    code: 0,
    stdout: 'e2e\n',
    stderr: /== APP - stock == stock begins/
  })
})

t.test('the exit code is the command’s, or says what was wrong with it, as in shells', async t => {
  const rig = await shop(t)
  await rig.write({'not-executable': 'x'})
  t.match(await rig.run(['up', '--run', 'no-such-command']), {code: 127, stderr: /no-such-command: not found/})
  t.match(await rig.run(['up', '--run', './not-executable']), {code: 126, stderr: /[Pp]ermission denied/})
  t.match(await rig.run(['up', '--run', 'kill -9 $$']), {code: 137, stderr: /The command was ended by SIGKILL/})
  t.match(await rig.run(['up', '--run', 'exec >&-; echo x 2>/dev/null; exit 3']), {code: 3}, 'it closes stdout')
})

t.test('a command reads stdin', async t => {
  const rig = await shop(t)
  const run = rig.pillion(['up', '--run', 'cat'])
  run.stdin.end('what came in')
  t.match(await run.exited, {code: 0})
  t.equal(run.stdout.text, 'what came in')
})

const LEAVING = `setsid sh -c 'touch left; exec sleep 600' >/dev/null 2>&1 & while [ ! -e left ]; do :; done; exit 5`

t.test('what the command leaves behind is ended, and named', async t => {
  const rig = await shop(t)
  const {code, stderr} = await rig.run(['up', '--run', LEAVING])
  t.equal(code, 5)
  t.match(stderr, /ended process \d+, which the command had left behind: (sleep 600|sh -c touch left)/)
  t.same(await rig.leftovers(), [])
})

t.test('apps that do not become ready: 125, the command is not run, and each is named with its last lines', async t => {
  const rig = await shop(t)
  await rig.write({
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        stock,
        {appID: 'broken', appDirPath: '.', command: ['sh', '-c', 'echo no database; exit 4']},
        {...stock, appID: 'after', dependsOn: {broken: 'completed'}}
      ]
    })
  })
  const {code, stdout, stderr} = await rig.run(['up', '--run', 'echo never'])
  t.equal(code, 125)
  t.equal(stdout, '')
  t.match(stderr, /\n"broken": exited 4, crashed once\n/)
  t.match(stderr, /Its last lines:\n {2}no database\n/)
  t.match(stderr, /\n"after": not started\n {2}"after" was not started: it depends on `?"?broken/)
  t.notMatch(stderr, /\n"stock": .*\n.*\n(It wrote|Its last)/)
  t.same(await rig.leftovers(), [])
})

t.test('an app that is not ready within its own time: 125; a one-shot app that has ended is ready', async t => {
  const rig = await shop(t, {command: ['sleep', '600'], ready: {timeout: '300ms'}})
  t.match(await rig.run(['up', '--run', 'echo never']), {
    code: 125,
    stdout: '',
    stderr: /"stock" is not ready after 0\.3 s/
  })
  await rig.write({
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'migrate', appDirPath: '.', command: ['sh', '-c', 'echo done > migrated']},
        {...stock, dependsOn: {migrate: 'completed'}}
      ]
    })
  })
  t.match(await rig.run(['up', '--run', 'cat migrated']), {code: 0, stdout: 'done\n'})
})

t.test('--timeout: 124, whether the apps are not ready or the command does not end', async t => {
  const rig = await shop(t)
  const {code, stderr} = await rig.run(['up', '--timeout', '2s', '--run', "trap '' TERM; touch begun; exec sleep 600"])
  t.equal(code, 124)
  t.match(stderr, /The command was ended by SIGKILL after .*: the time was up/)
  t.ok(existsSync(join(rig.folder, 'begun')))
  const slow = await shop(t, {command: ['sleep', '600']})
  t.match(await slow.run(['up', '--timeout', '500ms', '--run', 'echo never']), {
    code: 124,
    stdout: '',
    stderr: /\n"stock": (not ready|starting)/
  })
  t.same(await slow.leftovers(), [])
})

t.test('an app that crashes while the command runs is named with its request; --strict makes it an error', async t => {
  const rig = await shop(t)
  const command = `${invoke('stock', '/die')} >/dev/null`
  const lax = await rig.run(['up', '--run', command])
  t.equal(lax.code, 0)
  t.match(lax.stderr, /\n"stock": exited 3, crashed once\n/)
  t.match(lax.stderr, /In flight when it exited:\n {2}CALL .*\n.*test → stock +GET \/die/)
  t.match(await rig.run(['up', '--strict', '--run', command]), {code: 1})
  t.match(await rig.run(['up', '--strict', '--run', `${command}; exit 9`]), {code: 9}, 'its own code comes first')
  t.match(await rig.run(['up', '--strict', '--run', invoke('stock', '/x')]), {code: 0})
})

t.test('a command that fails is followed by the latest calls that failed', async t => {
  const rig = await shop(t)
  const {stderr} = await rig.run(['up', '--run', `${invoke('stock', '/fail')}; exit 1`])
  t.match(stderr, /The latest calls that failed:\n {2}CALL .*\n.*test → stock +GET \/fail +503/)
})

t.test('a signal goes to the command first; its own code is the exit code', async t => {
  const rig = await shop(t)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const run = rig.pillion(['up', '--run', `trap 'echo asked; exit 6' INT TERM; echo begun; sleep 600 & wait`])
    await run.waitForLine('begun')
    run.signal(signal)
    t.match(await run.exited, {code: 6}, signal)
    t.match(run.stdout.text, 'asked\n')
    t.match(run.stderr.text, 'Waiting for the command to end.')
    t.same(await rig.leftovers(), [])
  }
  const run = rig.pillion(['up', '--run', 'echo begun; exec sleep 600'])
  await run.waitForLine('begun')
  t.match(await run.end('SIGINT'), {code: 130}, 'it was killed by it')
})

t.test('a second signal kills everything at once', async t => {
  const rig = await shop(t)
  const run = rig.pillion(['up', '--run', `trap '' INT TERM; echo begun; while :; do sleep 1; done`])
  await run.waitForLine('begun')
  run.signal('SIGINT')
  await run.waitForLine('Waiting for the command to end.', {stream: 'stderr'})
  t.match(await run.end('SIGINT'), {code: 137})
  t.same(await rig.leftovers(), [])
})

t.test('a signal before the apps are ready ends the run: 130', async t => {
  const rig = await shop(t, {command: ['sh', '-c', 'touch begun; exec sleep 600']})
  const run = rig.pillion(['up', '--run', 'echo never'])
  while (!existsSync(join(rig.folder, 'begun'))) await pause(10)
  t.match(await run.end('SIGINT'), {code: 130})
  t.equal(run.stdout.text, '')
  t.same(await rig.leftovers(), [])
})

t.test('stop ends the command, too; a killed run leaves nothing of it', async t => {
  const rig = await shop(t)
  const run = rig.pillion(['up', '--run', `echo begun; exec sleep 600`])
  await run.waitForLine('begun')
  t.match(await rig.run(['stop', '-f', '.']), {code: 0})
  t.match(await run.exited, {code: 143})
  t.match(run.stderr.text, /The command was ended by SIGTERM after .*: the run was stopped/)
  const well = rig.pillion(['up', '--run', `trap 'exit 0' TERM; echo begun; sleep 600 & wait`])
  await well.waitForLine('begun')
  t.match(await rig.run(['down']), {code: 0})
  t.match(await well.exited, {code: 1}, 'it was not done, although it ended with 0')
  const killed = rig.pillion(['up', '--run', `echo begun; exec sleep 600`])
  await killed.waitForLine('begun')
  killed.signal('SIGKILL')
  t.same(await rig.leftovers(), [])
})

t.test('stop waits for a command whose processes do not carry our marks, and its code is the exit code', async t => {
  const rig = await shop(t)
  await rig.write({'slow.sh': "trap 'sleep 1; exit 5' TERM; echo begun; while :; do sleep 0.1; done"})
  const run = rig.pillion(['up', '--run', `env -i PATH="$PATH" RIG_SOCKET="$RIG_SOCKET" sh slow.sh`])
  await run.waitForLine('begun')
  t.match(await rig.run(['down']), {code: 0})
  t.match(await run.exited, {code: 5})
  t.match(run.stderr.text, /The command exited with code 5 after [\d.]+ s: the run was stopped/)
})

t.test('on a terminal the command reads it and gets its Ctrl-C, once', async t => {
  const rig = await shop(t)
  await rig.write({
    'typing.sh': `[ -t 0 ] && [ -t 1 ] && echo "a terminal"; read line; echo "read $line"; trap 'echo interrupted; exit 8' INT; echo trapped; while :; do sleep 0.1; done\n`
  })
  const words = ['exec', ...rig.program, 'up', '--run', 'sh typing.sh']
    .map((word, index) => (index === 0 ? word : `'${word}'`))
    .join(' ')
  const run = rig.start(['script', '-qfec', words, '/dev/null'])
  await run.waitForLine('a terminal')
  run.stdin.write('hello\n')
  await run.waitForLine('read hello')
  await run.waitForLine('trapped')
  run.stdin.write('\x03')
  t.match(await run.exited, {code: 8})
  t.equal(run.stdout.text.split('interrupted').length, 2)
})

const SLOW = `
import {appendFileSync} from 'node:fs'
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  response.end()
  if (['/again', '/slow'].includes(request.url)) setTimeout(() => appendFileSync('done', 'x'), 300)
  if (request.url === '/again') fetch('http://127.0.0.1:' + process.env.DAPR_HTTP_PORT + '/v1.0/invoke/stock/method/slow')
}).listen(process.env.APP_PORT)
`

t.test('--settle waits until nothing goes on in the run', async t => {
  const rig = await shop(t)
  await rig.write({'stock.mjs': SLOW})
  const settled = await rig.run(['up', '--settle', '700ms', '--run', invoke('stock', '/again')])
  t.match(settled, {code: 0, stderr: /The run has been idle for 0\.70 s/})
  t.equal(readFileSync(join(rig.folder, 'done'), 'utf8'), 'xx')
  await rig.write({
    'stock.mjs': `const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => setTimeout(() => response.end(), 50)).listen(process.env.APP_PORT)
const call = () => fetch('http://127.0.0.1:' + process.env.DAPR_HTTP_PORT + '/v1.0/invoke/stock/method/x').then(call, call)
call()
`
  })
  const busy = await rig.run(['up', '--settle', '300ms', '--timeout', '2s', '--run', 'true'])
  t.match(busy, {code: 124, stderr: /The run did not settle within [\d.]+ s: /})
  t.match(await rig.run(['up', '--settle', '300ms', '--timeout', '2s', '--run', 'exit 9']), {code: 9})
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143]
  ] as const) {
    const settling = rig.pillion(['up', '--settle', '60s', '--run', 'true'])
    await settling.waitForLine('The command exited', {stream: 'stderr'})
    settling.signal(signal)
    t.match(await settling.exited, {code}, `${signal} while it settles is no timeout`)
    t.notOk(settling.stderr.lines.some(line => line.includes('did not settle')))
  }
})

t.test('wrong words say what to write', async t => {
  const rig = await shop(t)
  const refused = async (code: number, ...words: readonly string[]): Promise<string> => {
    const run = await rig.run(['up', ...words])
    t.equal(run.code, code, words.join(' '))
    return run.stderr
  }
  t.match(await refused(255, '--as', 'e2e'), '--as needs --run')
  t.match(await refused(255, '--run', ' '), '--run needs a command')
  t.match(await refused(255, '--run', 'npm', 'test'), "put the command in quotes: up --run 'npm test'")
  t.match(await refused(255, '--run', 'true', '--as', 'a b'), 'invalid argument "a b" for "--as" flag')
  t.match(await refused(255, '--run', 'true', '--settle=0ms'), 'for "--settle" flag')
  for (const time of ['0', '-1s', '0s', 'soon', '25d', '5'])
    t.match(await refused(255, '--run', 'true', `--timeout=${time}`), 'for "--timeout" flag: expected a duration')
  t.match(await refused(125, '--run', 'true', '--as', 'stock'), 'the template has an app "stock"')
  t.match(await refused(125, '--run', 'true', '-f', 'nowhere'), 'nowhere')
  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - appDirPath: gone\n'})
  t.match(await refused(125, '--run', 'true'), 'gone')
})

t.test('the sidecar of the command has the resources of common', async t => {
  const rig = await shop(t)
  await rig.write({
    'stock.mjs': SERVER,
    'resources/store.yaml':
      'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec: {type: state.in-memory, version: v1}\n',
    'dapr.yaml': JSON.stringify({
      version: 1,
      common: {resourcesPath: './resources', env: {COLOUR: 'blue'}},
      apps: [stock]
    })
  })
  const {code, stdout} = await rig.run([
    'up',
    '--run',
    `echo $COLOUR; curl -s -o /dev/null -w '%{http_code}' -d '[{"key":"a","value":1}]' -H 'content-type: application/json' http://127.0.0.1:$DAPR_HTTP_PORT/v1.0/state/store`
  ])
  t.same([code, stdout], [0, 'blue\n204'])
  t.notOk(readFileSync(join(rig.folder, 'dapr.yaml'), 'utf8').includes('test'))
})

t.test('a component with a path of the apps, not of the command, does not keep the command from running', async t => {
  const rig = await openRig(t)
  await rig.write({
    'app/stock.mjs': SERVER,
    'secrets.json': '{"token":"s3cret"}',
    'resources/vault.yaml': component('vault', 'secretstores.local.file', {secretsFile: '../secrets.json'})
  })
  await rig.template([{...stock, appDirPath: 'app'}], {resourcesPath: './resources'})
  const {code, stdout, stderr} = await rig.run(['up', '--run', invoke('stock', '/x')])
  t.equal(stdout, 'stock')
  t.equal(code, 0)
  t.match(stderr, /⚠ {2}the component vault \(secretstores\.local\.file\) cannot be opened: .*secrets\.json/)
})

t.test('what --only, --except and profiles leave out is not waited for', async t => {
  const rig = await openRig(t)
  const command = ['sleep', '600']
  await rig.template([
    {appID: 'a', command},
    {appID: 'b', command},
    {appID: 'c', command, profiles: ['more']}
  ])
  for (const flags of [['--only', 'a'], ['--except', 'b'], []]) {
    const {code, stderr} = await rig.run(['up', '--run', 'true', ...flags])
    t.equal(code, 0, `${flags.join(' ')}: ${stderr}`)
  }
})
