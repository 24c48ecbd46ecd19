import parse from 'parse-prometheus-text-format'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('each sidecar counts its calls, probes and policies under Dapr’s names, at its metrics port', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/resiliency.yaml':
      'kind: Resiliency\nmetadata: {name: main}\nspec: {policies: {timeouts: {general: 5s}}, targets: {apps: {stock: {timeout: general}}}}\n',
    'config.yaml':
      'kind: Configuration\nspec: {metrics: {recordErrorCodes: true, rules: [{name: dapr_http_server_request_count, labels: [{name: path, regex: {"/orders/_": "/orders/[0-9]+"}}]}]}}\n'
  })
  await rig.template(
    [
      {appID: 'shop', metricsPort: 0},
      {appID: 'stock', autoPort: true, enableAppHealthCheck: true}
    ],
    {resourcesPath: './resources', configFilePath: './config.yaml'}
  )
  const run = rig.pillion(['run', '-f', '.'])
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await stock.answer({status: 200})
  await stock.listen()
  for (const id of ['1', '2']) t.match(await shop.fetch(`/v1.0/invoke/stock/method/orders/${id}`), {status: 200})
  t.match(await shop.fetch('/v1.0/state/nowhere/x'), {status: 500})
  t.match(await shop.fetch('/v1.0/invoke/nobody/method/x'), {status: 500})
  const read = async (id: string): Promise<ReadonlyMap<string, readonly (readonly [object, string])[]>> => {
    const env = (id === 'shop' ? shop : stock).env
    const text = await (await fetch(`http://127.0.0.1:${env['DAPR_METRICS_PORT'] ?? ''}/`)).text()
    const plain = text.replaceAll(/^# (?:TYPE .* histogram|HELP .*)\n/gm, '')
    return new Map(
      parse(plain).map(({name, metrics}) => [
        name,
        metrics.map(({labels = {}, value = ''}) => [labels, value] as const)
      ])
    )
  }
  const [caller, callee] = [await read('shop'), await read('stock')]
  const method = 'GET'
  t.match(caller.get('dapr_http_server_request_count'), [
    [{app_id: 'shop', method, path: '/v1.0/invoke/nobody/method/x', status: '500'}, '1'],
    [{app_id: 'shop', method, path: '/v1.0/invoke/stock/method/orders/_', status: '200'}, '2'],
    [{app_id: 'shop', method, path: '/v1.0/state/nowhere', status: '500'}, '1']
  ])
  t.match(caller.get('dapr_runtime_service_invocation_req_sent_total'), [[{app_id: 'shop', dst_app_id: 'stock'}, '2']])
  t.match(callee.get('dapr_runtime_service_invocation_req_recv_total'), [[{app_id: 'stock', src_app_id: 'shop'}, '2']])
  t.match(
    callee.get('dapr_http_client_completed_count')?.map(([labels]) => labels),
    ['1', '2'].map(id => ({app_id: 'stock', method, path: `/orders/${id}`, status: '200'}))
  )
  t.equal(callee.get('dapr_http_server_request_count'), undefined)
  t.match(callee.get('dapr_http_healthprobes_completed_count'), [[{app_id: 'stock', status: '200'}, /^[1-9]/]])
  t.match(caller.get('dapr_resiliency_count'), [
    [{app_id: 'shop', name: 'main', policy: 'timeout', target: 'app_stock', flow_direction: 'outbound'}, '2']
  ])
  t.match(caller.get('dapr_resiliency_loaded'), [[{name: 'main'}, '1']])
  t.match(caller.get('dapr_error_code_total'), [
    [{error_code: 'ERR_DIRECT_INVOKE', category: 'service-invocation'}, '1'],
    [{error_code: 'ERR_STATE_STORE_NOT_CONFIGURED', category: 'state'}, '1']
  ])
  t.match(caller.get('process_resident_memory_bytes'), [[{}, /^\d+$/]])
  await rig.write({'config.yaml': 'kind: Configuration\nspec: {metrics: {enabled: false}}\n'})
  const {DAPR_METRICS_PORT: port = ''} = shop.env
  while ((await fetch(`http://127.0.0.1:${port}/`)).status !== 404) await pause(5)
  t.match(await run.end('SIGINT'), {code: 0})
})
