import t from 'tap'
import {API, misfitOf} from '../rig/api-schema.ts'
import {openRig} from '../rig/rig.ts'

const APP = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  if (request.url === '/die') process.exit(3)
  response.end('{}')
}).listen(process.env.APP_PORT)
`

t.test('what commands print with -o json is as its description says', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': APP})
  await rig.template([
    {appID: 'shop', appDirPath: '.', autoPort: true, command: ['node', 'app.mjs']},
    {appID: 'stock', appDirPath: '.', autoPort: true, command: ['node', 'app.mjs']},
    {appID: 'job', appDirPath: '.', dependsOn: ['stock'], command: ['false']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  await rig.run(['wait', '--for', 'exit:job', '--for', 'ready:shop'])
  for (const path of ['', 'die'])
    await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method/${path}`)).text()
  await rig.run(['wait', '--for', 'exit:stock'])

  const commands: Readonly<Record<string, readonly string[]>> = {
    list: ['list', '-o', 'json'],
    ps: ['ps', '-o', 'json'],
    url: ['url', 'shop', '-o', 'json'],
    why: ['why', '-o', 'json'],
    'why ID': ['why', 'stock', '-o', 'json'],
    'why NUMBER': ['why', '1', '-o', 'json'],
    graph: ['graph', '-o', 'json'],
    'fault FROM TO': ['fault', 'shop', 'stock', '--delay', '1ms', '-o', 'json'],
    fault: ['fault', '-o', 'json'],
    'fault --disable': ['fault', '--disable', '1', '-o', 'json'],
    'fault --enable': ['fault', '--enable', 'all', '-o', 'json'],
    'fault --off': ['fault', '--off', 'all', '-o', 'json'],
    calls: ['calls', '-o', 'ndjson'],
    'calls NUMBER': ['calls', '1', '-o', 'ndjson'],
    events: ['events', '-o', 'ndjson'],
    runs: ['runs', '-o', 'json']
  }
  const printed = new Map<string, readonly unknown[]>()
  for (const [form, args] of Object.entries(commands)) {
    const {code, stdout, stderr} = await rig.run(args)
    t.strictSame([code, stderr], [0, ''], form)
    const isLines = args.includes('ndjson')
    const values = isLines ? stdout.trimEnd().split('\n') : [stdout]
    const read = values.map((text): unknown => JSON.parse(text))
    printed.set(form, read)
    for (const value of read) t.equal(misfitOf(form, value), '', form)
  }
  // each outcome of a wait
  for (const [condition, code] of [
    ['ready:shop', 0],
    ['ready:stock', 1],
    ['calls:99', 124]
  ] as const) {
    const waited = await rig.run(['wait', '--for', condition, '--timeout', '50ms', '-o', 'json'])
    t.equal(waited.code, code, waited.stderr)
    t.equal(misfitOf('wait', JSON.parse(waited.stdout)), '')
  }
  await rig.write({Procfile: 'once: true'})
  const checked = await rig.run(['import', '--check', '--force', '-o', 'json'])
  t.equal(checked.code, 0, checked.stderr)
  t.equal(misfitOf('import --check', JSON.parse(checked.stdout)), '')
  t.same(
    [...printed.keys(), 'import --check', 'wait'].toSorted(),
    Object.keys(API['x-output']).toSorted(),
    'all that is described'
  )
  t.match(printed.get('ps')?.[0], [
    {id: 'shop', state: 'running', isReady: true, memoryBytes: Number, cpuPercent: Number, exitCode: null},
    {id: 'stock', state: 'exited', isReady: false, memoryBytes: null, exitCode: 3, exit: 'exited with code 3'},
    {id: 'job', state: 'exited', exitCode: 1, startedAt: null}
  ])
  t.match(printed.get('fault --off')?.[0], {removed: 1})

  t.match(await rig.run(['ps', '-w', '-o', 'json']), {code: 1, stderr: /-w does not go with -o json/})
  t.match(await rig.run(['ps', '-o', 'xml']), {code: 1, stderr: /Valid values are: table, json/})
  await run.end()
  t.strictSame(await rig.run(['ps', '-o', 'json']), {code: 0, stdout: '[]\n', stderr: ''})
})
