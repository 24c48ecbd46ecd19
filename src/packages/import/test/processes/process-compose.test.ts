import t from 'tap'
import {imported, refusal, type Files} from '../read.ts'

t.test('processes with probes, dependencies and policies', async t => {
  const {template, notes} = await imported(t, {
    'process-compose.yaml': `
version: "0.5"
environment: ["LEVEL=debug"]
processes:
  db:
    command: ./db.sh --port=5432
    working_dir: db
    ready_log_line: "ready (5432)"
    availability: {restart: on_failure, backoff_seconds: 2}
    shutdown: {signal: 2, timeout_seconds: 10}
  migrate:
    command: "node migrate.js"
    depends_on: {db: {condition: process_log_ready}, gone: {condition: process_started}}
  api:
    command: |
      npm ci
      npm start
    environment: ["HOST=$HOME/x", "PLAIN=1"]
    depends_on:
      migrate: {condition: process_completed_successfully}
      db: {condition: process_healthy}
    readiness_probe: {http_get: {host: 127.0.0.1, port: 8080, path: /health}, period_seconds: 5}
    availability: {restart: always}
  check:
    command: 'echo "$\${HOME}"'
    disabled: true
    namespace: tools
    replicas: 2
    readiness_probe: {exec: {command: test -f x}}
    liveness_probe: {exec: {command: test -f y}}
`,
    db: {}
  })
  t.strictSame(template, {
    version: 1,
    interpolate: './.env',
    common: {env: {LEVEL: 'debug'}, stop: {timeout: '10s'}},
    apps: [
      {
        appID: 'db',
        appDirPath: './db',
        port: 5432,
        command: ['sh', '-c', 'exec ./db.sh --port=$PORT'],
        ready: {log: 'ready \\(5432\\)'},
        restart: 'on-failure',
        stop: {signal: 'SIGINT', timeout: '10s'}
      },
      {appID: 'migrate', appDirPath: '.', command: ['node', 'migrate.js'], dependsOn: {db: 'ready'}},
      {
        appID: 'api',
        appDirPath: '.',
        appPort: 8080,
        command: ['sh', '-c', 'npm ci\nnpm start'],
        env: {HOST: '${HOME}/x', PLAIN: '1'},
        dependsOn: {migrate: 'completed', db: 'ready'},
        ready: {http: '/health'},
        restart: 'always'
      },
      {
        appID: 'check',
        appDirPath: '.',
        command: ['sh', '-c', 'echo "$${HOME}"'],
        ready: {command: ['test', '-f', 'x']},
        profiles: ['disabled']
      }
    ]
  })
  t.strictSame(notes, [
    'db, check: availability.backoff_seconds, replicas, liveness_probe: not carried over',
    'it starts ./db.sh, which is not there: build it first',
    'depends_on: there is no process gone',
    'appPort: its calls are not held: have its code read PORT, and write port: 8080',
    'it was disabled: pillion start check starts it, or --profile disabled',
    'appPort: the port on which it listens is not known from its files; autoPort: true gives one to a program that reads PORT'
  ])
})

t.test('what cannot be: no processes, broken YAML', async t => {
  const read = async (text: string) => refusal(t, {'process-compose.yaml': text})
  t.match(await read('version: "0.5"'), {message: 'cannot import process-compose.yaml: it has no processes'})
  t.match(await read('processes:\n  a: [\n'), {explanation: /^process-compose\.yaml:\d+:\d+/})
  t.match(await read('- a\n'), {message: /it is no map of keys to values/})
  t.match(await read('processes: *x\n'), {message: /cannot import process-compose\.yaml: /})
})

t.test('two processes whose probes ask one port: which, and what to change', async t => {
  const probe = 'readiness_probe: {http_get: {port: 8080}}'
  const {notes} = await imported(t, {
    'process-compose.yml': `processes: {a: {command: a, ${probe}}, b: {command: b, ${probe}}}`
  })
  t.ok(notes.some(note => note.startsWith('appPort: 8080 is that of a, too, and only one can listen there')))
})

t.test('the override next to a file is merged into it; an unsupported signal is reported', async t => {
  const {template, notes, text} = await imported(t, {
    'process-compose.yml':
      'processes: {a: {command: one, environment: [A=1, B=2]}, b: {command: two, shutdown: {signal: 9}}}\n',
    'process-compose.override.yml':
      'processes: {a: {environment: [A=3]}, b: {command: three}, c: {command: four, shutdown: {signal: 6}}}\n'
  })
  t.match(text, /import from process-compose\.yml and process-compose\.override\.yml\./)
  t.match(template.apps, [
    {appID: 'a', env: {A: '3', B: '2'}},
    {appID: 'b', command: ['three'], stop: {timeout: '10s', signal: 'SIGKILL'}},
    {appID: 'c', command: ['four'], stop: undefined}
  ])
  t.match(notes, [/^shutdown\.signal: 6 is not carried over/])
})

t.test('an env file that is not there, and a path without a slash, keep none of the others', async t => {
  const {template, notes} = await imported(t, {
    'process-compose.yml':
      'processes: {a: {command: a, env_file: .env.local}, b: {command: b, readiness_probe: {http_get: {port: 80, path: health}}}}\n',
    '.env.local.example': ''
  })
  t.match(template.apps, [{envFile: {path: './.env.local', required: false}}, {ready: {http: '/health'}}])
  t.match(notes, ['env_file: .env.local is not there: copy .env.local.example, and fill in its values'])
})

t.test('two dollars in front of braces are a text, and a file that a variable names is not missed', async t => {
  const {template, notes} = await imported(t, {
    'process-compose.yml':
      'processes: {a: {command: a, env_file: ".env.$MODE", environment: ["A=$${B}", "C=$D", "E=$$F"]}}\n'
  })
  t.match(template.apps, [{env: {A: '$${B}', C: '${D}', E: '$F'}}])
  t.notMatch(notes.join('\n'), /env_file/)
})

t.test('a process is waited for also where its condition is left out', async t => {
  const {template} = await imported(t, {
    'process-compose.yaml':
      'processes: {a: {command: serve, depends_on: {b: , c: {}}}, b: {command: x}, c: {command: y}}'
  })
  t.match(template.apps[0], {dependsOn: {b: 'completed', c: 'completed'}})
})

t.test('.env has the variables of all processes, below those of their own files, and of the file itself', async t => {
  const {template} = await imported(t, {
    'process-compose.yaml':
      'processes: {a: {command: a, env_file: own.env, environment: ["URL=http://${HOST_A}"]}, b: {command: b, env_file: .env}, c: {command: c, env_file: gone.env}}',
    '.env': 'HOST_A=a',
    'own.env': 'X=1'
  })
  t.equal(template['interpolate'], './.env')
  t.match(template.apps, [
    {envFile: ['./.env', './own.env']},
    {envFile: './.env'},
    {envFile: ['./.env', {path: './gone.env', required: false}]}
  ])
})

t.test('an override under a name of compose is one where it has processes', async t => {
  const over = 'processes:\n  a: {command: over}\n'
  const commandOf = async (files: Files): Promise<unknown> => (await imported(t, files)).template.apps[0]?.['command']
  for (const name of ['compose.yaml', 'process-compose.yaml']) {
    const files = {[name]: 'processes:\n  a: {command: serve}\n'}
    t.strictSame(await commandOf({...files, 'compose.override.yaml': over}), ['over'])
    t.strictSame(await commandOf({...files, 'compose.override.yaml': 'services: {a: {command: x}}'}), ['serve'])
  }
  const compose = {'compose.yaml': 'services: {a: {image: x}}'}
  t.match(await commandOf({...compose, 'compose.override.yaml': over}), /^docker/)
})

t.test('what sh reads in another way, bash gets', async t => {
  for (const line of [
    'for i in {1..3}; do echo $i; done',
    'node x.js &> log',
    'a=(1 2); echo hi',
    'echo ${A//a/b}',
    'echo ${A:1:2}',
    '((n > 1)) && x',
    'shopt -s globstar; ls **'
  ]) {
    const {template} = await imported(t, {'process-compose.yaml': JSON.stringify({processes: {a: {command: line}}})})
    t.strictSame(template.apps[0]?.['command'], ['bash', '-c', line])
  }
  for (const line of ['echo $((1 + 1)) ${A:-b} ${A#c}', 'a && (b; c)', 'x 2>&1 >&2']) {
    const {template} = await imported(t, {'process-compose.yaml': JSON.stringify({processes: {a: {command: line}}})})
    t.strictSame(template.apps[0]?.['command'], ['sh', '-c', line])
  }
})

t.test('commands of the shell itself are run by one', async t => {
  const lines = [
    'exit 3',
    'eval echo a',
    'time npm start',
    ': nothing',
    'wait',
    'trap - INT',
    'cd web && time npm start',
    'exited',
    'timeout 5 x'
  ]
  const {template} = await imported(t, {
    'process-compose.yaml': `processes:\n${lines.map((line, at) => `  p${at}: {command: "${line}"}\n`).join('')}`
  })
  t.strictSame(
    template.apps.map(({command}) => command),
    // dash has no `time`
    lines.map((line, at) => (at < 7 ? [line.includes('time ') ? 'bash' : 'sh', '-c', line] : line.split(' ')))
  )
})

t.test('where a process listens: by its flags, its code or its probe; a restart of a variable is marked', async t => {
  const {template, notes} = await imported(t, {
    'process-compose.yaml': `
processes:
  users: {command: "uvicorn main:app --port 24041"}
  orders: {command: node orders.js, environment: [PORT=24042]}
  stock: {command: "go run ./cmd/stock", environment: ["STOCK_PORT=24043"]}
  mail: {command: ./mail, readiness_probe: {http_get: {port: 24044}}}
  job: {command: ./job, availability: {restart: "\${X:-on_failure}"}}
`,
    '.env': 'MAIL_URL=http://localhost:24045\n',
    'orders.js': 'x.listen(process.env.PORT)',
    'go.mod': '',
    cmd: {stock: {'main.go': 'package main\nvar p = os.Getenv("STOCK_PORT")'}}
  })
  t.match(template.apps, [
    {appID: 'users', port: 24_041},
    {appID: 'orders', port: 24_042},
    {appID: 'stock', port: 24_043, command: ['sh', '-c', 'STOCK_PORT=$PORT exec go run ./cmd/stock']},
    {appID: 'mail', port: 24_045, appPort: 24_044},
    {appID: 'job'}
  ])
  t.notOk('env' in (template.apps[1] ?? {}), 'PORT is the number of the run')
  t.ok(notes.some(note => note.startsWith('availability.restart: ${X:-on_failure} is not carried over')))
})
