import t from 'tap'
import {importFrom} from '../import-template.ts'
import {imported, refusal, type Files} from './read.ts'

const SKAFFOLD = `
apiVersion: skaffold/v4beta6
kind: Config
build:
  artifacts:
    - {image: shop/cart, context: services/cart}
    - {image: shop/mail, context: ., docker: {dockerfile: services/mail/Dockerfile}}
manifests: {rawYaml: [k8s/*]}
`
const MANIFEST = `
kind: Deployment
metadata: {name: cart-depl}
spec:
  template:
    metadata:
      labels: {app: cart}
      annotations: {dapr.io/enabled: "true", dapr.io/app-id: cart, dapr.io/app-port: "8080"}
    spec:
      containers:
        - name: cart
          image: registry.example/shop/cart:v1
          ports: [{name: http, containerPort: 8080}]
          env:
            - {name: MAIL, value: "http://mail.shop.svc.cluster.local:9000/a$b"}
            - {name: CACHE, value: "redis:6379"}
            - {name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: level}}}
            - {name: KEY, valueFrom: {secretKeyRef: {name: gone, key: key}}}
            - {name: BOTH, value: "$(LEVEL)-$(NONE)-$(constructor)"}
          envFrom: [{configMapRef: {name: settings}, prefix: P_}]
---
kind: Service
metadata: {name: cart}
spec: {selector: {app: cart}, ports: [{port: 80, targetPort: http}]}
---
kind: ConfigMap
metadata: {name: settings}
data: {level: debug}
---
kind: Deployment
metadata: {name: mail}
spec:
  template:
    metadata: {labels: {app: mail}}
    spec: {containers: [{name: mail, image: shop/mail, ports: [{containerPort: 9000}]}]}
---
kind: StatefulSet
metadata: {name: redis}
spec:
  template:
    metadata: {labels: {app: redis}}
    spec: {containers: [{name: redis, image: "redis:7", volumeMounts: [{name: data, mountPath: /data}]}]}
---
kind: Service
metadata: {name: redis}
spec: {selector: {app: redis}, ports: [{port: 6379}]}
---
kind: CronJob
metadata: {name: sweep}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: sweep, image: busybox}]}}}}}
`
const COMPONENT =
  'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec: {type: state.redis, version: v1}\n'

const files = (): Files => ({
  'skaffold.yaml': SKAFFOLD,
  k8s: {
    'all.yaml': MANIFEST,
    'store.yaml': COMPONENT,
    'old.yaml.bak': 'kind: Pod',
    'chart.yaml': 'a: {{ .Values.x }}\n'
  },
  services: {
    cart: {
      'package.json': '{"scripts": {"dev": "node index.js"}}',
      'index.js': 'call("http://redis:6379")\nlisten(8080)'
    },
    mail: {'go.mod': 'module mail', 'main.go': 'package main // ":9000"'}
  }
})

t.test('skaffold: images that are built here are programs, with ports and environment of the manifests', async t => {
  const {template, notes} = await imported(t, files())
  const [cart, mail, redis, sweep] = template.apps
  t.match(cart, {
    appID: 'cart',
    appDirPath: './services/cart',
    appPort: 8080,
    command: ['npm', 'run', 'dev'],
    env: {
      MAIL: 'http://localhost:9000/a$b',
      CACHE: 'localhost:6379',
      LEVEL: 'debug',
      P_level: 'debug',
      BOTH: 'debug-$(NONE)-$(constructor)'
    },
    resourcesPaths: ['../../k8s']
  })
  t.match(mail, {appID: 'mail', appDirPath: './services/mail', appPort: 9000, command: ['go', 'run', '.']})
  t.match(redis, {appID: 'redis', ready: {tcp: 6379}})
  t.match(sweep, {appID: 'sweep', profiles: ['cron']})
  const told = notes.join('\n')
  for (const note of [
    'k8s/all.yaml: env: KEY comes from secretKeyRef gone: write it into env',
    'k8s/all.yaml: volumeMounts: /data: not carried over',
    'CronJob: its schedule does not start it here',
    'k8s/chart.yaml: '
  ])
    t.ok(told.includes(note), note)
})

const deployment = (name: string, env: string): string =>
  `kind: Deployment\nmetadata: {name: ${name}}\nspec: {template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: a, image: ${name}, ports: [{containerPort: 8080}], env: ${env}}]}}}\n`

t.test('a folder of manifests by itself', async t => {
  const files = {k8s: {'web.yaml': deployment('web', '[]'), 'api.yaml': deployment('api', '[]')}}
  const {template} = await imported(t, files, 'k8s', 'kubernetes')
  t.match(template.apps, [{appID: 'api'}, {appID: 'web'}])
})

const labelled = (kind: string, name: string, app: string): string =>
  `kind: ${kind}\nmetadata: {name: ${name}}\nspec: {template: {metadata: {labels: {app: ${app}}}, spec: {containers: [{name: a, image: ${name}}]}}}\n`

t.test('workloads that one Service selects, or that have one name, are apps of their own', async t => {
  const text = [
    labelled('Deployment', 'shop', 'shop'),
    labelled('Deployment', 'shop-canary', 'shop'),
    labelled('Job', 'shop', 'job'),
    'kind: Service\nmetadata: {name: shop}\nspec: {selector: {app: shop}, ports: [{port: 80}]}\n'
  ].join('---\n')
  const {template} = await imported(t, {'all.yaml': text}, 'all.yaml', 'kubernetes')
  t.strictSame(
    template.apps.map(({appID}) => appID),
    ['shop', 'shop-canary', 'shop-job']
  )
})

t.test('words of a command have the variables that Kubernetes replaces in them', async t => {
  const env = [
    {name: 'LEVEL', value: 'debug'},
    {name: 'TEXT', value: '$$(LEVEL)'}
  ]
  const container = {
    name: 'a',
    image: 'x',
    env,
    command: ['run', '--level=$(LEVEL)'],
    args: ['$(NONE)', '$HOME', '$$(LEVEL)']
  }
  const pod = {kind: 'Pod', metadata: {name: 'a'}, spec: {containers: [container]}}
  const {template} = await imported(t, {'pod.yaml': JSON.stringify(pod)}, 'pod.yaml', 'kubernetes')
  const command = template.apps[0]?.['command'] as readonly string[]
  t.match(template.apps[0]?.['env'], {TEXT: '$(LEVEL)'})
  t.strictSame(command.slice(-4), ['--level=debug', '$(NONE)', '$HOME', '$(LEVEL)'])
})

const resource = (kind: string, name: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`

t.test('a sidecar has the Configuration and the resources that its annotations and the manifests name', async t => {
  const annotations =
    '{dapr.io/enabled: "true", dapr.io/app-id: a, dapr.io/config: tracing, dapr.io/max-body-size: 8Mi}'
  const read = async (configuration: string) =>
    imported(
      t,
      {
        k8s: {
          'a.yaml': `kind: Deployment\nmetadata: {name: a}\nspec: {template: {metadata: {annotations: ${annotations}}, spec: {containers: [{name: a, image: x}]}}}\n`,
          'config.yaml': resource('Configuration', configuration),
          events: {'orders.yaml': resource('Subscription', 'orders')},
          'kustomization.yaml': 'resources: [a.yaml, config.yaml, events/orders.yaml]\n'
        }
      },
      'k8s',
      'kubernetes'
    )
  const {template} = await read('tracing')
  t.match(template.apps, [{configFilePath: './config.yaml', resourcesPaths: ['./events'], maxBodySize: '8Mi'}])
  const {notes} = await read('other')
  t.ok(notes.includes('dapr.io/config: the Configuration tracing is in none of the manifests'))
})

t.test('a manifest by itself', async t => {
  const {template} = await imported(t, {'all.yaml': `apiVersion: v1${MANIFEST}`}, 'all.yaml')
  t.same(
    template.apps.map(({appID}) => appID),
    ['cart', 'mail', 'redis', 'sweep']
  )
  t.match(await refusal(t, {'a.yaml': 'apiVersion: v1\nkind: Service\n'}, 'a.yaml'), {message: /it has no workload/})
})

t.test('folders that lead to themselves are entered once', async t => {
  const config = 'apiVersion: skaffold/v4beta1\nkind: Config\nmanifests: {rawYaml: ["k/**/*.yaml"]}\n'
  const cwd = t.testdir({
    'skaffold.yaml': config,
    k: {'web.yaml': deployment('web', '[]'), one: t.fixture('symlink', '.'), two: t.fixture('symlink', '.')}
  })
  const {imported: found} = await importFrom(['.'], {cwd})
  t.match(found.apps, [{id: 'web'}])
})

t.test('two dollars are one, values of Secrets are as they are, and a pod has its time to end', async t => {
  const container = {
    name: 'a',
    image: 'x',
    env: [
      {name: 'PRICE', value: '$$5 $$$(PRICE) $(a.b)'},
      {name: 'PASSWORD', valueFrom: {secretKeyRef: {name: 's', key: 'p'}}}
    ],
    args: ['$$HOME']
  }
  const pod = {kind: 'Pod', metadata: {name: 'a'}, spec: {containers: [container], terminationGracePeriodSeconds: 45}}
  const secret = {kind: 'Secret', metadata: {name: 's'}, stringData: {p: 'a$$(b$$c'}}
  const text = [pod, secret].map(each => JSON.stringify(each)).join('\n---\n')
  const {template, notes} = await imported(t, {'a.yaml': text}, 'a.yaml', 'kubernetes')
  t.match(notes, [/env: the Secret s is readable here/])
  t.match(template.apps, [{env: {PRICE: '$5 $$(PRICE) $(a.b)', PASSWORD: 'a$$(b$$c'}, stop: {timeout: '45s'}}])
  t.match(String(template.apps[0]?.['command']), /,\$HOME$/)
})

t.test('a Subscription or a Configuration that is not of Dapr is no resource of a sidecar', async t => {
  const {template} = await imported(
    t,
    {
      k8s: {
        'a.yaml':
          'kind: Deployment\nmetadata: {name: a}\nspec: {template: {metadata: {annotations: {dapr.io/enabled: "true", dapr.io/app-id: a, dapr.io/config: c}}, spec: {containers: [{name: a, image: x}]}}}\n',
        'c.yaml': 'apiVersion: serving.knative.dev/v1\nkind: Configuration\nmetadata: {name: c}\n',
        'kustomization.yaml': 'resources: [a.yaml, c.yaml, events/s.yaml]\n',
        events: {'s.yaml': 'apiVersion: messaging.knative.dev/v1\nkind: Subscription\nmetadata: {name: s}\n'}
      }
    },
    'k8s',
    'kubernetes'
  )
  const [app = {}] = template.apps
  t.notOk('resourcesPaths' in app || 'configFilePath' in app)
})

t.test('kustomize: the resources of its folders are read, and a mark has the command for the rest', async t => {
  const {template, notes} = await imported(t, {
    'skaffold.yaml': 'apiVersion: skaffold/v2\nkind: Config\ndeploy: {kustomize: {paths: [over]}, helm: {}}\n',
    base: {'kustomization.yaml': 'resources: [pod.yaml]\n', 'pod.yaml': deployment('a', '[]')},
    over: {'kustomization.yaml': 'resources: [../base, ../over, ../more, gone.yaml]\npatches: []\n'},
    more: {'kustomization.yaml': 'images: []\npatches: []\n'}
  })
  t.match(template.apps, [{appID: 'a'}])
  t.match(notes, [
    /^helm: /,
    'over/gone.yaml is not there',
    'kustomization of more, over: images, patches: not carried over: kubectl kustomize more > all.yaml, and import that'
  ])
})

t.test('manifests that are named alone start the programs of folders with the names of their images', async t => {
  const {template} = await imported(
    t,
    {
      k8s: {'api.yaml': deployment('api', '[{name: LEVEL, value: debug}]').replace('image: api', 'image: shop/api:v1')},
      api: {'package.json': '{"scripts": {"dev": "node x.js"}}', 'x.js': 'listen(process.env.PORT)'}
    },
    'k8s',
    'kubernetes'
  )
  t.match(template.apps, [{appDirPath: './api', port: 8080, command: ['npm', 'run', 'dev'], env: {LEVEL: 'debug'}}])
})
