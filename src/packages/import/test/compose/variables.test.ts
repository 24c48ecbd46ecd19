import t from 'tap'
import {imported} from '../read.ts'

const python = () => ({'main.py': ''}) // tap refuses one object in two places

t.test('nothing in an override takes a command away, and passes a variable on', async t => {
  for (const [below, over] of [
    ['{A: 1, B: 2}', '{A: null}'],
    ['[A=1, B=2]', '[A]'],
    ['{A: 1, B: 2}', '[A]']
  ] as const) {
    const {template} = await imported(t, {
      'compose.yaml': `services: {test: {image: x, command: [a], entrypoint: e, environment: ${below}, healthcheck: {test: c}, ports: ["1:1"]}}`,
      'compose.override.yaml': `services: {test: {command: null, entrypoint: null, environment: ${over}, healthcheck: {test: null}, ports: null}}`
    })
    const [app] = template.apps
    t.strictSame(
      app?.['command'],
      'docker run --rm --name shop-test --publish 1:1 --env B --env A x'.split(' '),
      `${below} ${over}`
    )
    t.match(app, {ready: {tcp: 1}})
    t.strictSame(app?.['env'], {B: '2'})
  }
})

t.test('the .env of the folder where compose is started comes before that of the project', async t => {
  const {template} = await imported(t, {
    '.env': 'COMPOSE_FILE=docker/a.yaml\nDIR=more\n',
    docker: {
      '.env': 'COMPOSE_PROJECT_NAME=mine\nDIR=gone\n',
      'a.yaml': 'include: [$DIR/b.yaml]\nservices: {a: {image: "x:$TAG"}}',
      more: {'b.yaml': 'services: {b: {image: x}}'}
    }
  })
  t.equal(template['interpolate'], './.env')
  t.match(template.apps, [
    {appID: 'b', command: ['docker', 'run', '--rm', '--name', 'mine-b']},
    {appID: 'a', command: ['docker', 'run', '--rm', '--name', 'mine-a']}
  ])
})

t.test('a port that a variable has is that of its service for all that call it', async t => {
  const {template} = await imported(t, {
    '.env': 'API_PORT=9000\nWEB_PORT=8080\n',
    'compose.yaml': `
services:
  web: {image: nginx, ports: ["\${WEB_PORT}:80"]}
  other: {image: nginx, ports: ["\${OTHER_PORT}:81"]}
  db: {image: postgres, ports: ["127.0.0.1:\${DB_PORT:-5433}:5432"]}
  api: {build: ./api, command: python3 main.py, ports: ["\${API_PORT:-8000}:3000"]}
  shop:
    image: x
    network_mode: host
    environment: {WEB: "http://web:80/a", DB: "postgres://u:p@db:5432/x", API: "http://api:3000"}
`,
    api: python()
  })
  const byId = new Map(template.apps.map(app => [app['appID'], app]))
  t.strictSame(byId.get('web')?.['ready'], {tcp: '${WEB_PORT}'})
  t.strictSame(byId.get('db')?.['ready'], {tcp: '${DB_PORT:-5433}'})
  t.strictSame(byId.get('other')?.['ready'], {tcp: 81}, 'a variable without a value is no port')
  t.match(byId.get('api'), {port: 9000, fixedPort: 3000})
  t.strictSame(byId.get('shop')?.['env'], {
    WEB: 'http://localhost:${WEB_PORT}/a',
    DB: 'postgres://u:p@localhost:${DB_PORT:-5433}/x',
    API: 'http://localhost:9000'
  })
})

t.test('variables of a file that name others are marked: here they stay as they are written', async t => {
  const {notes} = await imported(t, {
    '.env': 'HOST=h\nTAG=${HOST}-1\nOTHER=$HOST\n',
    'app.env':
      "USER=me\nURL=http://${USER}@h\r\nexport PORT=80$USER\nPLAIN='a$b'\nPRICE=5$\nNOTE=a # $USER\nPASS=a#b\nQUOTED='a#b'\n",
    'compose.yaml': `
services:
  web: {build: ./web, command: python3 main.py, env_file: app.env, environment: {T: "\${TAG}"}}
  db: {image: "x:\${TAG}", env_file: [{path: app.env, format: raw}]}
`,
    web: python()
  })
  t.strictSame(
    notes.filter(note => note.includes('is not replaced')),
    [
      'interpolate: .env: TAG: $NAME in it is not replaced here: write the value',
      'env_file: app.env: URL, PORT: $NAME in it is not replaced here: write the value'
    ]
  )
  t.ok(notes.includes('env_file: app.env: PASS: # in it begins a comment here: put the value in quotes'))
})

t.test('variables in the paths of include and extends', async t => {
  const {template} = await imported(t, {
    '.env': 'DIR=b\n',
    'compose.yaml': 'include: ["${GONE_DIR:-a}/c.yaml"]\nservices: {web: {extends: {file: $DIR/c.yaml, service: x}}}',
    a: {'c.yaml': 'services: {db: {image: y}}'},
    b: {'c.yaml': 'services: {x: {image: z}}'}
  })
  t.match(
    template.apps,
    [
      {appID: 'db', command: /,y$/},
      {appID: 'web', command: /,z$/}
    ].map(({appID}) => ({appID}))
  )
})

t.test('an empty entrypoint takes away that of the image', async t => {
  for (const entrypoint of ['""', '[]']) {
    const {template} = await imported(t, {
      'compose.yaml': `services: {a: {image: x, entrypoint: ${entrypoint}, command: c}}`
    })
    const words = template.apps[0]?.['command'] as readonly string[]
    t.strictSame(words.slice(5), ['--entrypoint', '', 'x', 'c'])
  }
})

t.test('a container in the network of a program is in that of this machine', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `
services:
  web: {build: ./web, command: python3 main.py, ports: ["3000:3000"]}
  tunnel: {image: x, network_mode: "service:web", environment: {TO: "http://db:5432"}}
  db: {image: postgres}
  all: {image: x, network_mode: host, environment: {TO: "http://db:5432"}}
`,
    web: python()
  })
  const byId = new Map(template.apps.map(app => [app['appID'], app]))
  for (const id of ['tunnel', 'all']) {
    const words = byId.get(id)?.['command'] as readonly string[]
    t.strictSame(words.slice(5), '--network host --env TO x'.split(' '))
    t.match(byId.get(id), {env: {TO: 'http://localhost:5432'}})
  }
  t.ok(notes.includes('network_mode: web is a program: here it is that of this machine'))
})

t.test('PORT in a list is the variable that it is in a map', async t => {
  const ports = async (environment: string) => {
    const {template} = await imported(t, {
      'compose.yaml': `services: {web: {build: ./web, command: go run ., ports: ["8080:3000"], environment: ${environment}}}`,
      web: {'main.go': 'package main'}
    })
    const {port, appPort} = template.apps[0] ?? {}
    return {port, appPort}
  }
  t.strictSame(await ports('[PORT=3000]'), await ports('{PORT: 3000}'))
})

t.test('variables of an env file whose path has one reach a container', async t => {
  const {template} = await imported(t, {
    '.env': 'STAGE=dev\n',
    'compose.yaml': 'services: {a: {image: x, env_file: ["$STAGE.env", "${NONE:-b}.env"]}, b: {image: y, build: null}}',
    'dev.env': 'A=1',
    'b.env': 'B=1'
  })
  t.strictSame(
    template.apps.map(({command}) => (command as readonly string[]).slice(5)),
    ['--env A --env B x'.split(' '), ['y']]
  )
  t.strictSame(template.apps[0]?.['envFile'], [
    {path: './${STAGE}.env', required: false},
    {path: './${NONE:-b}.env', required: false}
  ])
})

t.test('a variable without a value is nothing in a path, as in compose', async t => {
  const {template} = await imported(t, {
    'compose.yaml': 'include: ["b$NONE.yaml"]\nservices: {a: {image: x, env_file: "a$NONE.env"}}',
    'b.yaml': 'services: {b: {image: y}}',
    'a.env': 'A=1'
  })
  t.strictSame(
    template.apps.map(({command}) => (command as readonly string[]).slice(5)),
    [['y'], '--env A x'.split(' ')]
  )
})

t.test('of two files .env the template has that with what its services name', async t => {
  const compose = 'services: {a: {image: x, ports: ["$PORT:80"], environment: {E: "$EMPTY"}}}'
  const {template, notes} = await imported(t, {
    '.env': 'COMPOSE_FILE=docker/a.yaml\n',
    docker: {'.env': 'PORT=9000\nEMPTY=\n', 'a.yaml': compose}
  })
  t.strictSame(notes, [])
  t.equal(template['interpolate'], './docker/.env')
  t.match(template.apps, [{ready: {tcp: '${PORT}'}}])
})

t.test('a port that the template does not have is not checked', async t => {
  const {template} = await imported(t, {
    '.env': 'COMPOSE_FILE=docker/a.yaml\nTAG=7\n',
    docker: {'.env': 'PORT=9000\n', 'a.yaml': 'services: {a: {image: "x:$TAG", ports: ["$PORT:80"]}}'}
  })
  t.equal(template['interpolate'], './.env')
  t.match(template.apps, [{ready: {tcp: 80}}])
})

t.test('a variable without a value is that of .env, if there is one', async t => {
  const {template, text} = await imported(t, {
    '.env': 'PORT_OF_AD=9555\nBASE=alpine\nKEY=hidden\n',
    'compose.yaml': `services:
  ad: {image: x, environment: [PORT_OF_AD, NONE, OTHER=1]}
  db: {build: {context: ./db, args: [BASE, NONE]}, environment: {KEY: , NONE: }}
  api: {build: ./api, command: python3 main.py, environment: {KEY: , NONE: }}
  plain: {build: {context: ./db}, environment: }
`,
    api: python(),
    db: {Dockerfile: 'ARG BASE\nFROM $BASE\n'}
  })
  const [ad, db, api] = template.apps
  t.equal(template['interpolate'], './.env')
  t.strictSame(ad?.['env'], {PORT_OF_AD: '${PORT_OF_AD}', OTHER: '1'})
  t.strictSame(
    ad?.['command'],
    'docker run --rm --name shop-ad --add-host api:host-gateway --env PORT_OF_AD --env OTHER --env NONE x'.split(' '),
    'docker takes the others from the environment'
  )
  t.strictSame((db?.['command'] as readonly string[] | undefined)?.slice(7, 9), [
    '--build-arg=BASE=${BASE}',
    '--build-arg=NONE'
  ])
  t.strictSame(db?.['env'], {KEY: '${KEY}'})
  t.strictSame(api?.['env'], {KEY: '${KEY}'})
  t.notMatch(text, 'hidden', 'a template is shared')
})

t.test('the variables of an included file are those of its own .env, where a template can have these', async t => {
  const included = {
    '.env': 'PORT=5555\nTAG=inner\n',
    'compose.yaml': 'services: {db: {image: "postgres:${TAG}", ports: ["${PORT}:5432"]}}'
  }
  const compose = 'include: [infra/compose.yaml]\nservices: {a: {image: "x:${MINE-}"}}\n'
  const alone = await imported(t, {'compose.yaml': compose, infra: included})
  t.equal(alone.template['interpolate'], './infra/.env')
  t.match(alone.template.apps[0], {ready: {tcp: '${PORT}'}})
  const both = await imported(t, {'compose.yaml': compose, '.env': 'MINE=1\nTAG=outer\n', infra: included})
  t.equal(both.template['interpolate'], './.env')
  t.ok(both.notes.includes('interpolate: infra/.env: PORT: a template reads one such file: write them into it'))
})

t.test('an address that a network of containers gave is a mark', async t => {
  const {notes} = await imported(t, {
    'compose.yaml': `services:
  web: {build: web, command: node server.js, environment: {DB_HOST: 10.5.0.3, OWN: 127.0.0.1}}
  kafka: {image: kafka, environment: {KAFKA_ADVERTISED_HOST_NAME: 172.19.0.1, VERSION: 10.5.0.3.1}}
`,
    web: {'server.js': ''}
  })
  t.strictSame(
    notes.filter(note => note.includes('another network')),
    [
      'env: DB_HOST: 10.5.0.3 is an address of another network',
      'env: KAFKA_ADVERTISED_HOST_NAME: 172.19.0.1 is an address of another network'
    ]
  )
})

t.test('a port in a variable is that of .env, or its default', async t => {
  const {template} = await imported(t, {
    'compose.yaml':
      'services: {a: {build: a, command: ./a.sh, environment: {PORT: "${A_PORT}"}}, b: {build: a, command: ./a.sh, environment: {PORT: "${B_PORT:-81}"}}, c: {build: a, command: ./a.sh, environment: {PORT: "${C_PORT}"}}}',
    '.env': 'A_PORT=80',
    a: {'a.sh': '', 'package.json': '{"scripts": {"start": "./a.sh"}}'}
  })
  t.match(template.apps, [{port: 80}, {port: 81}, {port: undefined}])
})

t.test('the empty profile of a service is that of a start without profiles', async t => {
  const {template} = await imported(t, {'compose.yaml': 'services: {a: {image: x, profiles: [""]}}'})
  t.notOk('profiles' in (template.apps[0] ?? {}))
})
