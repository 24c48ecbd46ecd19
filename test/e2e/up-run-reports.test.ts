import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

const SERVER = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  if (request.url === '/die') {
    process.stdout.write(Buffer.from([...Buffer.from('::error::mine ##[error]mine ##vso[task]mine \\x1b[31mred ]]> '), 0xff, 0xfe, 10]))
    process.stdout.write('before\\r::set-env name=A::b\\n', () => process.exit(3))
    return
  }
  response.writeHead(request.url === '/fail' ? 503 : 200)
  response.end('stock')
}).listen(process.env.APP_PORT, () => console.log('listening'))
`
const TEMPLATE = `version: 1
apps:
  - appID: shop
    appDirPath: .
    command: [sleep, '600']
  - appID: stock
    appDirPath: .
    autoPort: true
    command: [node, stock.mjs]
`
const DIE = 'curl -s -o /dev/null http://127.0.0.1:$DAPR_HTTP_PORT/v1.0/invoke/stock/method/die'

async function shop(t: Parameters<typeof openRig>[0]): Promise<Rig> {
  const rig = await openRig(t)
  await rig.write({'stock.mjs': SERVER, 'dapr.yaml': TEMPLATE})
  return rig
}

const readIn = (rig: Rig, path: string): string => readFileSync(join(rig.folder, path), 'utf8')

t.test('on GitHub: an annotation at its line has the death and its request; no line is a command', async t => {
  const rig = await shop(t)
  const env = {
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: rig.folder,
    GITHUB_STEP_SUMMARY: join(rig.folder, 'summary.md')
  }
  const {code, stdout, stderr} = await rig.run(['up', '--run', `echo ::notice::of the tests; ${DIE}; exit 3`], {env})
  t.equal(code, 3)
  t.equal(stdout, '::notice::of the tests\n', 'the command may have its own')
  t.match(
    stderr,
    /\n::error file=dapr\.yaml,line=6,title=stock::"stock" exited with code 3 after [\d.]+ m?s while handling GET \/die from test \([\d.]+ m?s\)%0AIts last lines:%0A/
  )
  const outside = stderr.replace(/^::stop-commands::([\da-f]{32})\n[^]*?\n::\1::\n/gm, '')
  t.match(outside, '::error file=')
  t.notMatch(outside, /^\s*::(?!error )/m)
  t.notMatch(outside.replace(/^::error .*$/gm, ''), 'mine')
  t.match(stderr, 'mine', 'they are shown')
  t.match(readIn(rig, 'summary.md'), '| ❌ | stock | "stock" exited with code 3 after ')
})

t.test('on GitHub: lines of apps that are shown as they come, and a template with a mistake', async t => {
  const rig = await shop(t)
  const env = {GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: rig.folder}
  const shown = await rig.run(['up', '--logs', '--run', DIE], {env})
  const lines = shown.stderr.split(/\r\n|\r|\n/).filter(line => line.includes('mine') || line.includes('set-env'))
  const ofApp = lines.filter(line => line.startsWith('== APP - stock == '))
  t.ok(ofApp.length >= 2)
  for (const line of ofApp) t.notMatch(line, /##\[|##vso\[/)
  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - appDirPath: nowhere\n'})
  const wrong = await rig.run(['up', '--run', 'true'], {env})
  t.equal(wrong.code, 125)
  t.match(wrong.stderr, /^::error file=dapr\.yaml,line=3,title=template::/m)
})

t.test('--junit: XML, whatever the apps write; --report: events, failed calls, logs and crashes', async t => {
  const rig = await shop(t)
  const fail = DIE.replace('/die', '/fail')
  const {code} = await rig.run(['up', '--junit', 'out/junit.xml', '--report', 'out/report', '--run', `${fail}; ${DIE}`])
  t.equal(code, 0)
  const xml = readIn(rig, 'out/junit.xml')
  t.match(xml, /<testsuites name="pillion" tests="4" failures="1" /)
  t.match(
    xml,
    /<testcase classname="pillion\.apps" name="stock" time="0\.000">\n +<failure message="&quot;stock&quot; exited with code 3 after /
  )
  t.match(xml, '::error::mine ##[error]mine ##vso[task]mine red ]]&gt; \ufffd\ufffd')
  t.same(readdirSync(join(rig.folder, 'out/report')).toSorted(), ['calls.har', 'deaths.md', 'events.ndjson', 'logs'])
  const events = readIn(rig, 'out/report/events.ndjson')
  const types = events
    .split('\n')
    .filter(line => line !== '')
    .map(line => (JSON.parse(line) as {type: string}).type)
  t.equal(types[0], 'hello')
  t.equal(types.at(-1), 'bye')
  t.ok(types.includes('death'))
  const har = JSON.parse(readIn(rig, 'out/report/calls.har')) as {log: {entries: {response: {status: number}}[]}}
  t.same(
    har.log.entries.map(({response}) => response.status),
    [503, 500]
  )
  t.match(
    readIn(rig, 'out/report/deaths.md'),
    /^# Crashes\n\n## 1\. stock\n\n"stock" exited with code 3 after .*GET \/die from test/
  )
  t.match(readIn(rig, 'out/report/logs/stock.log'), '== APP - stock == listening\n')
  t.match(readIn(rig, 'out/report/logs/shop.sidecar.log'), 'Starting Dapr Runtime')
})

t.test('reports are written when the apps do not become ready, and when a port is taken', async t => {
  const rig = await shop(t)
  await rig.write({
    'stock.mjs': 'console.log("no database"); process.exit(4)',
    'report/logs/other.log': 'of an earlier run',
    'report/logs/other.sidecar.log': '',
    'report/logs/mine.log': 'of the user'
  })
  t.match(await rig.run(['up', '--junit', 'junit.xml', '--report', 'report', '--run', 'true']), {code: 125})
  t.match(
    readIn(rig, 'junit.xml'),
    /name="the apps are ready" time="[\d.]+">\n +<failure message="not all apps became ready">/
  )
  t.match(readIn(rig, 'junit.xml'), 'no database')
  t.same(
    readdirSync(join(rig.folder, 'report/logs')).filter(name => /^(?:other|mine)/.test(name)),
    ['mine.log'],
    'no log of an app that was in an earlier report'
  )
  const other = await shop(t)
  await rig.write({'stock.mjs': SERVER})
  const run = rig.pillion(['up', '--run', 'echo $DAPR_HTTP_PORT; read line'])
  const port = await run.waitForLine(/^\d+$/)
  await other.write({
    'dapr.yaml': TEMPLATE.replace('    autoPort: true', `    autoPort: true\n    daprHTTPPort: ${port}`)
  })
  const refused = await other.run(['up', '--junit', 'junit.xml', '--run', 'true'])
  t.match(refused, {code: 125, stderr: new RegExp(port)})
  t.match(readIn(other, 'junit.xml'), /<failure message="[^"]*\d/)
  run.stdin.end('\n')
  t.match(await run.exited, {code: 0})
})

t.test('a report that cannot be written is told before anything starts', async t => {
  const rig = await shop(t)
  await rig.write({file: 'x'})
  for (const [flag, path] of [
    ['--junit', 'file/junit.xml'],
    ['--report', 'file/report']
  ] as const) {
    const {code, stdout, stderr} = await rig.run(['up', flag, path, '--run', 'echo never'])
    t.equal(code, 125)
    t.equal(stdout, '')
    t.match(stderr, new RegExp(`❌ {2}cannot write .*${path}: `))
    t.notMatch(stderr, 'Starting')
  }
})

t.test('of versions of a service the one that crashed has failed, and each has its log in the report', async t => {
  const rig = await openRig(t)
  const apps = [
    {appID: 'svc', version: '1.0.0', appDirPath: 'one', command: ['sh', '-c', 'echo of one; exec sleep 600']},
    {appID: 'svc', version: '2.0.0', appDirPath: 'two', command: ['sh', '-c', 'echo of two; exit 3']},
    {appID: 'svc', fixedPort: 8000, appDirPath: 'none', command: ['sh', '-c', 'echo of none; exec sleep 600']}
  ]
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, apps}), 'one/x': '', 'two/x': '', 'none/x': ''})
  const {code} = await rig.run(['up', '--run', 'true', '--junit', 'junit.xml', '--report', 'report'])
  t.equal(code, 125, 'not all became ready')
  const crashed = readIn(rig, 'junit.xml').matchAll(
    / name="(\S*)" time="[^>]*>\s*<failure message="[^"]*exited with code 3/g
  )
  t.same(
    [...crashed].map(([, name]) => name),
    ['svc@2.0.0']
  )
  const logs = readdirSync(join(rig.folder, 'report/logs')).filter(name => !name.includes('sidecar'))
  t.same(logs.toSorted(), ['svc%400.0.0.log', 'svc%401.0.0.log', 'svc%402.0.0.log'])
})
