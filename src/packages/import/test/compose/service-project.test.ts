import t from 'tap'
import {imported, refusal, type Files} from '../read.ts'

const node = (text: string): Files => ({'package.json': '{"scripts": {"dev": "node a.js"}}', 'a.js': text})

t.test('services of one context: each is the project of its Dockerfile, or of its name', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  cart-service: {build: {context: ., dockerfile: docker/cart.Dockerfile}}
  mail: {build: {context: ., dockerfile: parts/mail/Dockerfile}}
  other: {build: {context: ., dockerfile: docker/other.Dockerfile}}
  web: {build: web}
`,
    'package.json': '{"scripts": {"dev": "turbo dev"}}',
    docker: {'cart.Dockerfile': 'FROM x\n', 'other.Dockerfile': 'FROM x\n'},
    services: {cart: node('x.listen(4000)')},
    parts: {mail: {Dockerfile: 'FROM x\n', ...node('x.listen(4001)')}},
    web: {Dockerfile: 'FROM nginx\nEXPOSE 80\n', src: node('x.listen(4002)')}
  })
  t.match(template.apps, [
    {appID: 'cart-service', appDirPath: './services/cart', port: 4000},
    {appID: 'mail', appDirPath: './parts/mail', port: 4001},
    {appID: 'other', appDirPath: '.', command: ['sh']},
    {appID: 'web', appDirPath: './web/src', port: 4002}
  ])
})

t.test('services of one Dockerfile: each is the project that its argument names', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  orders: {build: {context: ., args: {MODULE: parts/orders}}}
  mail: {build: {context: ., args: [APP=mailer]}}
  other: {build: {context: ., args: {MODULE: parts/gone}}}
  web: {build: web}
`,
    Dockerfile: 'FROM x\nARG MODULE\n',
    parts: {orders: node('x.listen(4000)')},
    apps: {mailer: node('x.listen(4001)')},
    web: node('x.listen(4002)')
  })
  t.match(template.apps, [
    {appID: 'orders', appDirPath: './parts/orders', port: 4000},
    {appID: 'mail', appDirPath: './apps/mailer', port: 4001},
    {appID: 'other', appDirPath: '.', command: ['sh']},
    {appID: 'web', appDirPath: './web', port: 4002}
  ])
})

t.test('a server of development listens where its project says, or the variable of its framework', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  web: {build: web, ports: ["3000:80"]}
  api: {build: api, environment: {SERVER_PORT: "9001"}}
  job: {build: job, environment: {API: "http://api:8080", OTHER: "http://quiet"}}
  quiet: {build: quiet}
`,
    web: {Dockerfile: 'FROM nginx\nEXPOSE 80\nCMD ["nginx"]\n', 'package.json': '{"scripts": {"dev": "vite"}}'},
    api: {'pom.xml': 'spring-boot-maven-plugin'},
    job: node(''),
    quiet: node('')
  })
  t.match(template.apps, [
    {port: 3000, command: ['npm', 'run', 'dev', '--', '--port', '3000']},
    {port: 9001},
    {env: {API: 'http://localhost:9001', OTHER: 'http://localhost'}}
  ])
  t.ok(notes.includes('env: the port of quiet is not known: write it behind localhost'))
})

t.test('ASP.NET listens where its launch profile says, as dotnet run does, else where its variables say', async t => {
  const run = ['sh', '-c', 'exec dotnet run --urls http://localhost:$PORT']
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  shop: {build: shop, environment: ["ASPNETCORE_URLS=http://+:80", "CART=http://cart"], ports: ["5001:80"]}
  cart: {build: cart, environment: ["ASPNETCORE_URLS=http://+:80"], ports: ["5002:80"]}
  web: {build: web, environment: ["ASPNETCORE_URLS=https://+:443;http://+:8081", ASPNETCORE_HTTP_PORTS=8080]}
  api: {build: api, environment: {ASPNETCORE_HTTP_PORTS: "8082"}}
`,
    shop: {'x.csproj': 'Sdk.Web', ...launched('http://localhost:5100')},
    cart: {'x.csproj': 'Sdk.Web', ...launched('https://localhost:7200;http://localhost:5200')},
    web: {'x.csproj': 'Sdk.Web', ...launched('https://localhost:7300')},
    api: {'x.csproj': 'Sdk.Web', Dockerfile: 'FROM aspnet\nEXPOSE 80\nENTRYPOINT ["dotnet", "x.dll"]\n'}
  })
  t.match(template.apps, [
    {port: 5001, command: run, env: {CART: 'http://localhost:5002'}},
    {port: 5002, command: run},
    {port: 8081, command: run},
    {port: 8082, command: run}
  ])
  t.notOk(notes.some(note => /only root|only one can listen/.test(note)))
})
const launched = (applicationUrl: string): Files => ({
  Properties: {'launchSettings.json': JSON.stringify({profiles: {http: {commandName: 'Project', applicationUrl}}})}
})

t.test('what is not built, and env files that are not there, are marks', async t => {
  const {notes} = await imported(t, {
    'compose.yaml': 'services: {api: {build: ., env_file: .env, command: npm start}}',
    '.env.example': '',
    'package.json': '{"scripts": {"start": "next start"}}'
  })
  t.match(notes, [
    'env_file: .env is not there: copy .env.example, and fill in its values',
    'it starts .next, which is not there: npm run build makes it',
    'guessed: port 3000 (the default of next start)'
  ])
  const {notes: ofFolder} = await imported(t, {'env.example': '', ...node('x.listen(4000)'), 'compose.dev.yaml': ''})
  t.match(ofFolder, [
    '.env is not there: copy env.example, and fill in its values',
    /^compose\.dev\.yaml: its services/
  ])
})

t.test('projects that no service starts are named', async t => {
  const {notes} = await imported(t, {
    'compose.yaml': 'services: {db: {image: postgres}, api: {build: api}}',
    api: node('x.listen(4000)'),
    web: node('x.listen(4001)')
  })
  t.match(notes, [/^web: nothing of this file starts this project: pillion import web --from folder/])
  const justfile = 'dev:\n  cd web; npm start\n\nother:\n  cd api\n'
  const processes = 'processes: {w: {command: just dev}}'
  const files = {api: node('x.listen(4000)'), web: node('x.listen(4001)')}
  t.match((await imported(t, {...files, justfile, 'process-compose.yaml': processes})).notes, [
    /^api: nothing of this file/
  ])
  t.match(await refusal(t, {deploy: {x: {'compose.yaml': ''}}}), {
    explanation: /Or name a file: deploy\/x\/compose\.yaml\./
  })
})

t.test('commands in marks name files from where they are typed', async t => {
  const services = 'services: {db: {image: postgres}}'
  const shop = {'compose.dev.yaml': services, web: node('x.listen(4001)')}
  const {notes} = await imported(t, {'my shop': shop}, 'my shop', 'folder')
  t.match(notes, [/pillion import --from folder 'my shop' 'my shop\/compose\.dev\.yaml' reads both/])
  const {notes: ofFile} = await imported(t, {'my shop': shop}, 'my shop/compose.dev.yaml')
  t.match(ofFile, [/pillion import 'my shop\/web' --from folder/])
  const both = await imported(t, {'my shop': shop}, ['my shop', 'my shop/compose.dev.yaml'], 'folder')
  t.match(both.template.apps, [{appID: 'web', dependsOn: {db: 'ready'}}, {appID: 'db'}])
  t.notMatch(both.notes.join(), 'not part of this')
})

t.test('the words of an entrypoint stand before those of the command', async t => {
  const {template} = await imported(t, {
    'compose.yaml': 'services: {a: {image: x, entrypoint: [sh, -c, "echo $$0"], command: [b]}}'
  })
  t.same((template.apps[0] as {command: string[]}).command.slice(5), ['--entrypoint', 'sh', 'x', '-c', 'echo $0', 'b'])
})

t.test('two programs that are called at one number: the second gets another, and keeps its own in code', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': 'services: {a: {build: a, ports: ["4000:4000"]}, b: {build: b, ports: ["4000:4000"]}}',
    a: node('x.listen(4000)'),
    b: node('x.listen(4000)')
  })
  t.match(template.apps, [{port: 4000}, {port: 4001, fixedPort: 4000}])
  t.match(notes, ['port: 4000 is that of a: this one is called at 4001'])
})

t.test('a program listens at the port for root that its image has', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  front: {build: front, environment: {API: "http://api", NET: "http://net/x"}}
  api: {build: api}
  net: {build: net}
`,
    front: {'x.js': '', Dockerfile: 'FROM node\nEXPOSE 80\nCMD ["node", "x.js"]\n'},
    api: {'x.js': '', Dockerfile: 'FROM node\nEXPOSE 80\nCMD ["node", "x.js"]\n'},
    net: {'x.csproj': 'Sdk.Web', Dockerfile: 'FROM aspnet\nEXPOSE 80\nENTRYPOINT ["dotnet", "x.dll"]\n'}
  })
  t.match(template.apps, [
    {port: 80, env: {API: 'http://localhost:81', NET: 'http://localhost:82/x'}},
    {port: 81, fixedPort: 80},
    {port: 82, command: ['sh', '-c', 'exec dotnet run --urls http://localhost:$PORT']}
  ])
})

t.test('an argument that names another project says nothing of a service whose name is that of one', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  web: {build: {context: ., args: {BACKEND: api, MODE: a}}}
  api: {build: {context: ., args: {MODE: a}}}
`,
    Dockerfile: 'FROM x\nARG MODE\n',
    web: node('x.listen(4000)'),
    api: node('x.listen(4001)')
  })
  t.match(template.apps, [
    {appID: 'web', appDirPath: './web', port: 4000},
    {appID: 'api', appDirPath: './api', port: 4001}
  ])
})

t.test('stages and arguments of one project name no other one: its program is that of the folder', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  app: {build: {context: ., target: final}, ports: ["8080:8080"]}
  tests: {build: {context: ., target: test}, profiles: [test]}
  old: {build: {context: ., args: {VERSION: "1.0"}}, ports: ["8081:8080"]}
`,
    Dockerfile: 'FROM golang AS test\nCMD ["/test"]\nFROM scratch AS final\nCMD ["/app"]\n',
    'go.mod': 'module x',
    'main.go': 'package main\nfunc main() { http.ListenAndServe(":8080", nil) }'
  })
  t.match(template.apps[0], {appID: 'app', command: ['go', 'run', '.'], appPort: 8080})
  t.match(template.apps[2], {appID: 'old', command: ['go', 'run', '.'], port: 8081})
})

t.test('arguments and stages that name no project leave the one below the folder to their services', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  api: {build: {context: ., target: dev}, ports: ["3000:3000"]}
  old: {build: {context: ., args: {VERSION: "1.0"}}, ports: ["3001:3000"]}
`,
    Dockerfile: 'FROM x AS dev\nCMD ["/x"]\n',
    src: node('x.listen(3000)')
  })
  t.match(template.apps, [
    {appID: 'api', appDirPath: './src', port: 3000},
    {appID: 'old', appDirPath: './src', port: 3001}
  ])
})
