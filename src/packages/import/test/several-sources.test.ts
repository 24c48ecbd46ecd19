import t from 'tap'
import {imported, refusal} from './read.ts'

const PROCFILE = `web: bundle exec puma -p $PORT\nworker: WAIT=$\{SECONDS:-5} sidekiq\nrelease: rake db:migrate\n`

const COMPOSE = `
services:
  app: {build: ., command: puma, depends_on: [db], ports: ["3000:3000"]}
  db: {image: "postgres:17", environment: {POSTGRES_PASSWORD: "\${PW:-secret}"}}
  mail: {image: axllent/mailpit, depends_on: [app]}
`

t.test('programs of a Procfile, and servers of a compose file', async t => {
  for (const order of [
    ['Procfile', 'compose.yaml'],
    ['compose.yaml', 'Procfile']
  ]) {
    const {template, notes, text} = await imported(
      t,
      {Procfile: PROCFILE, 'compose.yaml': COMPOSE, '.env': 'A=1'},
      order
    )
    const apps: Readonly<Record<string, object>> = Object.fromEntries<object>(
      template.apps.map(({appID, ...app}): [string, object] => [String(appID), app])
    )
    t.same(Object.keys(apps).toSorted(), ['db', 'mail', 'release', 'web', 'worker'])
    t.match(text, new RegExp(`^# Written by pillion import from ${order.join(' and ')}\\.`))
    t.match(apps['web'], {
      command: ['sh', '-c', 'bundle exec puma -p $PORT'],
      envFile: '.env',
      dependsOn: {db: 'ready', mail: 'ready'}
    })
    t.match(apps['worker'], {command: ['sh', '-c', 'WAIT=$${SECONDS:-5} sidekiq'], dependsOn: {db: 'ready'}})
    t.equal(template['interpolate'], './.env')
    t.match(apps['db'], {env: {POSTGRES_PASSWORD: '${PW:-secret}'}})
    t.notOk('envFile' in (apps['db'] ?? {}))
    t.notOk('dependsOn' in (apps['mail'] ?? {}), 'what is left out is not waited for')
    t.notOk('dependsOn' in (apps['release'] ?? {}))
    t.match(notes.join('\n'), /app of compose\.yaml is left out: Procfile starts the programs of its folder \(web\)/)
  }
})

t.test('servers of a compose file, and the programs of the folder next to it', async t => {
  const files = {
    'compose.yaml': 'services: {redis: {image: "redis:7", ports: ["6379:6379"]}}',
    api: {'package.json': '{"scripts": {"start": "node ."}}', 'index.js': 'x.listen(4000)'}
  }
  const {template, text} = await imported(t, files)
  t.match(template.apps, [{appID: 'redis'}, {appID: 'api', appDirPath: './api', dependsOn: {redis: 'ready'}}])
  t.match(text, /^# Written by pillion import from compose\.yaml and the files of shop\/\./)
  const {template: named, notes} = await imported(t, files, 'compose.yaml')
  t.equal(named.apps.length, 1, 'a file that is named stands alone')
  t.match(notes, [/^api: nothing of this file starts this project/])
  const {text: withProcfile} = await imported(t, {...files, Procfile: 'api: node api'})
  t.match(withProcfile, /^# Written by pillion import from compose\.yaml and Procfile\./)
})

t.test('what both name is one app: a note says which key is whose', async t => {
  const {template, notes} = await imported(
    t,
    {
      Procfile: 'api: node api.js\ncache: redis-server --port 6399\n',
      'api.js': 'require("http").createServer().listen(process.env.PORT)',
      'shop.env': '',
      'compose.yaml': `
services:
  api:
    image: shop/api
    command: node dist/api.js
    environment: {CACHE: "redis://cache:6379", PORT: "80", MODE: x}
    env_file: shop.env
    depends_on: {cache: {condition: service_healthy}}
    restart: always
  cache: {image: "redis:7", stop_signal: SIGINT, healthcheck: {test: [CMD, redis-cli, ping]}}
`
    },
    ['Procfile', 'compose.yaml']
  )
  t.match(template.apps, [
    {
      appID: 'api',
      command: ['node', 'api.js'],
      port: 5000,
      env: {CACHE: 'redis://localhost:6379', MODE: 'x'},
      envFile: 'shop.env',
      dependsOn: {cache: 'ready'},
      restart: 'always'
    },
    {appID: 'cache', command: ['redis-server', '--port', '6399']}
  ])
  t.equal(template.apps.length, 2)
  t.notMatch(template.apps[0], {env: {PORT: '80'}})
  t.notOk('ready' in (template.apps[1] ?? {}), 'the check of a container does not ask a program')
  const said = notes.join('\n')
  t.match(said, /it is in Procfile and in compose\.yaml: as in Procfile, with .*restart.*env\.CACHE.* of compose\.yaml/)
  t.match(said, /it is in Procfile and in compose\.yaml: as in Procfile$/m)
})

t.test('process-compose and compose: what it waits for stays what it says', async t => {
  const {template} = await imported(
    t,
    {
      'process-compose.yaml': 'environment: [A=1]\nprocesses: {web: {command: "echo $A"}}',
      'compose.yaml': 'services: {db: {image: mariadb}}'
    },
    ['process-compose.yaml', 'compose.yaml']
  )
  t.match(template.apps, [{appID: 'web', env: {A: '1'}}, {appID: 'db'}])
  t.notOk('dependsOn' in (template.apps[0] ?? {}))
})

t.test('several compose files lie over each other; a file is named once', async t => {
  const files = {
    'a.yaml': 'services: {web: {image: nginx, ports: ["8080:80"]}}',
    'b.yaml': 'services: {web: {image: "nginx:2"}}'
  }
  const {template} = await imported(t, files, ['a.yaml', 'b.yaml'])
  t.match(template.apps, [{ready: {tcp: 8080}}])
  t.match(JSON.stringify(template.apps), /nginx:2/)
  t.match(await refusal(t, files, ['a.yaml', './a.yaml']), {message: 'a.yaml is named twice'})
  t.match(await refusal(t, files, ['a.yaml', 'no']), {message: 'there is no file or folder no'})
})

t.test('the time to end that one source says of an app counts, not that of all apps of another one', async t => {
  const {template} = await imported(
    t,
    {
      'process-compose.yaml': 'processes: {api: {command: node x.js}, job: {command: node x.js}}',
      'compose.yaml': JSON.stringify({
        services: {api: {build: './api', stop_grace_period: '1m'}, db: {image: 'redis'}}
      }),
      api: {Dockerfile: 'FROM node\nCMD ["node", "x.js"]\n', 'x.js': ''}
    },
    ['process-compose.yaml', 'compose.yaml']
  )
  t.match(template.apps, [
    {appID: 'api', stop: {timeout: '1m'}},
    {appID: 'job', stop: undefined}
  ])
  t.strictSame(template['common'], {stop: {timeout: '10s'}})
})

t.test('an app that is moved to another port keeps the variables of another source', async t => {
  const pom = '<artifactId>spring-boot-starter-web</artifactId>'
  const compose = 'services: {a: {image: x, environment: {DB: a}}, b: {image: x, environment: {DB: b}}}'
  const {template} = await imported(t, {apps: {a: {'pom.xml': pom}, b: {'pom.xml': pom}}, 'compose.yaml': compose}, [
    'apps',
    'compose.yaml'
  ])
  t.match(template.apps, [
    {appID: 'a', port: 8080, env: {DB: 'a'}},
    {appID: 'b', port: 8081, env: {DB: 'b'}}
  ])
})

t.test('a server that starts with a profile alone is waited for by none', async t => {
  const compose = 'services: {db: {image: postgres}, cache: {image: redis, profiles: [extra]}}'
  const {template} = await imported(t, {Procfile: 'web: node x.js', 'compose.yaml': compose}, [
    'compose.yaml',
    'Procfile'
  ])
  t.strictSame(template.apps.find(({appID}) => appID === 'web')?.['dependsOn'], {db: 'ready'})
})

t.test('a container has the environment of its own source, and a note says so', async t => {
  const {template, notes} = await imported(
    t,
    {
      'compose.yaml': 'services: {db: {image: postgres, environment: {A: 1}}}',
      'db.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata: {name: db}\nspec: {containers: [{name: db, image: postgres, env: [{name: B, value: b}]}]}\n'
    },
    ['compose.yaml', 'db.yaml']
  )
  t.strictSame(template.apps[0]?.['env'], {A: '1'})
  t.match(notes.join('\n'), /compose\.yaml and in db\.yaml: as in compose\.yaml, with restart of db\.yaml$/m)
})

t.test('a program does not wait for a server that waits for others', async t => {
  const compose = {db: {image: 'postgres', depends_on: ['web']}, cache: {image: 'redis'}, web: {image: 'x'}}
  const {template} = await imported(
    t,
    {Procfile: 'web: node x.js\n', 'compose.yaml': JSON.stringify({services: compose})},
    ['Procfile', 'compose.yaml']
  )
  t.strictSame(template.apps.find(({appID}) => appID === 'web')?.['dependsOn'], {cache: 'ready'})
})

t.test('a container finds by name a service that another source starts as a program', async t => {
  const {whole, template} = await imported(
    t,
    {
      Procfile: 'web: node server.js\n',
      'compose.yaml': `services:
  web: {image: x, environment: {CACHE: "redis://cache:6379"}}
  proxy: {image: nginx, environment: {UP: "http://web:8080"}}
  cache: {image: redis, ports: ["6380:6379"]}
`,
      'server.js': ''
    },
    ['Procfile', 'compose.yaml']
  )
  t.match(whole, '--name, shop-proxy, --network, pillion, --add-host, web:host-gateway, --network-alias, proxy,')
  t.match(template.apps.find(({appID}) => appID === 'web')?.['env'], {CACHE: 'redis://localhost:6380'})
})
