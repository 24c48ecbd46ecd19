// The template of a run, and the environments of its apps, as the API shows them.
import type * as Api from '../../src/model/api.generated.ts'
import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {misfit} from '../rig/api-schema.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const CALLEE = `require('http').createServer((_, response) => response.end()).listen(process.env.APP_PORT)`

const TEMPLATE = `version: 1
common:
  env:
    MODE: test
    API_TOKEN: abcdef
    DATABASE: postgres://shop:swordfish@db/orders
    PRIVATE_KEY: |
      line one
      line two
apps:
  - appID: shop
    appDirPath: .
    command: [sleep, '600']
    comand: [ls]
    envFile: [shop.env]
  - appID: stock
    appDirPath: .
    autoPort: true
    dependsOn: {prices: started}
    command: [node, -e, "${CALLEE}"]
  - appID: prices
    appDirPath: .
    autoPort: true
    command: [node, -e, "${CALLEE}"]
  - appID: taxes
    appDirPath: .
    autoPort: true
    command: [node, -e, "${CALLEE}"]
`

const open = async (rig: Rig): Promise<Api.Template> => {
  const {status, json} = await ask(controlSocket(rig), '/api/v1/template')
  t.strictSame([status, misfit('Template', json)], [200, ''])
  return json as Api.Template
}

t.test('the template as it is on disk: findings at their lines, and where calls differ from dependsOn', async t => {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': TEMPLATE, 'shop.env': 'SESSION_ID=12345678\nCOLOUR=red\n'})
  const run = rig.pillion(['run', '-f', '.'])
  const ports = await Promise.all(['shop', 'stock', 'prices'].map(async id => run.ports(id)))
  const call = async (from: number, to: string): Promise<void> => {
    const port = ports[from]?.http ?? 0
    t.equal((await fetch(`http://127.0.0.1:${port}/v1.0/invoke/${to}/method/x`)).status, 200)
  }
  await call(0, 'stock')
  await call(0, 'prices')
  await call(1, 'taxes')
  await call(2, 'stock')
  const {files, findings} = await open(rig)
  const {file, text} = files[0] ?? {file: '', text: ''}
  t.equal(file, join(rig.folder, 'dapr.yaml'))
  t.equal(text.split('\n').length, TEMPLATE.split('\n').length, 'lines stay where they are')
  t.match(
    text,
    '    API_TOKEN: <masked, 6 characters>\n    DATABASE: postgres://shop:<masked, 9 characters>@db/orders\n'
  )
  t.notMatch(text, /abcdef|swordfish|line one|line two/)
  t.match(text, '    MODE: test\n')
  t.strictSame(
    findings.map(({line, severity, message, hint, lines}) => [line, severity, message, hint, lines]),
    [
      [11, 'observed', 'shop calls stock and prices: not in its dependsOn', '', 'dependsOn: [stock, prices]'],
      [14, 'warning', 'comand is ignored: unknown key', 'did you mean command?', ''],
      [16, 'observed', 'stock calls taxes: not in its dependsOn', '', 'dependsOn: {prices: started, taxes: ready}'],
      [16, 'observed', 'stock names prices under dependsOn, and has not called it', '', ''],
      [21, 'observed', 'prices calls stock: not in its dependsOn', 'stock depends on prices already', '']
    ]
  )

  const {json} = await ask(controlSocket(rig), '/api/v1/apps/shop/environment')
  t.equal(misfit('Environment', json), '')
  t.match(Object.fromEntries((json as Api.Environment).variables), {
    API_TOKEN: '<masked, 6 characters>',
    COLOUR: 'red',
    DATABASE: 'postgres://shop:<masked, 9 characters>@db/orders',
    MODE: 'test',
    SESSION_ID: '<masked, 8 characters>'
  })

  await rig.write({'dapr.yaml': 'version: 1\napps: [\n  {appID: shop, secret: "abc}\n'})
  const broken = await open(rig)
  t.match(broken, {findings: [{severity: 'error', code: 'invalid-yaml', line: 3}]})
  t.notMatch(broken.files[0]?.text, 'abc')
  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - {appID: shop, appDirPath: ./none, command: [x]}\n'})
  t.match((await open(rig)).findings, [{severity: 'error', line: 3}])
  await rm(join(rig.folder, 'dapr.yaml'))
  const gone = await ask(controlSocket(rig), '/api/v1/template')
  t.match(gone, {status: 404, json: {detail: /^the template cannot be read: .*no such file/}})
})

t.test('a run of a single app has no template', async t => {
  const rig = await openRig(t)
  const single = rig.pillion(['run', '--app-id', 'shop', '--', 'sleep', '600'])
  await single.ports('shop')
  t.match(await ask(controlSocket(rig), '/api/v1/template'), {status: 404, json: {detail: 'the run has no template'}})
})
