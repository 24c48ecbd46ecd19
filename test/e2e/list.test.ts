import t from 'tap'
import {openRig} from '../rig/rig.ts'

const KEYS =
  `appId httpPort grpcPort appPort metricsEnabled command age created daprdPid cliPid appPid maxRequestBodySize
  httpReadBufferSize runTemplatePath appLogPath daprdLogPath runTemplateName version main state ready exitCode restarts
  instance circuitBreakers runName`.split(/\s+/)

t.test('nothing running is said in each format', async t => {
  const rig = await openRig(t)
  t.same(await rig.run(['list']), {code: 0, stdout: 'No Dapr instances found.\n', stderr: ''})
  t.same(await rig.run(['list', '-o', 'json']), {code: 0, stdout: '[]', stderr: ''})
  t.same(await rig.run(['list', '-o', 'yaml']), {code: 0, stdout: '[]\n', stderr: ''})
  t.same(await rig.run(['list', '-o', 'xml']), {
    code: 1,
    stdout: '',
    stderr: '❌  An invalid output format was specified.\n'
  })
})

t.test('every app of a run is listed, with the keys that scripts read', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'stock', autoPort: true},
    {appID: 'shop', command: ['sleep', '60']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await run.waitForLine('Writing log files', {nth: 2})
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as Record<string, unknown>[]
  t.same(
    rows.map(row => Object.keys(row)),
    [KEYS, KEYS]
  )
  const {http, grpc} = await run.ports('stock')
  t.match(rows[0], {
    appId: 'stock',
    httpPort: http,
    grpcPort: grpc,
    appPort: Number(stock.env['APP_PORT']),
    metricsEnabled: true,
    cliPid: run.pid,
    daprdPid: run.pid,
    appPid: stock.pid,
    maxRequestBodySize: 4194304,
    httpReadBufferSize: 4096,
    runTemplatePath: `${rig.folder}/dapr.yaml`,
    appLogPath: new RegExp(`^${rig.folder}/stock/\\.dapr/logs/stock_app_\\d{14}\\.log$`),
    runTemplateName: ''
  })
  t.match(rows[0]?.['command'], /^.{17}\.\.\.$/)
  const table = (await rig.run(['list'])).stdout.split('\n')
  t.match(
    table[0],
    /^APP ID {2}HTTP PORT {2}GRPC PORT {2}APP PORT {2}COMMAND .* AGE {2}CREATED {14}DAPRD PID {2}CLI PID {2}APP PID {2}RUN TEMPLATE PATH .*APP LOG PATH .*DAPRD LOG PATH +$/
  )
  t.match(table[2], /^shop .*sleep 60/)
  const yaml = (await rig.run(['list', '-o', 'yaml'])).stdout
  t.same(
    [...yaml.matchAll(/^[- ] (\w+):/gm)].map(([, key]) => key),
    [...KEYS, ...KEYS]
  )
})
