import t from 'tap'
import {imported} from '../read.ts'

t.test('a sidecar of Dapr becomes the keys of its app; what else is of Dapr goes', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `
services:
  nodeapp:
    build: ./node
    command: node app.js
    ports: ["50002:50002", "8080:3000"]
    environment: {DAPR_HTTP_PORT: 3500, A: 1}
    depends_on: [redis, placement, node-dapr]
  node-dapr:
    image: daprio/daprd:edge
    command: ["./daprd", "-app-id", "orders", "-app-port=3000", "--app-protocol", "grpc", "-dapr-http-port", "3500",
      "-dapr-grpc-port", "50002", "-placement-host-address", "placement:50006", "-config", "/dapr/config.yaml",
      "-resources-path", "/components", "-enable-api-logging", "-app-token", "x"]
    volumes: ["./components/:/components", "./dapr:/dapr:ro"]
    depends_on: {nodeapp: {condition: service_started}, db: {condition: service_started}}
    network_mode: "service:nodeapp"
  web: {build: ./web, command: node web.js, depends_on: [nodeapp]}
  web-dapr:
    image: ghcr.io/dapr/daprd
    command: ./daprd --app-id web --dapr-http-port 3500 --components-path /in/image
    network_mode: service:web
  placement: {image: daprio/dapr, command: ["./placement", "-port", "50006"], ports: ["50006:50006"]}
  scheduler: {image: "daprio/scheduler:1.15", command: ["./scheduler"]}
  zipkin: {image: openzipkin/zipkin, ports: ["9411:9411"]}
  redis: {image: redis, ports: ["6380:6379"]}
  db: {image: busybox}
`,
    node: {'app.js': ''},
    web: {'web.js': ''},
    dapr: {'config.yaml': 'endpoint: http://zipkin:9411\n'},
    components: {'state.yaml': 'metadata:\n# redis:6379\n- name: redisHost\n  value: redis:6379\n'}
  })
  const [nodeapp, web, ...others] = template.apps
  t.strictSame(nodeapp, {
    appID: 'orders',
    appDirPath: './node',
    port: 8080,
    appPort: 3000,
    command: ['node', 'app.js'],
    dependsOn: {db: 'started', redis: 'started'},
    env: {A: '1'},
    appProtocol: 'grpc',
    daprGRPCPort: 50_002,
    enableApiLogging: true,
    resourcesPaths: ['../components'],
    configFilePath: '../dapr/config.yaml'
  })
  t.strictSame(web, {appID: 'web', appDirPath: './web', command: ['node', 'web.js'], dependsOn: {orders: 'started'}})
  t.strictSame(
    others.map(app => app['appID']),
    ['redis', 'db']
  )
  t.strictSame(notes, [
    'placement, scheduler, zipkin: left out: the run does for Dapr what they do',
    'db: on Linux these containers reach programs only at port: 0.0.0.0:NUMBER; nodeapp:3000 is nodeapp:8080',
    'orders, web: daprHTTPPort: 3500 is that of another sidecar, too: here each has its own, in DAPR_HTTP_PORT',
    'components/state.yaml:4: redis:6379 is localhost:6380 here: write that',
    'node-dapr: -app-token x is not carried over',
    'web-dapr: /in/image is in the container alone: copy it out, and write its path here'
  ])
})

t.test('without a sidecar nothing is of Dapr', async t => {
  const {template} = await imported(t, {
    'compose.yaml':
      'services: {zipkin: {image: openzipkin/zipkin}, d: {image: daprio/daprd, network_mode: "service:gone"}}'
  })
  t.equal(template.apps.length, 2)
})

t.test('containers find programs that their files name; a port that is another one here is marked', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `
services:
  proxy: {image: nginx, volumes: ["./nginx:/etc/nginx:ro"], ports: ["80:80"]}
  api: {build: ./api, command: node api.js, ports: ["8080:3000"]}
  db: {image: postgres, ports: ["5433:5432"]}
  built: {build: built}
`,
    built: {Dockerfile: 'FROM nginx\nCOPY a.conf /etc/nginx/\n', 'a.conf': 'server api:3000;\n'},
    nginx: {'nginx.conf': 'server {\n  proxy_pass http://api:3000;\n  stream db:5432;\n}\n'},
    api: {'api.js': ''}
  })
  t.ok(
    notes.includes(
      'proxy, built: on Linux these containers reach programs only at port: 0.0.0.0:NUMBER; api:3000 is api:8080'
    )
  )
  t.match(String(template.apps[0]?.['command']), ',--publish,80:80,--add-host,api:host-gateway,--volume,')
  t.strictSame(
    notes.filter(note => note.includes('write that')),
    [
      'nginx/nginx.conf:2: api:3000 is api:8080 here: write that',
      'built/a.conf:1: api:3000 is api:8080 here: write that'
    ]
  )
})

t.test('who waits for an app and for its sidecar waits as long as for both', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `
services:
  api: {image: nginx, healthcheck: {test: ["CMD", "true"]}}
  api-dapr: {image: daprio/daprd, network_mode: "service:api", command: ["./daprd", "-app-id", "api"]}
  worker: {image: busybox, depends_on: {api: {condition: service_healthy}, api-dapr: {condition: service_started}}}
`
  })
  t.match(template.apps, [{}, {appID: 'worker', dependsOn: {api: 'ready'}}])
})

t.test('containers whose sidecars call one port are published at numbers of their own', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `
services:
  a: {image: x}
  a-dapr: ${sidecar('a')}
  b: {image: y}
  b-dapr: ${sidecar('b')}
`
  })
  t.match(template.apps, [{appPort: 6000}, {appPort: 6001}])
  t.match(String(template.apps[1]?.['command']), ',--publish,127.0.0.1:6001:6000,y')
  t.notOk(notes.some(note => note.includes('only one can listen')))
})
const sidecar = (id: string): string =>
  `{image: daprio/daprd, network_mode: "service:${id}", command: [./daprd, -app-id, ${id}, -app-port, "6000"]}`

t.test('a container with a sidecar is called where its port is published, and finds its sidecar by a flag', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `
services:
  a: {image: x, ports: ["8080:3000"]}
  a-dapr: {image: daprio/daprd, network_mode: "service:a", command: [./daprd, -app-id, a, -app-port, "3000"]}
  b: {image: y}
  b-dapr: {image: daprio/daprd, network_mode: "service:b", command: [./daprd, -app-id, b, -app-port, "5000"]}
`
  })
  t.match(template.apps, [{appPort: 8080}, {appPort: 5000}])
  t.match(String(template.apps[1]?.['command']), ',--publish,127.0.0.1:5000:5000,y')
  const flags = '--network host --env DAPR_HTTP_PORT --env DAPR_GRPC_PORT in the place of --publish'
  const note = (port: number): string =>
    `its container finds its sidecar at localhost only in the network of this machine: write ${flags}, and appPort: ${port}`
  t.strictSame(notes, [note(3000), note(5000)])
})

t.test('an app that shares the network of its sidecar has one of its own', async t => {
  const {template} = await imported(t, {
    'compose.yaml':
      'services: {a: {image: x, network_mode: "service:a-dapr"}, a-dapr: {image: daprio/daprd, command: [./daprd, --app-id, a, --app-port, "3000"]}}'
  })
  t.match(template.apps, [{appID: 'a', appPort: 3000}])
  t.notMatch(String(template.apps[0]?.['command']), '--network')
})

t.test('the ports of an app in the network of its sidecar are published by the sidecar', async t => {
  const {template} = await imported(t, {
    'compose.yaml':
      'services: {a: {image: x, network_mode: "service:a-dapr"}, a-dapr: {image: daprio/daprd, ports: ["3000:3000", "3500:3500"], command: [./daprd, --app-id, a, --app-port, "3000"]}}'
  })
  t.match(String(template.apps[0]?.['command']), ',--publish,3000:3000,x')
  t.match(template.apps, [{ready: {tcp: 3000}}])
})

t.test('the network and the name of a sidecar that lends its network are those of its app', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `
services:
  a: {image: x, network_mode: "service:side"}
  side: {image: daprio/daprd, ports: ["3000:3000"], command: [./daprd, --app-id, a]}
  b: {image: y, network_mode: "service:side"}
  c: {image: z, environment: {URL: "http://side:3000/x"}}
`
  })
  const byId = new Map(template.apps.map(app => [app['appID'], app]))
  t.match(String(byId.get('b')?.['command']), ',--network,container:shop-a,y')
  t.match(byId.get('c'), {env: {URL: 'http://side:3000/x'}})
})

t.test('a container in the network of a sidecar is in that of its program: this machine’s', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  web: {build: .}
  web-dapr: {image: daprio/daprd, command: [./daprd, -app-id, web, -app-port, "3000"], network_mode: "service:web"}
  log: {image: log, network_mode: "service:web-dapr", environment: {URL: "http://web:3000"}}
`,
    Dockerfile: 'FROM node\nCMD ["node", "server.js"]\n',
    'server.js': ''
  })
  t.match(template.apps[1], {appID: 'log', env: {URL: 'http://localhost:3000'}, dependsOn: {web: 'ready'}})
  t.match(String(template.apps[1]?.['command']), '--network,host,')
})
