// Manifests: how apps are reached from outside, when they start again, what they wait for, and manifests of other clusters.
import t from 'tap'
import {imported, type Files} from './read.ts'

const JS = {'package.json': '{"scripts": {"dev": "node index.js"}}', 'index.js': 'x.listen(8080)'}
const SKAFFOLD =
  'apiVersion: skaffold/v4beta6\nkind: Config\nbuild: {artifacts: [{image: shop/api, context: api}, {image: shop/web, context: web}]}\nmanifests: {rawYaml: ["k8s/*"]}\n'

const workload = (kind: string, name: string, {image = `shop/${name}`, pod = '', env = ''} = {}): string =>
  `---\napiVersion: apps/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: {template: {metadata: {labels: {app: ${name}}}, spec: {${pod} containers: [{name: x, image: ${image}, env: [${env}]}]}}}\n`
const service = (name: string, ports: string): string =>
  `---\napiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {selector: {app: ${name}}, ports: [{${ports}}]}\n`

const shop = (k8s: Files): Files => ({'skaffold.yaml': SKAFFOLD, k8s, api: {...JS}, web: {...JS}})

const ingress = (name: string, paths: string, more = ''): string =>
  `---\nkind: Ingress\nmetadata: {name: ${name}${more}}\nspec: {rules: [{host: ${name}.dev, http: {paths: [${paths}]}}]}\n`
const backend = (service: string): string => `backend: {service: {name: ${service}, port: {number: 80}}}`

t.test('paths of an Ingress are routes of the app that answers the rest; other kinds are a mark', async t => {
  const paths = `{path: /api/*, ${backend('api')}}, {path: /, backend: {serviceName: web, servicePort: 80}}`
  const {template, notes} = await imported(
    t,
    shop({
      'all.yaml': [
        workload('Deployment', 'api'),
        workload('Deployment', 'web'),
        workload('Deployment', 'db', {image: 'postgres'}),
        ingress('shop', paths),
        ingress('strip', paths, ', annotations: {nginx.ingress.kubernetes.io/rewrite-target: /$2}'),
        ingress('none', `{path: /x, ${backend('api')}}`),
        ingress('gone', `{path: /y, ${backend('gone')}}, {${backend('web')}}`),
        '---\nkind: HTTPRoute\nmetadata: {name: other}\nspec: {}\n',
        '---\nkind: Ingress\nmetadata: {name: all}\nspec: {defaultBackend: {service: {name: db}}}\n'
      ].join('')
    })
  )
  const web = template.apps.find(({appID}) => appID === 'web')
  t.strictSame(web?.['routes'], {'/api': 'api'})
  t.strictSame(
    notes.filter(note => note.startsWith('k8s/')),
    [
      'k8s/all.yaml: Ingress strip.dev: /api → api, / → web: not carried over',
      'k8s/all.yaml: Ingress none.dev: /x → api: not carried over',
      'k8s/all.yaml: Ingress gone.dev: /y → gone, / → web: not carried over',
      'k8s/all.yaml: HTTPRoute other: not carried over',
      'k8s/all.yaml: Ingress all: / → db: not carried over'
    ]
  )
})

t.test('workloads start again as pods do', async t => {
  const {template} = await imported(
    t,
    shop({
      'all.yaml':
        workload('Deployment', 'api') +
        workload('StatefulSet', 'db', {image: 'postgres:17'}) +
        workload('Job', 'migrate', {image: 'shop/web', pod: 'restartPolicy: Never,'}) +
        '---\napiVersion: v1\nkind: Pod\nmetadata: {name: once}\nspec: {restartPolicy: Never, containers: [{name: x, image: busybox}]}\n'
    })
  )
  t.strictSame(
    template.apps.map(({appID, restart}) => [appID, restart]),
    [
      ['api', 'always'],
      ['db', 'always'],
      ['migrate', 'on-failure'],
      ['once', undefined]
    ]
  )
})

t.test('an app waits for the servers that its variables name', async t => {
  const {template} = await imported(
    t,
    shop({
      'all.yaml':
        workload('Deployment', 'api', {
          env: '{name: URL, value: "postgres://u:p@db:5432/x"}, {name: REDIS_HOST, value: cache}, {name: WEB, value: "http://web"}'
        }) +
        workload('Deployment', 'web', {env: '{name: API, value: "http://api"}, {name: USER, value: dbx}'}) +
        workload('StatefulSet', 'db', {image: 'postgres:17', env: '{name: PEER, value: "cache:6379"}'}) +
        workload('Deployment', 'cache', {image: 'redis:8'})
    })
  )
  t.strictSame(
    template.apps.map(({appID, dependsOn}) => [appID, dependsOn]),
    [
      ['api', {db: 'ready', cache: 'ready'}],
      ['web', undefined],
      ['db', undefined],
      ['cache', undefined]
    ]
  )
})

t.test('manifests of several clusters are one app, and a mark lists the other files', async t => {
  const {template, notes} = await imported(
    t,
    shop({
      'a-knative.yaml': workload('Service', 'api').replace('apps/v1', 'serving.knative.dev/v1'),
      'kubernetes.yaml': workload('Deployment', 'api') + workload('Deployment', 'web'),
      'minikube.yaml': workload('Deployment', 'api') + workload('Deployment', 'web'),
      'openshift.yaml': workload('DeploymentConfig', 'api')
    })
  )
  t.equal(template.apps.map(({appID}) => appID).join(), 'api,web')
  for (const note of [
    'api: as in k8s/minikube.yaml; left out: k8s/a-knative.yaml, k8s/kubernetes.yaml, k8s/openshift.yaml',
    'web: as in k8s/minikube.yaml; left out: k8s/kubernetes.yaml'
  ])
    t.ok(notes.includes(note), `${note} in ${notes.join('\n')}`)
})

t.test('a host and its port are two variables, with dots or underscores', async t => {
  const {template} = await imported(
    t,
    shop({
      'all.yaml':
        workload('Deployment', 'api', {image: 'x/other'}) +
        service('api', 'port: 80, targetPort: 8089') +
        workload('Deployment', 'web', {
          env: '{name: grpc.clients.api.host, value: api}, {name: grpc.clients.api.port, value: "80"}, {name: API_HOST, value: api}, {name: API_PORT, value: "80"}'
        })
    })
  )
  t.match(template.apps.find(({appID}) => appID === 'web')?.['env'], {
    'grpc.clients.api.host': 'localhost',
    'grpc.clients.api.port': '80',
    API_HOST: 'localhost',
    API_PORT: '80'
  })
})

t.test('skaffold: a service is called at the port to which portForward leads', async t => {
  const forwards =
    'portForward: [{resourceType: service, resourceName: api, port: 80, localPort: 8000}, {resourceType: deployment, resourceName: docs, port: 8080, localPort: 9000}, {resourceType: service, resourceName: db, port: 5432}, {resourceType: service, resourceName: gone, port: 1}]\n'
  const {template, notes} = await imported(t, {
    ...shop({
      'all.yaml':
        workload('Deployment', 'api') +
        service('api', 'port: 80, targetPort: 8080') +
        workload('Deployment', 'docs', {image: 'x/docs'}) +
        service('docs', 'port: 80, targetPort: 8080') +
        workload('StatefulSet', 'db', {image: 'postgres:17'}) +
        service('db', 'port: 5432')
    }),
    'skaffold.yaml': SKAFFOLD + forwards
  })
  const byId = new Map(template.apps.map(app => [app['appID'], app]))
  t.match(byId.get('api'), {port: 8000, fixedPort: 8080})
  t.ok(notes.includes('gone: its forwarded port 1:1 is not carried over'))
  t.match(String(byId.get('docs')?.['command']), '--publish,9000:8080,')
  t.match(String(byId.get('db')?.['command']), '--publish,5432:5432,')
})

t.test('a variable of PostgreSQL that names a host which is not there is a mark', async t => {
  const {notes} = await imported(
    t,
    shop({'all.yaml': workload('Deployment', 'api', {env: '{name: PGHOST, value: postgres}'})})
  )
  t.ok(notes.includes('env: PGHOST: there is no service postgres: write the host that it is here'), notes.join('\n'))
})
