import t from 'tap'
import {stringify} from 'yaml'
import {imported} from './read.ts'

/** What `export kubernetes` writes of an app. */
const deployment = (container: object, annotations: object): string =>
  stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: 'stock', labels: {app: 'stock'}},
    spec: {
      replicas: 2,
      selector: {matchLabels: {app: 'stock'}},
      template: {
        metadata: {
          labels: {app: 'stock'},
          annotations: {'dapr.io/enabled': 'true', 'dapr.io/app-id': 'stock', ...annotations}
        },
        spec: {containers: [{name: 'stock', ports: [{containerPort: 3000}], ...container}]}
      }
    }
  })

t.test('what export kubernetes writes of a sidecar comes back', async t => {
  const {template} = await imported(
    t,
    {
      'stock.yaml': deployment(
        {image: 'x:1'},
        {
          'dapr.io/app-port': '3000',
          'dapr.io/app-health-probe-interval': '3',
          'dapr.io/app-health-probe-timeout': '700',
          'dapr.io/app-health-threshold': '2',
          'dapr.io/read-buffer-size': '8Ki',
          'dapr.io/enable-profiling': 'true'
        }
      )
    },
    'stock.yaml'
  )
  const [app] = template.apps
  t.match(app, {
    appHealthProbeInterval: 3,
    appHealthProbeTimeout: 700,
    appHealthThreshold: 2,
    readBufferSize: '8Ki',
    enableProfiling: true
  })
})
