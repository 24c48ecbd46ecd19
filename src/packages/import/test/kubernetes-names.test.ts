import t from 'tap'
import {imported} from './read.ts'

t.test('a workload that others call by its Service gives its name to no value, nor an address’s scheme', async t => {
  const text = `kind: Deployment
metadata: {name: redis}
spec: {template: {metadata: {labels: {app: redis}}, spec: {containers: [{name: a, image: redis}]}}}
---
kind: Service
metadata: {name: redis-service}
spec: {selector: {app: redis}, ports: [{port: 6379}]}
---
kind: Service
metadata: {name: http}
spec: {selector: {app: redis}, ports: [{port: 6379}]}
---
kind: Pod
metadata: {name: api}
spec:
  containers:
    - name: api
      image: x
      env:
        - {name: URL, value: 'redis://redis-service:6379/0'}
        - {name: KIND, value: redis}
        - {name: SITE, value: 'http://http:6379'}
`
  const {template} = await imported(t, {'all.yaml': text}, 'all.yaml', 'kubernetes')
  t.strictSame(template.apps.find(({appID}) => appID === 'api')?.['env'], {
    URL: 'redis://redis-service:6379/0',
    KIND: 'redis',
    SITE: 'http://redis-service:6379'
  })
})

t.test('a name of the cluster in the code of a program is a mark', async t => {
  const {notes} = await imported(t, {
    'skaffold.yaml':
      'apiVersion: skaffold/v4beta6\nbuild: {artifacts: [{image: web, context: web}]}\nmanifests: {rawYaml: [k8s.yaml]}',
    'k8s.yaml': 'kind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: web}]}',
    web: {
      'package.json': '{"scripts": {"start": "node x.js"}}',
      'x.js': 'x.listen(4000)\nfetch("http://edge.ingress.svc.cluster.local/api")'
    }
  })
  t.ok(
    notes.includes(
      'web/x.js:2: edge.ingress.svc.cluster.local is a name of the cluster: write the address that it has here'
    )
  )
})
