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
  db:
    image: postgres
    container_name: shop-db
    hostname: pg
    ports: ["5433:5432"]
    networks: {default: {aliases: [store]}}
  sql: {image: mssql, ports: ["1444:1433"]}
  search: {image: elasticsearch, ports: ["9200:9200", "9301:9201"]}
`,
    web: {'server.js': 'listen()'}
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
    DB_DRIVER: 'db'
  })
  t.notOk(notes.some(note => /POSTGRES_USER|DB_DRIVER/.test(note)))
})

t.test('a value that is the name of a service, or a host that none is, has a mark with its line', async t => {
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
    '.env': 'X=1\nMAIL_SERVER=smtp\n',
    web: {'Dockerfile.dev': 'FROM ruby\n\nENV DATABASE_HOST db\nCMD ["ruby", "server.rb"]', 'server.rb': ''}
  })
  t.strictSame(
    notes.filter(note => note.includes('env: ')),
    [
      '.env:2: env: MAIL_SERVER: there is no service smtp: write the host that it is here',
      'web/Dockerfile.dev:3: env: DATABASE_HOST: there is no service db: write the host that it is here',
      'compose.yaml:5: env: CACHE: redis is the name of a service: if it is a host, write localhost'
    ]
  )
})

t.test('containers that call others, or are called, at a port that is not published', async t => {
  const {notes} = await imported(t, {
    'docker-compose.yml': `services:
  zero:
    image: dgraph
    ports: ["5080:5080"]
    command: dgraph zero --my=zero:5080
  alpha:
    image: dgraph
    ports: ["8080:8080"]
    command: >
      dgraph alpha --my=alpha:7080
        --zero=zero:5080 --peer=zero:6080
`
  })
  t.strictSame(
    notes.filter(note => note.includes('publish')),
    [
      'docker-compose.yml:10: others get alpha:7080 as its address, and it publishes no port 7080: write --publish 7080:7080 into its command, and --add-host alpha:host-gateway into those of its callers',
      'docker-compose.yml:11: zero publishes no port 6080: write --publish 6080:6080 into its command'
    ]
  )
})
