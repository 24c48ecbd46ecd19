import t from 'tap'
import {imported} from '../read.ts'

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
    {appPort: 3000}
  ])
  t.strictSame(
    notes.filter(note => note.includes('is that of')),
    [
      'appPort: 3000 is that of web, too, and only one can listen there: have the program listen on another port, and write that here',
      'ports: 5432 is that of db, too, and only one can listen there: write another number in front of the colon of --publish 5432:5432'
    ]
  )
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

t.test('a port in a variable of its own is named, where another one is published', async t => {
  const notes = async (ports: string): Promise<readonly string[]> => {
    const text = `services:
  web: {build: web, environment: {DB_HOST: db, DB_PORT: "5432", LIMIT: "5432"}}
  db: {image: postgres, ports: ["${ports}"]}
`
    return (await imported(t, {'compose.yaml': text, web: NODE})).notes
  }
  t.strictSame((await notes('5433:5432')).slice(0, 2), [
    'env: db is at localhost here',
    'env: DB_PORT: db is at port 5433 here, not at 5432'
  ])
  t.strictSame(
    (await notes('5432:5432')).filter(note => note.includes('DB_PORT')),
    []
  )
})

t.test('ports of a range are called at theirs, and one that gets the first free of a range at its first', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  a: {image: x, ports: ["9100-9110:9200-9210"]}
  b: {image: x, ports: ["7080-7085:8080"]}
  web: {build: web, command: node server.js, ports: ["8100-8102:8100-8102"]}
  c: {image: x, environment: {A: "http://a:9205/x", B: "http://b:8080", OUT: "http://a:9100", WEB: "http://web:8100"}}
`,
    web: NODE
  })
  const here = 'http://host.docker.internal'
  t.match(template.apps, [
    {},
    {},
    {port: 8100},
    {env: {A: `${here}:9105/x`, B: `${here}:7080`, OUT: `${here}:9100`, WEB: `${here}:8100`}}
  ])
  const alone = await imported(t, {
    'compose.yaml': 'services: {web: {build: web, command: node server.js, ports: ["8100-8102:8100-8102"]}}',
    web: NODE
  })
  t.match(alone.template.apps, [{port: 8100}])
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
