import t from 'tap'
import {imported, refusal, type Files} from '../read.ts'

/** Id, folder, appPort (or `=port`) and command of each app, in short. */
async function apps(test: Parameters<typeof imported>[0], files: Files): Promise<readonly string[]> {
  const {template} = await imported(test, files)
  return template.apps.map(
    ({appID, appDirPath, port, appPort = port === undefined ? '-' : `=${port as number}`, command}) =>
      `${String(appID)} ${String(appDirPath)} ${String(appPort)} ${(command as readonly string[]).join(' ')}`
  )
}

const pkg = (scripts: Readonly<Record<string, string>>, more: object = {}): string => JSON.stringify({scripts, ...more})

t.test('one app for each language, by the files of its project', async t => {
  const table: readonly (readonly [string, Files])[] = [
    ['x ./x =5173 npm run dev', {'package.json': pkg({start: 'node .', dev: 'vite'})}],
    ['x ./x - pnpm run start', {'package.json': pkg({start: 'node .'}), 'pnpm-lock.yaml': ''}],
    ['x ./x =3000 yarn run dev', {'package.json': pkg({dev: 'next dev'}), 'yarn.lock': ''}],
    ['x ./x =4100 node server.js', {'package.json': '{"main": "server.js"}', 'server.js': 'x.listen(4100)'}],
    [
      'x ./x =4100 node ./src/prog.js',
      {'package.json': '{"main": "./src/prog.js"}', src: {'prog.js': 'x.listen(4100)'}}
    ],
    [
      'x ./x =4100 node ./prog.js',
      {'package.json': pkg({}), 'prog.js': 'x.listen(4100)', Dockerfile: 'FROM x\nCMD ["node", "./prog.js"]'}
    ],
    ['x ./x =8000 python3 manage.py runserver', {'manage.py': ''}],
    [
      'x ./x =8000 .venv/bin/python -m uvicorn app.main:api',
      {app: {'main.py': 'api = FastAPI()'}, '.venv': {bin: {python: ''}}}
    ],
    [
      'x ./x =8001 python3 -m uvicorn src.main:api --port 8001',
      {
        src: {'main.py': 'from .a import b\napi = FastAPI()\nuvicorn.run("main:api", port=8001)'},
        'requirements.txt': ''
      }
    ],
    ['x ./x =5000 uv run python -m flask --app app run', {'app.py': 'app = Flask(__name__)', 'uv.lock': ''}],
    ['x ./x =7000 python3 app.py', {'app.py': 'app = Flask(__name__)\napp.run(host="x", port=7000)'}],
    ['x ./x 8081 go run .', {'go.mod': 'module x', 'main.go': 'package main\nhttp.ListenAndServe(":8081", nil)'}],
    ['api ./x - go run ./cmd/api', {'go.mod': 'module x', cmd: {api: {'main.go': 'package main'}}}],
    [
      'x ./x =8080 sh -c SERVER_PORT=$PORT exec sh ./mvnw -q spring-boot:run',
      {'pom.xml': '<artifactId>spring-boot-starter-web</artifactId>', mvnw: ''}
    ],
    [
      'x ./x =8080 sh -c SERVER_PORT=$PORT exec gradle -q bootRun',
      {'build.gradle.kts': 'id("org.springframework.boot")'}
    ],
    ['x ./x - cargo run', {'Cargo.toml': '', src: {'main.rs': ''}}],
    [
      'x ./x =5123 sh -c exec dotnet run --urls http://localhost:$PORT',
      {
        'x.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web">',
        Properties: {
          'launchSettings.json':
            '{"profiles": {"x": {"commandName": "Project", "applicationUrl": "https://localhost:7000;http://localhost:5123"}}}'
        }
      }
    ]
  ]
  for (const [expected, files] of table) t.strictSame(await apps(t, {x: files}), [expected], expected)
  const spring = {'pom.xml': '<artifactId>spring-boot-starter-web</artifactId>', mvnw: ''}
  process.env['HOME'] = '/nowhere'
  t.match((await imported(t, {a: spring, b: {...spring}})).notes, [
    /^mvnw downloads Maven at its first start, and several/
  ])
  const above = {x: {'package.json': pkg({start: 'node ../prog.js'})}, 'prog.js': 'x.listen(4100)'}
  t.strictSame(await apps(t, above), ['x ./x =4100 npm run start'])
})

t.test('a program of Python starts by the tool of the nearest project, or of a workspace of uv', async t => {
  const table: readonly (readonly [string, Files])[] = [
    ['svc ./svc - python3 main.py', {'poetry.lock': '', svc: {'pyproject.toml': '[tool.ruff]', 'main.py': 'job()'}}],
    ['svc ./svc - python3 main.py', {'uv.lock': '', svc: {'requirements.txt': '', 'main.py': 'job()'}}],
    ['svc ./svc - uv run python main.py', {'uv.lock': '', svc: {'pyproject.toml': '', 'main.py': 'job()'}}],
    [
      'svc ./svc - poetry run python main.py',
      {'uv.lock': '', svc: {'pyproject.toml': '', 'poetry.lock': '', 'main.py': 'job()'}}
    ],
    ['src ./src =8000 poetry run python manage.py runserver', {'poetry.lock': '', src: {'manage.py': ''}}]
  ]
  for (const [expected, files] of table)
    t.strictSame(await apps(t, {'pyproject.toml': '', ...files}), [expected], expected)
})

t.test('a monorepo: its packages, not the scripts of its root', async t => {
  const files = {
    'package.json': pkg({dev: 'turbo dev'}, {workspaces: ['apps/*']}),
    'package-lock.json': '',
    apps: {
      web: {'package.json': pkg({dev: 'vite --port 3001'})},
      api: {'package.json': pkg({'start:dev': 'nest start --watch'})},
      lib: {'package.json': pkg({build: 'tsc'})}
    },
    node_modules: {x: {'package.json': pkg({dev: 'x'})}}
  }
  t.strictSame(await apps(t, files), ['api ./apps/api - npm run start:dev', 'web ./apps/web =3001 npm run dev'])
  const {notes} = await imported(t, files)
  t.match(notes, [
    /scripts of package\.json/,
    'apps/lib: left out, as its package.json has no script dev, start:dev, start or serve: if it is to run, write an app with its command',
    /^appPort: the port on which it listens is not known/
  ])
})

t.test('each project that is left out is told, with why', async t => {
  const left = {
    bad: {'package.json': '{'},
    gone: {'package.json': '{}', 'server.js': 'x'},
    py: {'pyproject.toml': ''},
    go: {'go.mod': 'module x', 'a.go': 'package a'},
    java: {'pom.xml': '<x/>'},
    gradle: {'build.gradle': 'plugins {}'},
    rust: {'Cargo.toml': ''},
    net: {'x.csproj': '<Project>'}
  }
  const files = {services: {api: {'manage.py': ''}, docs: {}, plain: {'x.txt': ''}, ...left}}
  const {template, notes} = await imported(t, files)
  t.equal(template.apps.length, 1)
  const why: Readonly<Record<string, string>> = {
    bad: 'its package.json is not JSON',
    go: 'it has no package main, nor one in cmd',
    gone: 'its package.json has no script dev, start:dev, start or serve',
    gradle: 'its build file has neither Spring Boot nor the plugin application',
    java: 'its pom.xml has neither Spring Boot nor Quarkus',
    net: 'its project makes no program',
    py: 'it has no manage.py, main.py, app.py or server.py that serves',
    rust: 'it has no src/main.rs'
  }
  t.strictSame(
    notes.filter(note => !note.startsWith('guessed:')),
    Object.entries(why).map(
      ([name, reason]) => `services/${name}: left out, as ${reason}: if it is to run, write an app with its command`
    )
  )
  t.match(await refusal(t, {services: left}), {
    message: 'found nothing to import in .',
    explanation: /^services\/bad: its package\.json is not JSON\n[^]*Looked for/
  })
})

t.test('two on one port get different ones where they can be told, else it says what to change', async t => {
  const vite = {'package.json': pkg({dev: 'vite'})}
  const next = {'package.json': pkg({dev: 'next dev'})}
  const spring = {'pom.xml': 'spring-boot-starter'}
  const go = {'go.mod': 'module x', 'main.go': 'package main // ":9000"'}
  const api = {'app.py': 'app = FastAPI()'}
  const files = {
    a: vite,
    b: {...vite},
    c: {...vite, 'pnpm-lock.yaml': ''},
    d: next,
    e: {...next},
    f: spring,
    g: {...spring},
    h: {...spring, src: {main: {resources: {'application.properties': 'server.port=8085\n'}}}},
    i: go,
    j: {...go},
    k: api,
    l: {...api},
    m: {'package.json': pkg({dev: 'tsc && vite'})},
    n: {'manage.py': ''}
  }
  t.strictSame(await apps(t, files), [
    'a ./a =5173 npm run dev',
    'b ./b =5174 npm run dev -- --port 5174',
    'c ./c =5175 pnpm run dev --port 5175',
    'd ./d =3000 npm run dev',
    'e ./e =3001 npm run dev',
    'f ./f =8080 sh -c SERVER_PORT=$PORT exec mvn -q spring-boot:run',
    'g ./g =8081 sh -c SERVER_PORT=$PORT exec mvn -q spring-boot:run',
    'h ./h =8085 sh -c SERVER_PORT=$PORT exec mvn -q spring-boot:run',
    'i ./i 9000 go run .',
    'j ./j 9000 go run .',
    'k ./k =8000 python3 -m uvicorn app:app',
    'l ./l =8001 python3 -m uvicorn app:app',
    'm ./m =5176 npm run dev',
    'n ./n =8002 python3 manage.py runserver'
  ])
  const {template, notes} = await imported(t, files)
  const others = 'and only one can listen there: have the program listen on another port, and write that here'
  t.match(template.apps[12], {fixedPort: 5173})
  t.strictSame(
    notes.filter(note => note.startsWith('appPort: 9000')),
    [`appPort: 9000 is that of i, too, ${others}`]
  )
})

t.test('a program below the folder that starts it is one app', async t => {
  t.strictSame(await apps(t, {'go.mod': 'module x', cmd: {api: {'main.go': 'package main'}}}), [
    'api . - go run ./cmd/api'
  ])
  t.strictSame(await apps(t, {'requirements.txt': '', app: {'main.py': 'api = FastAPI()'}}), [
    'shop . =8000 python3 -m uvicorn app.main:api'
  ])
  const script = '{"scripts": {"dev": "node --watch-path=./server server/server.js"}}'
  const files = {'package.json': script, server: {'server.js': 'x.listen(3000)'}}
  t.strictSame(await apps(t, files), ['shop . =3000 npm run dev'])
})

t.test('a folder with nothing in it is refused, with what was looked for', async t => {
  t.match(await refusal(t, {}), {
    message: 'found nothing to import in .',
    explanation: /package\.json, deno\.json, go\.mod/
  })
  t.match(await refusal(t, {x: {'package.json': 'not JSON'}, y: {'package.json': '[]'}}), {message: /found nothing/})
})

t.test('the file that is meant: by name, by --from, the best of a folder', async t => {
  const files = {
    Procfile: 'web: node a.js',
    'compose.yaml': 'services: {a: {build: x}}',
    'package.json': pkg({dev: 'vite'})
  }
  const from = async (path?: string, kind?: string): Promise<string> =>
    /from (.*)\.\n/.exec((await imported(t, files, path, kind)).text)?.[1] ?? ''
  t.equal(await from(), 'compose.yaml')
  t.equal(await from('Procfile'), 'Procfile')
  t.equal(await from('.', 'procfile'), 'Procfile')
  t.equal(await from('.', 'folder'), 'the files of shop/')
  t.match(await refusal(t, files, '.', 'process-compose'), {
    message: '. contains no file of process-compose'
  })
  t.match(await refusal(t, files, '.', 'compos'), {message: /--from compos is unknown: expected process-compose, /})
  t.match(await refusal(t, files, 'none'), {message: 'there is no file or folder none'})
  t.match(await refusal(t, files, 'package.json'), {message: 'cannot tell what package.json is'})
  t.match(await refusal(t, {Procfile: 'a: \0'}, 'Procfile'), {message: /it contains the character NUL/})
})

const image = (cmd: string): string => `FROM x\nCMD ${cmd}\n`

const program = (text: string): Files => ({'package.json': '{"main": "a.js"}', 'a.js': text})

t.test('where a Node program listens: as its code writes it, in .env, in its Dockerfile', async t => {
  const script = {'package.json': pkg({dev: 'tsx watch src/index.ts'})}
  const spellings = [
    'const port = process.env.PORT || 3100\napp.listen(port)',
    'app.listen(process.env.PORT ?? 3100)',
    'app.listen(process.env.PORT ? parseInt(process.env.PORT, 10) : 3100)',
    "app.listen(configService.get<number>('PORT') || 3100)",
    "app.listen(Number(process.env['PORT']) || 3100)",
    "app.listen(parseInt(process.env.PORT || '3100', 10))",
    'const {PORT = 3100} = process.env\napp.listen(PORT)',
    'const port: number = 3100\nserver.listen(port)',
    'serve({fetch: app.fetch, port: 3100}).listen()'
  ]
  for (const text of spellings)
    t.strictSame(await apps(t, {x: {...script, src: {'index.ts': text}}}), ['x ./x =3100 npm run dev'], text)
  const reads = 'require("dotenv").config()\napp.listen(process.env.PORT)'
  const read = {...script, src: {'index.ts': reads}}
  t.strictSame(await apps(t, {x: {...read, '.env': 'PORT=3200\n'}}), ['x ./x =3200 npm run dev'])
  t.strictSame(await apps(t, {x: {...script, Dockerfile: 'FROM node\nEXPOSE 3300\n'}}), ['x ./x =3300 npm run dev'])
  const {template, notes} = await imported(t, {x: read})
  t.match(template.apps, [{autoPort: true}])
  t.strictSame(notes, [], 'it reads PORT')
})

t.test('programs that several files or the Dockerfile name', async t => {
  t.strictSame(
    await apps(t, {
      go: {
        'go.mod': 'module x',
        'server.go': 'package main\nfunc main() { http.ListenAndServe(":8081", nil) }',
        'x_test.go': 'package main'
      },
      mail: {
        'requirements.txt': '',
        'email_server.py': 'server.run(port=8082)',
        Dockerfile: image('["python", "email_server.py"]')
      },
      pay: {'package.json': pkg({}), 'index.js': '', Dockerfile: `${image('["node", "index.js"]')}EXPOSE 8083\n`}
    }),
    ['go ./go 8081 go run .', 'mail ./mail =8082 python email_server.py', 'pay ./pay =8083 node index.js']
  )
})

t.test('compose files under other names are named: samples, and those of JHipster', async t => {
  const services = 'services: {db: {image: postgres}}'
  const go: Files = {'go.mod': 'module a', 'main.go': 'package main'}
  for (const name of ['compose.example.yml', 'docker-compose.yml.dist', 'compose.yaml-sample']) {
    const {notes} = await imported(t, {[name]: services, ...go}, '.', 'folder')
    t.match(notes, [
      new RegExp(`^${name}: its services are not part of this: pillion import --from folder . ${name} reads both$`)
    ])
    t.match((await imported(t, {[name]: services}, name)).template.apps, [{appID: 'db'}], `${name}, by its name`)
    t.match(await refusal(t, {[name]: services}), {explanation: new RegExp(`Or name a file: ${name}\\.`)})
  }
  const docker = {'app.yml': services, 'realm.yml': 'x: 1', 'services.yml': services}
  const {notes} = await imported(t, {...go, src: {main: {docker}}}, '.', 'folder')
  t.match(notes, [/^src\/main\/docker\/services\.yml, src\/main\/docker\/app\.yml: its services/])
})

const LISTENS = 'x.listen(process.env.PORT)'

t.test('a number behind a name makes no name that another folder has', async t => {
  const {template} = await imported(t, {
    a: {api: program(LISTENS)},
    b: {api: program(LISTENS), 'api-2': program(LISTENS)}
  })
  t.strictSame(
    template.apps.map(({appID}) => appID),
    ['api', 'api-3', 'api-2']
  )
})

const vite = (): Files => ({'package.json': '{"scripts": {"dev": "vite"}}'})

t.test('a folder with tests is left out, one of testimonials is not', async t => {
  const {template} = await imported(t, {
    api: vite(),
    testimonials: vite(),
    test: vite(),
    tests: vite(),
    'test-utils': vite(),
    testdata: vite()
  })
  t.strictSame(
    template.apps.map(({appID}) => appID),
    ['api', 'testimonials']
  )
})

const rust = (text: string): Files => ({'Cargo.toml': '', src: {'main.rs': text}})
const go = (text: string): Files => ({'go.mod': 'module x', 'main.go': `package main\n${text}`})

t.test('ports that a program calls, and ports of a web server in front, are not where it listens', async t => {
  const web = '<Project Sdk="Microsoft.NET.Sdk.Web">'
  const server = 'redis.New("127.0.0.1:6379")\nhttp.Address(":8000")\napp.Run()'
  t.strictSame(
    await apps(t, {
      bound: go('redis.New("127.0.0.1:6379")\nnet.Listen("tcp", "127.0.0.1:4240")'),
      caller: go('grpc.Dial("127.0.0.1:9000")'),
      front: {'package.json': pkg({start: 'ng serve --port 4300'}), Dockerfile: 'FROM nginx\nEXPOSE 80\n'},
      image: {'package.json': pkg({start: 'node x.js'}), 'x.js': '', Dockerfile: 'FROM nginx\nEXPOSE 80\n'},
      net: {'x.csproj': web, Dockerfile: 'EXPOSE 80\n'},
      plain: {'package.json': pkg({start: 'node x.js'}), 'x.js': '', Dockerfile: 'FROM node\nEXPOSE 80\n'},
      server: go(server)
    }),
    [
      'bound ./bound 4240 go run .',
      'caller ./caller - go run .',
      'front ./front =4300 npm run start',
      'image ./image - npm run start',
      'net ./net =80 sh -c exec dotnet run --urls http://localhost:$PORT',
      'plain ./plain =81 npm run start',
      'server ./server 8000 go run .'
    ]
  )
})

t.test('a program that calls others listens itself, too', async t => {
  t.strictSame(
    await apps(t, {
      any: go('addr := "0.0.0.0:8081"\ngo http.ListenAndServe(":9090", metrics)\nhttp.ListenAndServe(addr, nil)'),
      found: go('discovery.New(Nodes: []string{"0.0.0.0:7171"})\nhttp.Address(":8000")'),
      parsed: rust('let addr: SocketAddr = "0.0.0.0:8082".parse(); let client = Client::new();'),
      safe: go('conn := grpc.Dial("x:50051")\necho.New().StartTLS(":8083")'),
      server: go('client := redis.NewClient("redis:6379")\napi.New(client).RunServer(":8084")')
    }),
    [
      'any ./any 8081 go run .',
      'found ./found 8000 go run .',
      'parsed ./parsed 8082 cargo run',
      'safe ./safe 8083 go run .',
      'server ./server 8084 go run .'
    ]
  )
})

t.test('a folder whose own project starts nothing says why', async t => {
  const error = await refusal(t, {'pyproject.toml': '', src: {shop: {'__init__.py': ''}}})
  t.match(error.explanation, /^\.: it has no manage\.py/)
})

t.test('manifests of Kubernetes alone are named with what imports them', async t => {
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, image: nginx}]\n'
  const component = 'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: x}\n'
  const files = {'pod.yaml': pod, components: {'x.yaml': component}, sub: {k8s: {'pod.yml': pod}}}
  const {explanation} = await refusal(t, files)
  t.match(
    explanation,
    /^\.: manifests of Kubernetes: pillion import --from kubernetes \.\nsub\/k8s: .* sub\/k8s\nLooked for/
  )
})

t.test('a file that a Dockerfile starts is a program also without a project file', async t => {
  t.strictSame(
    await apps(t, {
      py: {Dockerfile: image('["python", "worker.py"]\nEXPOSE 5000'), 'worker.py': 'print(1)'},
      js: {Dockerfile: image('node index.js\nEXPOSE 5000'), 'index.js': 'setInterval(() => {}, 9)'},
      sh: {Dockerfile: `${image('["up"]')}ENTRYPOINT ["sh", "run.sh"]\nEXPOSE 5000`, 'run.sh': 'rm -rf /data'},
      other: {Dockerfile: image('["npm", "start"]\nEXPOSE 5000')}
    }),
    ['js ./js =5000 node index.js', 'py ./py =5001 python worker.py']
  )
})
