import t, {type Test} from 'tap'
import {normalizePath, PathLabels} from '../../../../../src/observe/telemetry/metrics/paths.ts'

const check = (
  t: Test,
  pathMatching: readonly string[],
  isFull: boolean,
  table: readonly (readonly [string, string])[]
): void => {
  const labels = new PathLabels(pathMatching, isFull)
  for (const [path, label] of table) t.equal(labels.label(path), label, path)
}

// The patterns and paths of Dapr's pkg/diagnostics/http_monitoring_test.go.
t.test('patterns, and paths that none matches', async t => {
  const orders = [
    '/v1/orders/{orderID}/items/12345',
    '/v1/orders/{orderID}/items/{itemID}',
    '/v1/items/{itemID}',
    '/v1/orders/{orderID}/items/{itemID}'
  ]
  check(t, orders, true, [
    ['', ''],
    ['/v1/orders/12345/items/12345', '/v1/orders/{orderID}/items/12345'],
    ['/v1/orders/12345/items/1111', '/v1/orders/{orderID}/items/{itemID}'],
    ['/v1/items/12345', '/v1/items/{itemID}'],
    ['/v2/basket/12345', '/v2/basket/12345'],
    ['/v1.0/invoke/shop/method/v1/items/7', '/v1.0/invoke/{app_id}/method/v1/items/{itemID}']
  ])
  check(t, [...orders, '/v1/orders/{orderID}', '/dapr/config', '/v1/', '/'], false, [
    ['/v1/orders/12345/items/12345', '/v1/orders/{orderID}/items/12345'],
    ['/v1/orders/12345', '/v1/orders/{orderID}'],
    ['/v1/items/12345', '/v1/items/{itemID}'],
    ['/v1/basket', '/v1/'],
    ['/v2/orders/1111', '/'],
    ['/basket/12345', '/'],
    ['/dapr/config', '/dapr/config'],
    ['/v1', '/v1/']
  ])
  check(t, ['/v1/orders/{orderID}'], false, [['/thispathdoesnotexist', '']])
  for (const isFull of [true, false])
    check(t, ['/v1.0/actors/myactortype/{id}/method'], isFull, [
      ['//v1.0/actors/myactortype/myid/method/foo', '/v1.0/actors/myactortype/{id}/method'],
      ['/v1.0/actors/myactortype/myid/method/foo', '/v1.0/actors/myactortype/{id}/method']
    ])
  check(t, ['/v1.0/actors/WeatherActor/{id}/method/GetWeatherAsync'], false, [
    [
      '/v1.0/actors/WeatherActor/actor-123/method/GetWeatherAsync',
      '/v1.0/actors/WeatherActor/{id}/method/GetWeatherAsync'
    ],
    ['/some/other/path', '']
  ])
})

t.test('the most special pattern counts, wherever it is written', async t => {
  check(t, ['/a/{rest...}', '/a/{x}/c', '/a/b/', '/a/b/c', '/{x}/b/c', '/a/{$}'], false, [
    ['/a/b/c', '/a/b/c'],
    ['/a/z/c', '/a/{x}/c'],
    ['/a/b/z', '/a/b/'],
    ['/a/z/z/z', '/a/{rest...}'],
    ['/z/b/c', '/{x}/b/c'],
    ['/a/', '/a/{$}'],
    ['/z/b', '']
  ])
})

t.test("without patterns a path is itself, but for the keys and ids of Dapr's own API", async t => {
  check(t, [], true, [
    ['/v1.0/invoke/b/method/items', '/v1.0/invoke/b/method/items'],
    ['/v1.0/state/store/key', '/v1.0/state/store'],
    ['/v1.0/secrets/vault/name', '/v1.0/secrets/vault'],
    ['/v1.0/actors/Type/7/method/name', '/v1.0/actors/Type/{id}/method'],
    ['/v1.0/actors/Type', '/v1.0/actors/Type'],
    ['actors/Type/7/method/m', 'actors/Type/{id}/method/m'],
    ['/v1.0/workflows/dapr/7', '/v1.0/workflows/dapr/{instanceId}'],
    ['/v1.0/workflows/dapr/flow/start', '/v1.0/workflows/dapr/flow/start'],
    ['/v1.0/workflows/dapr/7/pause', '/v1.0/workflows/dapr/{instanceId}/pause'],
    ['/v1.0/workflows/dapr/7/raiseEvent/go', '/v1.0/workflows/dapr/{instanceId}/raiseEvent/{eventName}'],
    ['/healthz', '/healthz']
  ])
  check(t, [], false, [
    ['/v1.0/invoke/b/method/items', ''],
    ['/healthz', '/healthz']
  ])
  t.equal(normalizePath('a///b'), '/a/b')
})

t.test('paths that differ in a key or an id alone are alike, and have the label that each has', async t => {
  const groups = [
    [
      '/v1.0/actors/Counter/1/method/add',
      '/v1.0/actors/Counter/2/method/take',
      '/v1.0/actors/Counter/a%20b/method/x/y'
    ],
    ['/actors/Counter/1/method/add', '/actors/Counter/2/method/add'],
    ['/v1.0/state/store/one', '/v1.0/state/store/two'],
    ['/v1.0/invoke/shop/method/state/1'],
    ['/v1.0/actors/Counter'],
    ['//v1.0//actors/Counter/1/state']
  ]
  for (const isFull of [true, false]) {
    const labels = new PathLabels([], isFull)
    for (const paths of groups) {
      t.equal(new Set(paths.map(path => labels.alike(path))).size, 1, paths.join(', '))
      for (const path of paths) t.equal(labels.label(labels.alike(path)), labels.label(path), path)
    }
  }
  const matching = new PathLabels(['/v1.0/state/store/one'], true)
  t.equal(matching.label(matching.alike('/v1.0/state/store/one')), '/v1.0/state/store/one')
})
