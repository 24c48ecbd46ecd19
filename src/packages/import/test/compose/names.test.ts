// Names that are hosts in the network of a compose file only: in whole values, in texts of settings, and at ports of that network.
import t from 'tap'
import {imported} from '../read.ts'

t.test('a variable that names a service by any of its names is where that is here', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `
services:
  web:
    build: web
    command: node server.js
    environment:
      A_HOST: db
      B_SERVER: shop-db
      C_URL: "http://store:5432/x"
      D_ADDR: "pg:5432"
      CONNECTION: "Host=db;Port=5432;Database=db;Username=db"
      MSSQL: "Server=tcp:sql,1433;Database=x"
      HOSTS: '["http://search:9200","http://search:9201"]'
      ORACLE: "jdbc:oracle:thin:@db:5432:xe"
      FLAGS: "--zero=db:5432 --name=db"
      OWN_ADDR: web:8080
      POSTGRES_USER: db
      DB_DRIVER: db
      SERVER_0_ID: db
      SERVER_0_URI: lb://db
  db:
    image: postgres
    container_name: shop-db
    hostname: pg
    ports: ["5433:5432"]
    networks: {default: {aliases: [store]}}
  sql: {image: mssql, ports: ["1444:1433"]}
  search: {image: elasticsearch, ports: ["9200:9200", "9301:9201"]}
`,
    web: {'server.js': 'listen()\nuri = "lb://db/"'}
  })
  t.strictSame(template.apps[0]?.['env'], {
    A_HOST: 'localhost',
    B_SERVER: 'localhost',
    C_URL: 'http://localhost:5433/x',
    D_ADDR: 'localhost:5433',
    CONNECTION: 'Host=localhost;Port=5433;Database=db;Username=db',
    MSSQL: 'Server=tcp:localhost,1444;Database=x',
    HOSTS: '["http://localhost:9200","http://localhost:9301"]',
    ORACLE: 'jdbc:oracle:thin:@localhost:5433:xe',
    FLAGS: '--zero=localhost:5433 --name=db',
    OWN_ADDR: 'localhost:8080',
    POSTGRES_USER: 'db',
    DB_DRIVER: 'db',
    SERVER_0_ID: 'db',
    SERVER_0_URI: 'lb://db'
  })
  t.notOk(notes.some(note => /POSTGRES_USER|DB_DRIVER|SERVER_0|server\.js/.test(note)))
})

t.test('an address in brackets, and one without a port, whose usual one is another one here', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `
services:
  web:
    build: web
    command: node server.js
    environment:
      DSN: "root:root@tcp(sql:3306)/x?loc=Local"
      A: "postgresql+asyncpg://pg:pg@db/x"
      B: "amqp://guest:guest@queue//"
      C: "redis://cache"
      D: "http://front/x, ws://front"
      E: "https://front"
  sql: {image: mysql, ports: ["3307:3306"]}
  db: {image: postgres, ports: ["5433:5432"]}
  queue: {image: rabbitmq, ports: ["5673:5672"]}
  cache: {image: redis, ports: ["6379:6379"]}
  front: {image: front, ports: ["8080:80"]}
`,
    web: {'server.js': 'listen()'}
  })
  t.strictSame(template.apps[0]?.['env'], {
    DSN: 'root:root@tcp(127.0.0.1:3307)/x?loc=Local',
    A: 'postgresql+asyncpg://pg:pg@localhost:5433/x',
    B: 'amqp://guest:guest@localhost:5673//',
    C: 'redis://localhost',
    D: 'http://localhost:8080/x, ws://localhost:8080',
    E: 'https://localhost'
  })
})

t.test('a health check that asks its own container needs no note on how others call it', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  es: {image: elasticsearch, healthcheck: {test: ["CMD", "curl", "http://es:9200/_cluster/health"]}, ports: ["9200:9200"]}
`
  })
  t.match(template.apps[0], {ready: {command: ['docker', 'exec', 'shop-es', 'curl']}})
  t.strictSame(notes, [])
})

t.test('users, passwords and words of a text stay, where they are called as services are', async t => {
  const table: readonly (readonly [value: string, here: string])[] = [
    ['postgres://postgres:secret@postgres:5432/app', 'postgres://postgres:secret@localhost:5433/app'],
    ['postgres://postgres:12345@postgres:5432/app', 'postgres://postgres:12345@localhost:5433/app'],
    ['postgres://postgres:a/b,c;d@postgres:5432/app', 'postgres://postgres:a/b,c;d@localhost:5433/app'],
    ['postgres://postgres:${PW:?set it}@postgres:5432', 'postgres://postgres:${PW:?set it}@localhost:5433'],
    ['redis://redis@redis:6379', 'redis://redis@localhost:6379'],
    ['postgres:12345@postgres:5432', 'postgres:12345@localhost:5433'],
    ['mongodb://redis:pw@redis:6379,postgres:5432/x', 'mongodb://redis:pw@localhost:6379,localhost:5433/x'],
    ['sqlserver://postgres:5432;user=sa;password=P@ss', 'sqlserver://localhost:5433;user=sa;password=P@ss'],
    ['Host=postgres;Port=5432;Password=P@ss', 'Host=localhost;Port=5433;Password=P@ss'],
    ['http://postgres:${PG_PORT:-5432}/', 'http://localhost:${PG_PORT:-5432}/'],
    ['at redis:6379, or postgres:12', 'at redis:6379, or postgres:12'],
    ['run redis:7 first', 'run redis:7 first'],
    ['serve --peer redis:6379 --all', 'serve --peer localhost:6379 --all']
  ]
  const environment = Object.fromEntries(table.map(([value], at) => [`V${at}`, value]))
  const services = {
    web: {build: 'web', command: 'node server.js', environment},
    box: {image: 'busybox', environment},
    postgres: {image: 'postgres', ports: ['5433:5432']},
    redis: {image: 'redis', ports: ['6379:6379']}
  }
  const {template, notes} = await imported(t, {
    'compose.yaml': JSON.stringify({services}),
    web: {'server.js': "connect('postgres://redis:12345@postgres:5432')"}
  })
  const here = table.map(([, text], at) => [`V${at}`, text] as const)
  t.strictSame(template.apps[0]?.['env'], Object.fromEntries(here))
  t.strictSame(template.apps[1]?.['env'], environment, 'a container calls containers as they are')
  t.notMatch(notes.join('\n'), /12345/)
})

t.test('a value that is the name of a service, or a host that none is, has a mark with its file', async t => {
  const {notes} = await imported(t, {
    'compose.yaml': `services:
  web:
    build: {context: web, dockerfile: Dockerfile.dev}
    environment:
      CACHE: redis
      ELSEWHERE_HOST: example.com
      BIND_HOST: all
      SELF: web
    env_file: .env
  redis: {image: redis, ports: ["6379:6379"]}
`,
    '.env': 'API_URL=hunter2\nMAIL_SERVER=smtp\nSESSIONS=redis\n',
    web: {'Dockerfile.dev': 'FROM ruby\n\nENV DATABASE_HOST db\nCMD ["ruby", "server.rb"]', 'server.rb': ''}
  })
  t.strictSame(
    notes.filter(note => note.includes('env: ')),
    [
      'env: API_URL: there is no service of that name: write the host that it is here',
      'env: MAIL_SERVER: there is no service of that name: write the host that it is here',
      'env: SESSIONS: its value is the name of a service: if it is a host, write localhost',
      'env: DATABASE_HOST: there is no service db: write the host that it is here',
      'env: CACHE: redis is the name of a service: if it is a host, write localhost'
    ]
  )
})

t.test('containers are in one network under all their names, and call each other as in compose', async t => {
  const {template, notes, whole} = await imported(t, {
    'docker-compose.yml': `services:
  zero: {image: dgraph, container_name: shop-zero, networks: {default: {aliases: [root]}}, command: dgraph zero --my=zero:5080}
  alpha: {image: dgraph, command: "dgraph alpha --my=alpha:7080 --zero=zero:5080", environment: {API_HOST: api, API_PORT: 3000, ZERO_HOST: zero}}
  side: {image: x, network_mode: "service:zero"}
  api: {build: api, command: node server.js, ports: ["3001:3000"]}
`,
    api: {'server.js': ''}
  })
  t.match(
    whole,
    '--name, shop-zero, --network, pillion, --network-alias, zero, --network-alias, shop-zero, --network-alias, root,'
  )
  t.match(whole, '--name, shop-alpha, --network, pillion, --network-alias, alpha, --add-host, api:host-gateway,')
  t.match(whole, '--name, shop-side, --network, container:shop-zero,')
  t.match(template.apps[1], {env: {API_HOST: 'api', API_PORT: '3001', ZERO_HOST: 'zero'}})
  t.match(String(template.apps[1]?.['command']), ',--my=alpha:7080,--zero=zero:5080')
  t.strictSame(notes, [
    'zero, alpha: on Linux these containers reach programs only at port: 0.0.0.0:NUMBER; api:3000 is api:3001'
  ])
})

t.test('a broker whose file publishes its other port is published at its usual one, if named alone', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  web: {build: web, command: node server.js --db postgres://u@db:5432/x, environment: {AMQP: "amqp://u:p@mq/x", BROKER_HOST: mq2}}
  mq: {image: rabbitmq, ports: ["15672:15672"]}
  mq2: {image: rabbitmq, ports: ["15673:15672"]}
  old: {image: postgres, ports: ["5432:5432"]}
  db: {image: postgres}
`,
    web: {'server.js': ''}
  })
  const [web, ...servers] = template.apps.map(({command}) => String(command))
  t.equal(web, 'node,server.js,--db,postgres://u@localhost:5433/x')
  t.match(servers, [/,15672:15672,--publish,5672:5672,/, /,15673:15672,--publish,5673:5672,/])
  t.match(template.apps[0]?.['env'], {AMQP: 'amqp://u:p@localhost/x', BROKER_HOST: 'localhost'})
  t.ok(notes.includes('mq2 is at port 5673 here, not at 5672: write that next to BROKER_HOST'))
})

t.test('the broker that a command names is no port of its program: it keeps its number', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  worker: {build: app, command: celery -A proj worker -b redis://redis:6379/0}
  redis: {image: redis}
`,
    app: {'requirements.txt': 'celery'}
  })
  const [worker, redis] = template.apps
  t.notOk(worker?.['appPort'] ?? worker?.['port'])
  t.match(worker?.['command'], ['celery', '-A', 'proj', 'worker', '-b', 'redis://localhost:6379/0'])
  t.match(String(redis?.['command']), ',--publish,6379:6379,')
})

t.test('what import leaves has a mark: a moved port, an address that a server gives', async t => {
  const {notes} = await imported(t, {
    'compose.yaml': `services:
  api:
    build: api
    command: node server.js
    environment: {A: "Host=db;Database=x", DB_HOST: db}
    secrets: [key]
  db: {image: postgres, ports: ["5433:5432"]}
  kafka: {image: kafka, environment: {KAFKA_ADVERTISED_LISTENERS: "PLAINTEXT://kafka:9092"}}
secrets: {key: {file: ./key.txt}}
`,
    '.env': 'COMPOSE_PROFILES=dev\n',
    'key.txt': '',
    api: {'server.js': ''}
  })
  for (const note of [
    'COMPOSE_PROFILES: dev: write pillion up --profile dev',
    'db is at port 5433 here, not at 5432: write that next to A',
    'db is at port 5433 here, not at 5432: write that next to DB_HOST',
    'secrets: /run/secrets/key is ./key.txt here: have the program read that',
    'others get kafka as its address: for programs write 127.0.0.1 kafka into /etc/hosts'
  ])
    t.ok(notes.includes(note), `${note} in\n${notes.join('\n')}`)
})
