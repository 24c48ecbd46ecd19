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
