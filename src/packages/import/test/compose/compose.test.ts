import t from 'tap'
import {imported, refusal} from '../read.ts'

const NODE = {'package.json': '{"scripts": {"start": "node server.js --port 3000"}}', 'server.js': ''}

t.test('a service that is built here is a program, an image a container', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `
name: demo
services:
  web:
    build: ./web
    ports: ["8080:3000"]
    environment:
      DATABASE_URL: postgres://u:\${DB_PASSWORD:?set it}@db:5432/x
      API: http://api:9000
      CACHE_HOST: redis
      MODE: web
    env_file: [web/.env, {path: none.env, required: false}]
    depends_on: {db: {condition: service_healthy}, redis: {condition: service_started}, gone: {condition: service_started}}
    restart: unless-stopped
    volumes: ["./web:/app", "/app/node_modules"]
  api:
    build: {context: ./api, dockerfile: Dockerfile.dev}
    command: python3 main.py
    expose: ["9000"]
    profiles: [api]
    stop_grace_period: 20s
    tty: true
    stdin_open: true
    secrets: [key]
  db:
    image: postgres:16
    environment: [POSTGRES_PASSWORD=$DB_PASSWORD, "COST=$$5"]
    ports: ["127.0.0.1:5433:5432"]
    volumes: ["db:/var/lib/postgresql/data"]
    healthcheck: {test: ["CMD-SHELL", "pg_isready -U postgres"]}
  redis:
    image: redis:7
    command: redis-server --save ""
networks: {back: {}}
volumes: {db: {}}
secrets: {key: {external: true}}
`,
    web: {...NODE, '.env': ''},
    api: {'main.py': '', 'Dockerfile.dev': 'FROM python\nEXPOSE 9000\nCMD ["python3", "main.py"]\n'},
    '.env': 'DB_PASSWORD=x'
  })
  t.strictSame(template, {
    version: 1,
    name: 'demo',
    interpolate: './.env',
    common: {stop: {timeout: '10s'}},
    apps: [
      {
        appID: 'web',
        appDirPath: './web',
        port: 8080,
        fixedPort: 3000,
        command: ['npm', 'run', 'start'],
        env: {
          DATABASE_URL: 'postgres://u:${DB_PASSWORD:?set it}@localhost:5433/x',
          API: 'http://localhost:9000',
          CACHE_HOST: 'localhost',
          MODE: 'web'
        },
        envFile: ['./.env', {path: '../none.env', required: false}],
        dependsOn: {db: 'ready', redis: 'started'},
        restart: 'always'
      },
      {
        appID: 'api',
        appDirPath: './api',
        port: 9000,
        command: ['python3', 'main.py'],
        stop: {timeout: '20s'},
        profiles: ['api'],
        tty: true
      },
      {
        appID: 'db',
        appDirPath: '.',
        command:
          `docker run --rm --name demo-db --publish 127.0.0.1:5433:5432 --volume demo_db:/var/lib/postgresql/data --env
          POSTGRES_PASSWORD --env COST postgres:16`.split(/\s+/),
        env: {POSTGRES_PASSWORD: '${DB_PASSWORD}', COST: '$5'},
        stop: {signal: 'SIGINT', timeout: '10s'},
        ready: {command: ['docker', 'exec', 'demo-db', 'sh', '-c', 'pg_isready -U postgres']}
      },
      {
        appID: 'redis',
        appDirPath: '.',
        command: [
          ...'docker run --rm --name demo-redis --publish 6379:6379 redis:7 redis-server --save'.split(' '),
          ''
        ],
        ready: {tcp: 6379}
      }
    ]
  })
  t.strictSame(notes, ['secrets: key: {"external":"true"} is not carried over'])
})

t.test('extends is followed; a service that is not there, or extends itself, has a note', async t => {
  const {template, notes} = await imported(t, {
    'docker-compose.yml': `
x-base: &base {restart: always}
services:
  base: {image: alpine, command: [sleep, "1"], environment: {A: base, B: base}, volumes: [a:/a]}
  one: {extends: base, environment: {B: one}, volumes: [b:/b], <<: *base}
  two: {extends: {service: base, file: other.yaml}, image: busybox}
  three: {extends: three, image: busybox}
`
  })
  const [, one] = template.apps
  t.match(one, {env: {A: 'base', B: 'one'}, restart: 'always'})
  t.match(
    ((one?.['command'] ?? []) as readonly string[]).join(' '),
    /--volume shop_a:\/a --volume shop_b:\/b --env A --env B alpine sleep 1$/
  )
  t.strictSame(
    notes.filter(note => note.startsWith('extends:')),
    ['extends: there is no service base in other.yaml', 'extends: there is no service three']
  )
})

t.test('an image without a program that runs here is built and run', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': 'services: {web: {build: web, ports: ["80:80"]}}',
    web: {Dockerfile: 'FROM nginx\nCOPY . /x\n'}
  })
  t.match(template.apps, [
    {
      command: [
        'sh',
        '-c',
        /^docker build .* && exec "\$@"$/,
        'build',
        'shop-web',
        './web/Dockerfile',
        './web',
        'docker'
      ],
      ready: {tcp: 80}
    }
  ])
  t.match(notes, [/^build: no program was found/])
})

t.test('a Dockerfile says what starts, if that makes sense here', async t => {
  const commandOf = async (dockerfile: string, more = {}): Promise<unknown> => {
    const files = {'compose.yaml': 'services: {web: {build: web}}', web: {Dockerfile: dockerfile, ...more}}
    return (await imported(t, files)).template.apps[0]?.['command']
  }
  t.strictSame(await commandOf('FROM node\nCMD ["node", "a.js"]\nFROM node\nCMD [ "node", "b.js" ]', {'b.js': ''}), [
    'node',
    'b.js'
  ])
  t.strictSame(await commandOf('FROM python\nENTRYPOINT ["/entry.sh"]\nCMD flask run'), ['flask', 'run'])
  t.strictSame(await commandOf('FROM node\nCMD ["node", "dist/x.js"]', NODE), ['npm', 'run', 'start'])
  t.match(await commandOf('FROM scratch\nCMD ["/server"]', {'go.mod': '', 'main.go': 'package main'}), [
    'go',
    'run',
    '.'
  ])
  t.match(await commandOf('FROM nginx'), ['sh', '-c'])
})

t.test('keys without a value', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml':
      'services: {a: {image: x, volumes: , ports: , env_file: , environment: , depends_on: }, b: }\nvolumes: {d: }\n'
  })
  t.match(String(template.apps[0]?.['command']), /--name,shop-a,x$/)
  t.strictSame(notes, [])
})

t.test('broken files, and such without services', async t => {
  const read = async (text: string) => refusal(t, {'compose.yaml': text})
  t.match(await read('services:\n  web: {image: x\n'), {
    message: /^cannot import compose\.yaml: /,
    explanation: /^compose\.yaml:\d+:\d+/
  })
  t.match(await read('services:\n<<<<<<< HEAD\n  web: {image: x}\n=======\n>>>>>>> topic\n'), {
    message: 'cannot import compose.yaml: this is a Git merge conflict',
    explanation: 'compose.yaml:2:1\n<<<<<<< HEAD\n^\nkeep one of the two sides'
  })
  t.match(await read('volumes: {}\n'), {message: 'cannot import compose.yaml: it has no services'})
  t.match(await read('a: &a [*a, *b]\n'), {message: /^cannot import compose\.yaml: /})
  t.match(await read(''), {message: /it is no map/})
})

t.test('UDP, ranges, addresses, long forms, a network of another service, two units, no image', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `
name: demo
services:
  dns:
    image: coredns/coredns
    ports: ["53:53/udp", "8000-8002:80-82", {target: 90, published: "91", host_ip: 127.0.0.1, protocol: udp}]
    stop_grace_period: 1m30s
    stop_signal: SIGQUIT
  side: {image: busybox, network_mode: "service:dns", stop_grace_period: 1.5s, pid: "service:nobody"}
  nothing: {}
`
  })
  const [dns, side] = template.apps as readonly {readonly command?: readonly string[]}[]
  t.match(dns, {ready: {tcp: 8000}, stop: {signal: 'SIGQUIT', timeout: '90s'}})
  t.same(
    dns?.command?.slice(5),
    `--publish 53:53/udp --publish 8000-8002:80-82 --publish 127.0.0.1:91:90/udp coredns/coredns`.split(/\s+/)
  )
  t.match(side, {stop: {timeout: '1500ms'}})
  t.same(side?.command?.slice(5), ['--pid', 'service:nobody', '--network', 'container:demo-dns', 'busybox'])
  t.strictSame(notes, [])
})

/** Words of the command of the last service, behind `docker run --rm --name NAME`. */
async function container(test: Parameters<typeof imported>[0], text: string, more = {}) {
  const {template, notes} = await imported(test, {'compose.yaml': text, ...more})
  const app = template.apps.at(-1) ?? {}
  return {app, notes, words: (app['command'] as readonly string[]).slice(5).join(' ')}
}

t.test('a port of one number is published as that number, where compose takes one by chance', async t => {
  const {app, notes, words} = await container(
    t,
    `services: {web: {image: x, ports: ["8080", "3000-3002", "127.0.0.1::9000", {target: 90}, "53/udp"]}}`
  )
  t.equal(
    words,
    '--publish 8080:8080 --publish 3000-3002:3000-3002 --publish 127.0.0.1:9000:9000 --publish 90:90 --publish 53:53/udp x'
  )
  t.same(app['ready'], {tcp: 8080})
  t.same(notes, [])
})

t.test('volumes are those that compose has made: PROJECT_NAME, unless they are of elsewhere', async t => {
  const text = `
name: My.Shop
services:
  db:
    image: x
    volumes:
      - db:/a:ro
      - \${V:-v}:/v
      - ./init:/b
      - /abs:/c
      - ~/home:/d
      - /anonymous
      - {type: volume, source: db, target: /e}
      - {type: bind, source: ./conf, target: /f, read_only: true}
      - {type: volume, target: /g}
      - own:/h
      - far:/i
      - old:/j
      - {type: tmpfs, target: /k}
volumes:
  db:
  own: {name: "own-name"}
  far: {external: true}
  old: {external: {name: older}}
  opts: {driver_opts: {type: nfs}}
`
  const {words, notes} = await container(t, text)
  t.equal(
    words,
    [
      'myshop_db:/a:ro',
      '${V:-v}:/v',
      './init:/b',
      '/abs:/c',
      '${HOME}/home:/d',
      ...'/anonymous myshop_db:/e ./conf:/f:ro /g own-name:/h far:/i older:/j'.split(' ')
    ]
      .map(volume => `--volume ${volume}`)
      .join(' ') + ' x'
  )
  t.same(notes, [
    'volumes: opts: {"driver_opts":{"type":"nfs"}} is not carried over: docker volume create makes it',
    'volumes: {"type":"tmpfs","target":"/k"} is not carried over'
  ])
})

t.test("the project's name: COMPOSE_PROJECT_NAME, name, or the folder's, as compose writes it", async t => {
  const volume = async (name: string, more = {}, folder = 'shop'): Promise<string> => {
    const text = `${name}services: {db: {image: x, volumes: ["db:/a"]}}`
    const files = folder === 'shop' ? {'compose.yaml': text, ...more} : {[folder]: {'compose.yaml': text, ...more}}
    const {template} = await imported(t, files, folder === 'shop' ? '.' : folder)
    return ((template.apps[0]?.['command'] ?? []) as readonly string[]).at(-2) ?? ''
  }
  t.equal(await volume(''), 'shop_db:/a')
  t.equal(await volume('', {}, '_My Shop.2'), 'myshop2_db:/a')
  t.equal(await volume('name: demo\n'), 'demo_db:/a')
  t.equal(await volume('name: demo\n', {'.env': 'COMPOSE_PROJECT_NAME=other\n'}), 'other_db:/a')
  t.equal(await volume('name: ${N:-demo}\n'), '${N:-demo}_db:/a')
  process.env['COMPOSE_PROJECT_NAME'] = 'most'
  t.teardown(() => delete process.env['COMPOSE_PROJECT_NAME'])
  t.equal(await volume('name: demo\n', {'.env': 'COMPOSE_PROJECT_NAME=other\n'}), 'most_db:/a')
})

t.test('variables of an env file reach the container, too', async t => {
  const {app, words, notes} = await container(
    t,
    'services: {db: {image: postgres, env_file: [db.env, {path: none.env, required: false}], environment: {B: "3"}}}',
    {'db.env': 'A="one two"\nB=2\n'}
  )
  t.match(words, /--env A --env B postgres$/)
  t.match(app, {envFile: ['./db.env', {path: './none.env', required: false}], env: {B: '3'}})
  t.equal(notes[0], 'env_file: the container gets A, B, which are in it now: name a new one by --env')
})

t.test('limits are flags of a container, and marks of a program, which builds itself here', async t => {
  const {text, notes} = await imported(t, {
    'compose.yaml': `
services:
  web: {build: ./web, mem_limit: 512m, deploy: {replicas: 1}}
  db: {image: "postgres:17", mem_limit: 256M, deploy: {replicas: 2, resources: {limits: {memory: 256M}}}}
`,
    web: NODE
  })
  t.match(text, /--memory, 256M/)
  t.notMatch(text, 'limits: {memory')
  t.ok(notes.includes('web, db: mem_limit, deploy.resources: not carried over'), notes.join('\n'))
})

t.test('a program has the ten seconds of compose to end, also where its file says a signal alone', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `
services:
  web: {build: web}
  quick: {build: web, stop_signal: SIGINT}
  slow: {build: web, stop_grace_period: 1m30s}
`,
    web: NODE
  })
  t.match(template, {
    common: {stop: {timeout: '10s'}},
    apps: [
      {appID: 'web', stop: undefined},
      {appID: 'quick', stop: {signal: 'SIGINT', timeout: '10s'}},
      {appID: 'slow', stop: {timeout: '90s'}}
    ]
  })
})
