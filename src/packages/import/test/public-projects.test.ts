// Minimal cases of public projects whose template would not have done its work, without a mark.
import t, {type Test} from 'tap'
import {imported, type Files} from './read.ts'

const folderOf = async (test: Test, files: Files): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await imported(test, files, '.', 'folder')).template.apps

t.test('a port below 1000, and ports of others', async t => {
  const apps = await folderOf(t, {
    a: {'go.mod': 'module a', 'main.go': 'package main\nfunc main() { http.ListenAndServe(":80", nil) }'},
    e: {'requirements.txt': '', 'app.py': "app = Flask('x')\napp.run(host='0.0.0.0', port=81)"},
    b: {'package.json': '{"scripts": {"start": "node x.js"}}', 'x.js': 'connect(process.env.DB_PORT || 5432)'},
    c: {'requirements.txt': '', 'app.py': "port = os.getenv('DAPR_HTTP_PORT', '3500')\napp.run()"},
    d: {
      'package.json': '{"scripts": {"start": "node x.js"}}',
      'x.js': 'const port = process.env.API_PORT || 4100; server.listen(port)'
    }
  })
  t.match(apps[0], {appPort: 80})
  for (const app of apps.slice(1, 3)) t.notOk(app['port'] ?? app['appPort'])
  t.match(apps.slice(3), [{port: 4100}, {port: 81, fixedPort: undefined}])
})

const source = (text: string): Files => ({java: {example: {'ShopApp.java': text}}})

t.test('Spring: the port of JHipster’s files, and modules that start nothing', async t => {
  const pom = '<artifactId>spring-boot-starter</artifactId>'
  const files = {
    shop: {
      'pom.xml': pom,
      src: {
        main: {
          ...source('@SpringBootApplication class ShopApp {}'),
          resources: {
            config: {
              'application.yml': 'spring:\n  x: 1\n',
              'application-dev.yml': 'spring:\n  port: 8500\n\nserver:\n\n  port: 8081\n'
            }
          }
        }
      }
    },
    dao: {'pom.xml': pom, src: {main: source('class Dao {}')}},
    tool: {'pom.xml': pom, src: {main: source('class Tool { public static void main(String[] args) {} }')}}
  }
  const {template, notes} = await imported(t, files, '.', 'folder')
  t.match(template.apps, [{appID: 'shop', port: 8081}])
  t.equal(template.apps.length, 1)
  t.match(notes, [/^dao, tool: left out, as none of its classes starts Spring/])
})

t.test('a compose file: names of other services in env files', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `
services:
  web: {build: web, command: node server.js, env_file: .env}
  job: {image: job, env_file: [.env], command: run}
  api: {build: web, command: node server.js, ports: ["3010:3000"]}
  db: {image: postgres, ports: ["5433:5432"]}
`,
    '.env': 'API_ADDR=api:3000\nOTHER=x\nDB_URL=postgres://u:p@db:5432/x\n',
    web: {'server.js': 'listen()'}
  })
  const [web, job] = template.apps
  t.strictSame(web?.['env'], {API_ADDR: 'localhost:3010'}, 'a password stays in its file')
  t.strictSame(job?.['env'], {API_ADDR: 'api:3010'})
  t.ok(notes.includes('env_file: DB_URL: hosts in it are localhost here: write that'))
})

t.test('a compose file: what a program calls at the machine, and its own PORT', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `
services:
  web: {build: web, command: node server.js, environment: {DB: "http://host.docker.internal:8080", PORT: "8080", API_URL: "http://api:8080"}}
  api: {build: web, command: node server.js, ports: ["3010:8080"], environment: {PORT: "8080"}}
`,
    web: {'server.js': 'listen()'}
  })
  t.match(template.apps[0], {env: {DB: 'http://localhost:8080'}})
  t.notOk(notes.some(note => note.includes('PORT: api is')))
})

t.test('a compose file: a service that is called by name, at another port than in its container', async t => {
  const {notes} = await imported(t, {
    'compose.yaml': `
services:
  proxy: {image: nginx, ports: ["80:80"], depends_on: [api]}
  web: {build: web, command: node server.js, depends_on: [api], ports: ["9000:9000"]}
  api: {build: web, command: node server.js, ports: ["3010:8080"]}
`,
    web: {'server.js': 'listen()'}
  })
  t.match(notes, [/^proxy: on Linux .*: 0\.0\.0\.0:NUMBER; api:8080 is api:3010$/])
})

t.test('.NET without launchSettings listens where its image does', async t => {
  const {template} = await imported(t, {
    'compose.yaml': 'services: {cart: {build: cart}, web: {image: nginx, environment: {CART: "cart:7070"}}}',
    cart: {
      'cart.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web">',
      Dockerfile: 'FROM dotnet\nEXPOSE 7070\nENTRYPOINT ["/app/cart"]'
    }
  })
  t.match(template.apps[0], {port: 7070, command: ['sh', '-c', 'exec dotnet run --urls http://localhost:$PORT']})
})

t.test('a folder with a server and a front end of another language: a note names what is not started', async t => {
  const {template, notes} = await imported(
    t,
    {
      koel: {artisan: '', 'composer.json': '{}', 'package.json': '{"scripts": {"dev": "vite"}}'},
      java: {'pom.xml': 'spring-boot-maven-plugin', 'package.json': '{"scripts": {"start": "webpack serve"}}'},
      docs: {'pyproject.toml': ''},
      alone: {'go.mod': 'module a', 'main.go': 'package main', Dockerfile: 'CMD ["go", "run", "."]'}
    },
    '.',
    'folder'
  )
  t.strictSame(
    template.apps.map(({appID}) => appID),
    ['alone', 'java', 'koel']
  )
  t.strictSame(
    notes.filter(note => note.includes('also starts')),
    [
      'its folder also starts mvn -q spring-boot:run: if it is to run, write an app with that command',
      'its folder also starts npm run dev: if it is to run, write an app with that command'
    ]
  )
})

t.test('what a folder also starts is no note where it is an app', async t => {
  const {template, notes} = await imported(t, {
    'package.json': '{"scripts": {"dev": "vite"}}',
    'go.mod': 'module both',
    cmd: {a: {'main.go': 'package main // ":8080"'}}
  })
  t.match(template.apps, [{command: ['npm', 'run', 'dev']}, {appDirPath: './cmd/a', command: ['go', 'run', '.']}])
  t.notOk(notes.some(note => note.includes('also starts')))
})

t.test('Django in a folder src below the project file', async t => {
  const {template} = await imported(t, {'pyproject.toml': '', src: {'manage.py': ''}}, '.', 'folder')
  t.match(template.apps, [{appDirPath: './src', command: ['python3', 'manage.py', 'runserver']}])
})

t.test('settings and code that name another service, and labels of Traefik', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  web: {build: web, command: node server.js, ports: ["81:5000"], labels: ["traefik.enable=true"]}
  admin: {image: adminer, labels: {traefik.enable: "true", com.x: y}}
  api: {build: api, command: node server.js, ports: ["3001:3000"]}
  redis: {image: redis, ports: ["6379:6379"]}
  mongo: {image: mongo}
`,
    web: {
      'package.json': '{\n  "proxy": "http://api:3000"\n}',
      'server.js': "redis.createClient({\n  host: 'redis',\n})",
      'proxy.js': 'target: "http://api"',
      config: {'config.json': '{"MONGODB_URI": "mongodb://mongo:27017/x"}'}
    },
    api: {'server.js': ''}
  })
  const marks = notes.filter(note => /^web\/|^labels/.test(note))
  t.strictSame(marks, [
    'web/package.json:2, web/proxy.js:1: api:3000 is localhost:3001 here: write that',
    'web/config/config.json:1: mongo:27017 is localhost:27017 here: write 127.0.0.1 mongo into /etc/hosts, or localhost there',
    'web/server.js:2: redis is localhost here: write 127.0.0.1 redis into /etc/hosts, or localhost there',
    'labels: traefik finds containers alone: name this program in a file of its settings'
  ])
  t.match(String(template.apps[1]?.['command']), ',--label,traefik.enable=true,adminer')
})

t.test('a project of .NET whose files name no port gets one', async t => {
  const {template} = await imported(t, {
    'compose.yaml': 'services: {web: {build: web, ports: ["80:80"]}}',
    web: {
      'web.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web">',
      Dockerfile: 'FROM aspnet\nENTRYPOINT ["dotnet", "web.dll"]'
    }
  })
  t.match(template.apps[0], {port: 80, command: ['sh', '-c', 'exec dotnet run --urls http://localhost:$PORT']})
})

t.test('compose: hosts behind a password and in calls, ports of variables, a script of its image', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  web: {build: web, command: node server.js, environment: {USERS: "users:3000"}}
  users: {build: users, ports: ["3020:$\{PORT}"]}
  emulator: {build: emulator}
  db: {image: postgres}
  redis: {image: redis}
`,
    '.env': 'PORT=3000\n',
    web: {'server.js': "new Pool({url: 'postgres://u:p@db/x'})\nopenConnection('redis')"},
    users: {Dockerfile: 'FROM scratch\n'},
    emulator: {Dockerfile: 'FROM x\nENTRYPOINT ["./start.sh"]\n', 'start.sh': 'firebase start'}
  })
  t.match(template.apps, [{env: {USERS: 'localhost:3020'}}, {}, {command: ['sh', '-c', /docker build/]}])
  t.match(notes.join('\n'), /web\/server\.js:1: db is localhost[^]*web\/server\.js:2: redis is localhost/)
})

t.test('process-compose: ports that docker publishes, a script that starts servers, and BASE_URL', async t => {
  const {template, notes} = await imported(t, {
    'process-compose.yaml': `processes:
  nginx: {command: docker run -p 127.0.0.1:8080:80 nginx, readiness_probe: {http_get: {port: 8080}}}
  dev: {command: pnpm dev:web}
  base: {command: ./base, environment: ["BASE_URL=http://localhost:3000"]}
`,
    'package.json': '{"scripts": {"dev:web": "turbo run dev --filter=./web"}}'
  })
  t.match(template.apps, [
    {port: 8080, command: ['sh', '-c', 'exec docker run -p 127.0.0.1:$PORT:80 nginx']},
    {},
    {port: undefined}
  ])
  t.match(notes, [/^appPort: the port on which it listens is not known/])
})

t.test('a Procfile: a program that has to be built first is a mark, one of go.mod is run by go', async t => {
  const files = {
    'go.mod': 'module github.com/x/shop\n\ngo 1.24',
    cmd: {api: {'main.go': ''}},
    Procfile: `node: bin/node --name 'a' --listen http://127.0.0.1:2379
jar: java $OPTS -jar target/a.jar
php: heroku-php-apache2 web/
shop: shop -q
api: bin/api
`
  }
  const {template, notes} = await imported(t, files)
  t.match(template.apps.slice(3), [{command: ['go', 'run', '.', '-q']}, {command: ['go', 'run', './cmd/api']}])
  for (const note of [
    'it starts bin/node, which is not there: build it first',
    'it starts target/a.jar, which is not there: build it first',
    'heroku-php-apache2 is a program of Heroku: write php -S localhost:$PORT -t web/ in its place'
  ])
    t.ok(notes.includes(note), `${note} in\n${notes.join('\n')}`)
})

t.test('skaffold: an image that others are built of is no app', async t => {
  const {template} = await imported(t, {
    'skaffold.yaml': `apiVersion: skaffold/v4beta1
kind: Config
build: {artifacts: [{image: web, context: web, requires: [{image: base, alias: BASE}]}, {image: base, context: base}]}
`,
    base: {Dockerfile: 'FROM alpine'},
    web: {'go.mod': 'module web', 'main.go': 'package main'}
  })
  t.strictSame(
    template.apps.map(({appID}) => appID),
    ['web']
  )
})

t.test('a script that an image starts, and arguments of a program that it builds, are marks', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': 'services: {web: {build: {context: ., dockerfile: ./apps/web/Dockerfile}}, api: {build: api}}',
    api: {
      Dockerfile: 'FROM x\nENTRYPOINT ["/bin/api"]\nCMD ["serve"]',
      'go.mod': 'module api',
      'main.go': 'package main'
    },
    apps: {web: {Dockerfile: 'FROM node\nCMD ["./start.sh"]', 'package.json': '{"scripts": {"dev": "next dev"}}'}}
  })
  t.match(template.apps, [{appDirPath: './apps/web', command: ['npm', 'run', 'dev']}, {command: ['go', 'run', '.']}])
  for (const command of ['./start.sh', '/bin/api serve'])
    t.ok(notes.includes(`the command of its image, ${command}, is not run`), notes.join('\n'))
})

t.test('Nx: a program that @nx/js:node starts listens where its code says, and takes no --port', async t => {
  const target = {serve: {executor: '@nx/js:node', options: {port: 9229}}}
  const {template, notes} = await imported(t, {
    'nx.json': '{"plugins": ["@nx/webpack/plugin"]}',
    apps: {
      api: {
        'package.json': JSON.stringify({name: '@x/api', nx: {targets: target}}),
        'webpack.config.js': '',
        src: {'main.ts': 'app.listen(process.env.PORT || 8080)'}
      },
      site: {'project.json': '{"targets": {"serve": {"executor": "@nx/angular:dev-server"}}}'}
    }
  })
  t.match(template.apps, [
    {port: 8080, command: ['npx', 'nx', 'serve', '@x/api']},
    {port: 4200, command: ['sh', '-c', 'exec npx nx serve site --port=$PORT']}
  ])
  t.strictSame(notes, ['guessed: port 4200 (the default of nx)'])
})

t.test('a flag of a client is no port of its own, one of a server with URLs is', async t => {
  const {template} = await imported(t, {
    'process-compose.yaml': `processes:
  db: {command: postgres -p 5432}
  seed: {command: 'psql -h 127.0.0.1 -p 5432 -c "SELECT 1"'}
`
  })
  t.match(template.apps, [
    {appPort: 5432},
    {port: undefined, command: ['sh', '-c', 'psql -h 127.0.0.1 -p 5432 -c "SELECT 1"']}
  ])
  const {template: other} = await imported(t, {
    Procfile: 'etcd1: bin/etcd --listen-peer-urls http://127.0.0.1:12380 --listen-client-urls http://127.0.0.1:2379'
  })
  t.match(other.apps, [{appPort: 2379}])
})

t.test('.NET: only a web project takes --urls', async t => {
  const [silo] = await folderOf(t, {
    'Silo.csproj': '<Project Sdk="Microsoft.NET.Sdk"><OutputType>Exe</OutputType>',
    Dockerfile: 'FROM x\nEXPOSE 11111'
  })
  t.match(silo, {appPort: 11_111, command: ['dotnet', 'run']})
})

t.test('a workspace in a folder: its packages, not the script that starts them', async t => {
  const web = {
    'package.json': '{"workspaces": ["apps/*"], "scripts": {"dev": "turbo run dev"}}',
    apps: {shop: {'package.json': '{"scripts": {"dev": "vite"}}'}}
  }
  const {template, notes} = await imported(t, {web, 'go.mod': '', 'main.go': 'package main // ":8080"'})
  t.match(template.apps, [{appDirPath: '.'}, {appDirPath: './web/apps/shop'}])
  t.equal(template.apps.length, 2)
  t.ok(notes.includes('the scripts of web/package.json, which start several packages, are left out'), notes.join('\n'))
})

t.test('a process that tells when it is ready listens somewhere', async t => {
  const {notes: unknown} = await imported(t, {
    'process-compose.yaml': 'processes: {server: {command: moon run server:dev, ready_log_line: Running on http}}'
  })
  t.match(unknown, [/^appPort: the port on which it listens is not known/])
})

t.test('hosts that code has as the default of a variable, also of an app with a sidecar', async t => {
  const {notes} = await imported(t, {
    'compose.yaml': `services:
  web: {build: web}
  api: {build: api}
  api-dapr: {image: daprio/daprd, command: ./daprd -app-id api, network_mode: "service:api"}
  db: {image: postgres}
  redis: {image: redis}
`,
    web: {'requirements.txt': '', 'main.py': 'run(os.getenv("POSTGRES_HOST", "db"))'},
    api: {'package.json': '{"scripts": {"start": "node a.js"}}', 'a.js': "const h = process.env.REDIS_HOST || 'redis'"}
  })
  const named = (text: string): boolean => notes.some(note => note.startsWith(text))
  t.ok(named('web/main.py:1: db is localhost here'), notes.join('\n'))
  t.ok(named('api/a.js:1: redis is localhost here'), notes.join('\n'))
})

t.test('Spring: variables of its settings without a value', async t => {
  const {notes} = await imported(t, {
    'pom.xml': 'spring-boot-maven-plugin',
    src: {
      main: {resources: {'application.yml': 'spring:\n  redis:\n    host: ${SPRING_REDIS_HOST}\n    port: ${X:1}\n'}}
    }
  })
  t.match(notes[0], 'its settings name SPRING_REDIS_HOST, which have no value: write them into env')
})

t.test('a volume of the driver local is one that docker makes itself', async t => {
  const {notes} = await imported(t, {
    'compose.yaml':
      'services: {a: {image: x}}\nvolumes: {a: {driver: local}, b: {driver: nfs}, c: {driver: local, driver_opts: {o: b}}}'
  })
  t.match(notes, [/^volumes: b: .*nfs/, /^volumes: c: .*driver_opts/])
  t.equal(notes.length, 2)
})
