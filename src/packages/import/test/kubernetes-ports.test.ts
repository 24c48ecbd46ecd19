// The ports of Kubernetes' Services: several may have one number, which this machine has once.
import t from 'tap'
import {imported} from './read.ts'

const workload = (
  name: string,
  ports: string,
  container = '[{name: http, containerPort: 8080}]',
  env = '[]'
): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: ${name}, image: x/${name}, ports: ${container}, env: ${env}}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: ${name}}, ports: ${ports}}
---`

t.test('containers of Services are published at the number at which they listen, or at the next free one', async t => {
  const env = `[
    {name: A_URL, value: "http://a"}, {name: B_URL, value: "http://b:80/x"}, {name: C_URL, value: "http://c.default.svc.cluster.local:80"},
    {name: D_URL, value: "http://d:9000"}, {name: E_DSN, value: "postgres://c:80@b:80/c"}, {name: F_URL, value: "http://b"}]`
  const {template, notes} = await imported(
    t,
    {
      'all.yaml': [
        workload('a', '[{port: 80, targetPort: 8080}]'),
        workload('b', '[{port: 80, targetPort: http}]'),
        workload('c', '[{port: 80, targetPort: 3000}]'),
        workload(
          'd',
          '[{port: 80, targetPort: 3000}, {port: 9000, targetPort: 9001}, {port: 53, targetPort: 53, protocol: UDP}]'
        ),
        workload('z', '[{port: 7000}]', '[{containerPort: 7777}]', env)
      ].join('')
    },
    'all.yaml'
  )
  const published = template.apps.map(({command}) =>
    (command as string[]).flatMap((word, at, all) => (all[at - 1] === '--publish' ? [word] : []))
  )
  t.strictSame(published, [
    ['8080:8080'],
    ['8081:8080'],
    ['3000:3000'],
    ['3001:3000', '9001:9001', '53:53/udp'],
    ['7000:7000']
  ])
  t.strictSame(template.apps[4]?.['env'], {
    A_URL: 'http://a:8080',
    B_URL: 'http://b:8080/x',
    C_URL: 'http://c:3000',
    D_URL: 'http://d:9001',
    E_DSN: 'postgres://c:80@b:8080/c',
    F_URL: 'http://b:8080'
  })
  t.strictSame(notes, [])
})

t.test('addresses in the command of a container have the ports of containers', async t => {
  const {template, notes} = await imported(
    t,
    {
      'all.yaml': [
        workload('a', '[{port: 80, targetPort: 8080}]'),
        workload('b', '[{port: 80, targetPort: 5000}]'),
        workload('c', '[{port: 7000}]', '[{containerPort: 7000}]', '[{name: B_HOST, value: b}]').replace(
          'image: x/c,',
          'image: x/c, args: ["--a=a:80", "--b=http://b.default:80/x", "$(B_HOST):80", "--me=c:7000"],'
        )
      ].join('')
    },
    'all.yaml'
  )
  t.match(String(template.apps[2]?.['command']), ',--a=a:8080,--b=http://b:5000/x,b:5000,--me=c:7000')
  t.notMatch(notes.join('\n'), /publishes no port/)
  const {template: compose} = await imported(t, {
    'compose.yaml': `services:
  proxy: {image: proxy, entrypoint: [run, "--to", "api:3000"], command: "--also web:80"}
  api: {image: api, ports: ["8080:3000"]}
  web: {image: web, ports: ["80"]}
`
  })
  t.match(String(compose.apps[0]?.['command']), ',--entrypoint,run,proxy,--to,api:3000,--also,web:80')
})

t.test('a Service in longer texts, at a port that is not known, and at numbers of TCP and UDP', async t => {
  const env = `[
    {name: LIST, value: '["http://b:80","http://b"]'}, {name: TWO, value: "http://b:80 http://b:80"}, {name: LATER, value: "http://b:$(NOWHERE)"},
    {name: NAMES, value: "dns:53"}]`
  const {template} = await imported(
    t,
    {
      'all.yaml': [
        workload('a', '[{port: 80}]'),
        workload('b', '[{port: 80, targetPort: http}]'),
        workload('dns', '[{port: 53, protocol: UDP}, {port: 53}]'),
        workload('z', '[{port: 7000}]', '[]', env)
      ].join('')
    },
    'all.yaml'
  )
  t.match(template.apps[3]?.['env'], {
    LIST: '["http://b:8080","http://b"]',
    TWO: 'http://b:8080 http://b:8080',
    LATER: 'http://b:$(NOWHERE)',
    NAMES: 'dns:53'
  })
  const {command} = template.apps[2] ?? {}
  t.strictSame((command as string[]).slice(5, 9), ['--publish', '53:53/udp', '--publish', '53:53'])
})

const pod = (image: string): string => `{template: {spec: {containers: [{name: c, image: ${image}}]}}}`

t.test('workloads of other kinds, and of generated names', async t => {
  const {template} = await imported(
    t,
    {
      'all.yaml': [
        `{kind: ReplicationController, metadata: {name: web}, spec: ${pod('web')}}`,
        `{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: api}, spec: ${pod('api')}}`,
        `{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: hello}, spec: ${pod('hello')}}`,
        `{kind: Job, metadata: {generateName: before-}, spec: ${pod('a')}}`,
        `{kind: Job, metadata: {generateName: after-}, spec: ${pod('b')}}`
      ].join('\n---\n')
    },
    'all.yaml',
    'kubernetes'
  )
  t.strictSame(
    template.apps.map(({appID}) => appID),
    ['web', 'api', 'hello', 'before', 'after']
  )
})
