// Ports by evidence: the strongest counts, and a guess is marked.
import t from 'tap'
import {imported, type Files} from './read.ts'

const FASTAPI = 'from fastapi import FastAPI\nimport uvicorn\napp = FastAPI()\n'
const main = (lines: string): string => `${FASTAPI}if __name__ == "__main__":\n    ${lines}\n`

t.test('a Python file that serves behind __main__ is started as itself, at the port there', async t => {
  const flask = 'from flask import Flask\nfrom waitress import serve\napp = Flask(__name__)\n'
  const {template, notes} = await imported(t, {
    orders: {'main.py': main('uvicorn.run("main:app", port=24072)')},
    shop: {
      'main.py': `${flask}if __name__ == "__main__":\n    Thread(target=tick).start()\n    serve(app, port=24073)\n`
    },
    users: {'main.py': main('uvicorn.run("main:app", host="0.0.0.0", port=int(os.environ.get("USERS_PORT", 24071)))')},
    plain: {'main.py': FASTAPI}
  })
  t.match(template.apps, [
    {appID: 'orders', port: 24_072, command: ['python3', 'main.py']},
    {appID: 'plain', port: 8000, command: ['python3', '-m', 'uvicorn', 'main:app']},
    {appID: 'shop', port: 24_073, command: ['python3', 'main.py']},
    {appID: 'users', port: 24_071, command: ['python3', 'main.py']}
  ])
  t.strictSame(notes, ['guessed: port 8000 (the default of uvicorn)'])
})

const listening = (port: string): Files => ({
  'package.json': '{"scripts": {"start": "node a.js"}}',
  'a.js': `x.listen(${port})`
})

t.test('URLs of other services come before the number of the code, and before a guess', async t => {
  const {template, notes} = await imported(t, {
    api: listening('process.env.PORT || 3000'),
    users: {'main.py': FASTAPI},
    'mail-service': {'go.mod': '', 'main.go': 'package main\nfunc main() { http.ListenAndServe(":8080", nil) }'},
    stock: {'go.mod': '', 'main.go': 'package main\nvar p = os.Getenv("STOCK_PORT")'},
    web: {
      ...listening('4000'),
      '.env': 'VITE_API_URL=http://localhost:4001\nSTOCK_PORT=4003\n',
      src: {
        'config.ts':
          "const usersUrl = process.env.USERS_URL ?? 'http://localhost:4002'\nmailUrl: 'http://localhost:4004/x'"
      }
    }
  })
  t.match(template.apps, [
    {appID: 'api', port: 4001},
    {appID: 'mail-service', port: 4004, appPort: 8080},
    {appID: 'stock', port: 4003, command: ['sh', '-c', 'STOCK_PORT=$PORT exec go run .']},
    {appID: 'users', port: 4002},
    {appID: 'web', port: 4000}
  ])
  t.strictSame(notes, [])
})

t.test('a compose service listens where its ports and variables say, not by the default of its code', async t => {
  const image = 'FROM x\nCMD ["/app/run"]\n'
  const {template} = await imported(t, {
    'compose.yaml': `services:
  web: {build: web, ports: ["24030:5050"], environment: {API_PORT: 5050}}
  pay: {build: pay, ports: ["24031:5050"], environment: {PAY_PORT: 5050}}
  users: {build: users, ports: ["24032:5050"], environment: {API_PORT: 5050}}
  quote: {build: quote, expose: [8090]}
`,
    web: {
      Dockerfile: image,
      'package.json': '{"scripts": {"start": "node a.js"}}',
      'a.js': 'x.listen(process.env.API_PORT || 3000)'
    },
    pay: {Dockerfile: image, 'go.mod': '', 'main.go': 'package main\nvar p = env(os.Getenv("PAY_PORT"), ":50051")'},
    users: {Dockerfile: image, 'main.py': main('uvicorn.run(app, port=int(os.environ["API_PORT"]))')},
    quote: {Dockerfile: image, 'composer.json': '{}', public: {'index.php': ''}}
  })
  t.match(template.apps, [
    {appID: 'web', port: 24_030, fixedPort: 5050},
    {appID: 'pay', port: 24_031, command: ['sh', '-c', 'PAY_PORT=$PORT exec go run .']},
    {appID: 'users', port: 24_032, fixedPort: 5050, command: ['python3', 'main.py']},
    {appID: 'quote', port: 8090}
  ])
  t.notOk(template.apps.some(app => 'appPort' in app))
})

t.test('a compose service has the marks of a guess, and of calls that are not held', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': 'services: {api: {build: api, ports: ["8080:8080"]}, users: {build: users}}',
    api: {'go.mod': '', 'main.go': 'package main\nfunc main() { http.ListenAndServe(":8080", nil) }'},
    users: {'main.py': FASTAPI}
  })
  t.match(template.apps, [{appPort: 8080}, {port: 8000}])
  t.strictSame(notes, [
    'appPort: its calls are not held: have its code read PORT, and write port: 8080',
    'guessed: port 8000 (the default of uvicorn)'
  ])
})

t.test('ENV of a Dockerfile arrives where its CMD does not run here, or is marked', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml':
      'services: {shipping: {build: shipping, environment: {LEVEL: debug}}, cart: {build: cart, ports: ["24040:8080"]}}',
    shipping: {
      Dockerfile:
        'FROM node\nENV CART_URL=http://cart:8080 FEATURE=on LEVEL=info\nENV DATA=/srv/data CACHE=$DATA/x\nCMD ["node", "dist/main.js"]\n',
      'package.json': '{"scripts": {"dev": "tsx main.ts"}}',
      'main.ts': 'x.listen(24041)'
    },
    cart: {
      Dockerfile: 'FROM node\nENV PORT=8080\nCMD ["node", "dist/main.js"]\n',
      'package.json': '{"scripts": {"dev": "tsx main.ts"}}',
      'main.ts': 'x.listen(process.env.PORT)'
    }
  })
  t.match(template.apps, [
    {appID: 'shipping', env: {CART_URL: 'http://localhost:24040', FEATURE: 'on', LEVEL: 'debug'}},
    {appID: 'cart', port: 24_040}
  ])
  t.ok(notes.includes('Dockerfile: ENV DATA, CACHE: not carried over'), notes.join('\n'))
})

t.test('a port with the same prefix as another server’s host is that server’s', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  front: {build: front, ports: ["8080:80"], environment: {BACK_HOST: back, BACK_PORT: 5000}}
  back: {build: back, expose: [5000]}
`,
    front: {
      'go.mod': '',
      'main.go': 'package main\nvar _ = os.Getenv("BACK_HOST") + os.Getenv("BACK_PORT")\nListenAndServe(":80", nil)'
    },
    back: {'go.mod': '', 'main.go': 'package main\nvar _ = env("APP_HOST", "0.0.0.0") + env("APP_PORT", "5000")'}
  })
  t.match(template.apps, [
    {port: 8080, appPort: 80, command: ['go', 'run', '.'], env: {BACK_PORT: '5000'}},
    {port: 5000, command: ['sh', '-c', 'APP_PORT=$PORT exec go run .']}
  ])
})

t.test('a command finds its program in the virtual environment of its folder', async t => {
  const {template} = await imported(t, {Procfile: 'api: flask run --port 5000\n', venv: {bin: {flask: ''}}})
  t.match(template.apps, [{command: ['venv/bin/flask', 'run', '--port', '5000']}])
})

t.test('a Java file that a line names has its number; a program without any word of a number has a mark', async t => {
  const {template, notes} = await imported(t, {
    Procfile: 'ship: java ship/Ship.java\nmail: mailer --fast\n',
    '.env': 'SHIP_URL=http://localhost:8082\nMAIL_URL=http://localhost:8083\n',
    ship: {'Ship.java': 'HttpServer.create(new InetSocketAddress(8082), 0);'}
  })
  t.match(template.apps, [{appPort: 8082}, {port: 8083}])
  t.strictSame(notes, [
    'appPort: its calls are not held: have its code read PORT, and write port: 8082',
    'port: its files do not say that it reads PORT: if it listens at a number of its own, write appPort: 8083'
  ])
})
