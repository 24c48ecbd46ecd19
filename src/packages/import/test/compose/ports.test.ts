import t from 'tap'
import {imported, type Files} from '../read.ts'

const NODE = {'package.json': '{"scripts": {"start": "node server.js --port 3000"}}', 'server.js': ''}

t.test('two services on one port', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  web: {build: web, ports: ["3000:3000"], environment: {API: "http://api:3000", LAST: "http://last:3000/x"}}
  api: {build: web, ports: ["3001:3000"]}
  last: {build: web, expose: [3000], environment: {PORT: 3000}}
  go: {build: go, command: go run ., expose: [3000]}
  db: {image: postgres, ports: ["5432:5432"]}
  old: {image: postgres:9, ports: ["5432:5432", "81:80"]}
`,
    web: {...NODE},
    go: {'go.mod': ''}
  })
  t.match(template.apps.slice(0, 4), [
    {port: 3000, env: {API: 'http://localhost:3001', LAST: 'http://localhost:3002/x'}},
    {port: 3001, fixedPort: 3000},
    {port: 3002, fixedPort: 3000, env: {PORT: '3000'}},
    {appPort: undefined, port: undefined}
  ])
  t.strictSame(
    notes.filter(note => note.includes('is that of')),
    [
      'appPort: 3000 is that of web, too, and only one can listen there: have the program listen on another port, and write that here',
      'ports: 5432 is that of db, too, and only one can listen there: write another number in front of the colon of --publish 5432:5432'
    ]
  )
})

t.test('containers of a network alone: each is published at a number of its own, and called there', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  orders: {build: web, command: node server.js, expose: [3000], environment: {DB: "postgres://a@orders-db:5432/x"}}
  users: {build: web, command: node server.js, ports: ["5433:3000"], environment: {DB: "postgres://a@users-db/x"}}
  orders-db: {image: postgres}
  users-db: {image: postgres}
  queue: {image: cp-kafka, ports: ["29092:29092"], environment: {KEEPER: "keeper:2181", INNER: "PLAINTEXT://queue:9092"}}
  keeper: {image: cp-zookeeper}
  built: {build: built}
  host: {image: redis, network_mode: host}
`,
    web: {...NODE},
    built: {Dockerfile: 'FROM scratch\nEXPOSE 3000\nENTRYPOINT ["/serve"]'}
  })
  t.match(template.apps.slice(0, 2), [
    {port: 3000, env: {DB: 'postgres://a@localhost:5432/x'}},
    {port: 5433, env: {DB: 'postgres://a@localhost:5434/x'}}
  ])
  const published = template.apps.map(({command}) =>
    String(command)
      .match(/(?<=--publish,)[^,]*/g)
      ?.join(' ')
  )
  t.strictSame(published.slice(2), ['5432:5432', '5434:5432', '29092:29092', undefined, '3001:3000', undefined])
  t.match(template.apps[4], {env: {KEEPER: 'keeper:2181'}})
  t.notOk(notes.some(note => /only one can listen|no port is published/.test(note)))
})

t.test('programs whose images all listen at one port get one of their own, where their framework takes it', async t => {
  const spring: Files = {'pom.xml': 'spring-boot-maven-plugin', Dockerfile: 'FROM jre\nENTRYPOINT ["/app"]\n'}
  const boot = ['sh', '-c', 'SERVER_PORT=$PORT exec mvn -q spring-boot:run']
  const run = ['sh', '-c', 'exec dotnet run --urls http://localhost:$PORT']
  const net: Files = {'x.csproj': 'Sdk.Web', Dockerfile: 'FROM aspnet\nEXPOSE 8080\nENTRYPOINT ["/app"]\n'}
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  orders: {build: spring, ports: ["8081:8080"], environment: {SERVER_PORT: 8080, NEXT: "http://users:8080", NET: "http://net:8080"}}
  users: {build: spring, environment: {SERVER_PORT: 8080}}
  gateway: {build: spring, ports: ["8080:8080"], environment: {SERVER_PORT: 8080}}
  net: {build: net, ports: ["5001:8080"], environment: {ASPNETCORE_HTTP_PORTS: 8080}}
  other: {build: net, ports: ["5002:8080"]}
`,
    spring,
    net
  })
  t.match(template.apps, [
    {port: 8081, command: boot, env: {NEXT: 'http://localhost:8082', NET: 'http://localhost:5001'}},
    {port: 8082, command: boot},
    {port: 8080, command: boot},
    {port: 5001, command: run},
    {port: 5002, command: run}
  ])
  t.notOk(template.apps.some(app => 'appPort' in app))
  t.notMatch(notes.join('\n'), /only one can listen/)
})

t.test('a program that is told its port is called there; what reloads itself is not watched', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  rails: {build: r, command: bundle exec puma, ports: ["3000:3000"], environment: {PORT: 3000, A: 1}}
  vite: {build: w, command: npx vite, ports: ["5173:5173"], develop: {watch: [{path: ., action: sync, target: /}]}}
  node: {build: w, command: node server.js, develop: {watch: [{path: ., action: sync, target: /}]}}
`,
    r: {Gemfile: ''},
    w: {...NODE}
  })
  t.match(template.apps, [
    {port: 3000, env: {A: '1'}, appPort: undefined},
    {port: 5173, watch: undefined},
    {watch: true}
  ])
})

t.test('the variable next to that of a host has the port at which that is reached; else a mark says it', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  web: {build: web, environment: {DB_HOST: db, DB_PORT: "5432", LIMIT: "5432", REDIS_HOST: cache, DB_DRIVER: db, DB2_HOST: same}}
  same: {image: postgres, ports: ["5432:5432"], environment: {SERVER_PORT: "3000", WEB: "http://api:3000"}}
  api: {build: web, command: node server.js, ports: ["3001:3000"], environment: {API_HOST: api, API_PORT: "3000", SERVER_PORT: "3000"}}
  db: {image: postgres, ports: ["5433:5432"]}
  cache: {image: redis, ports: ["6380:6379"]}
`,
    web: NODE
  })
  t.match(template.apps, [
    {env: {DB_HOST: 'localhost', DB_PORT: '5433', LIMIT: '5432', REDIS_HOST: 'localhost'}},
    {env: {SERVER_PORT: '3000'}},
    {env: {API_PORT: '3000', SERVER_PORT: '3000'}}
  ])
  t.strictSame(
    notes.filter(note => note.includes('is at port')),
    ['cache is at port 6380 here, not at 6379: write that next to REDIS_HOST']
  )
})

t.test('a container in the network of another one is not asked at a port that it does not publish', async t => {
  const {template} = await imported(t, {
    'compose.yaml':
      'services: {vpn: {image: vpn}, a: {image: redis, network_mode: "service:vpn"}, b: {image: redis, network_mode: host}, c: {image: redis, network_mode: bridge, ports: ["1:6379"]}}'
  })
  t.strictSame(
    template.apps.map(({ready}) => ready),
    [undefined, undefined, {tcp: 6379}, {tcp: 1}]
  )
})

t.test('a health check by https is run as it is: a check of http is none of a port with TLS', async t => {
  const {template} = await imported(t, {
    'compose.yaml':
      'services: {api: {build: ., ports: ["8443:8443"], healthcheck: {test: [CMD, curl, -kf, "https://localhost:8443/h"]}}}',
    Dockerfile: 'FROM node\nCMD ["node", "server.js"]\n',
    'server.js': ''
  })
  t.match(template.apps, [{ready: {command: ['curl', '-kf', 'https://localhost:8443/h']}}])
})
