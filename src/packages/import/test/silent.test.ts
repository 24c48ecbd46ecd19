// Minimal cases of public projects whose template was wrong without a mark: ports of debuggers, images of the project, tools.
import t from 'tap'
import {imported, type Files} from './read.ts'

const node = (text: string, more: object = {}): Files => ({
  'package.json': JSON.stringify({scripts: {dev: 'node x.js'}, ...more}),
  'x.js': text
})

t.test('the port of a debugger is not that of a service', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  api: {build: web, command: node x.js, ports: ["$API_DEBUG_PORT:9226"], expose: ["8000"]}
  edge: {build: web, command: node x.js, ports: ["9229:9229", "24051:8080"]}
  pay: {build: web, command: node x.js, ports: ["24053:24052", "24055:24054"], environment: {PORT: 24054}}
  lost: {build: web, command: npm run dev, ports: ["$LOST_DEBUG_PORT:9230"], expose: ["$LOST_PORT"]}
`,
    web: {'package.json': '{"scripts": {"dev": "nodemon --inspect=0.0.0.0:9230 x.js"}}', 'x.js': 'http.createServer()'}
  })
  t.match(template.apps, [{port: 8000}, {port: 24_051, fixedPort: 8080}, {port: 24_055}, {port: undefined}])
  t.match(notes.join('\n'), /port on which it listens is not known/)
})

t.test('a compose file with published images of the project starts no second copy of its programs', async t => {
  const services = 'services: {db: {image: redis}, web: {image: "ghcr.io/acme/bike-shop/edge:latest"}}'
  for (const image of ['ghcr.io/acme/shop:1', 'acme/bikes', 'ghcr.io/acme/api:${V:-1}']) {
    const {template, notes} = await imported(t, {
      'compose.yaml': services.replace(/"ghcr[^"]*"/, `"${image}"`),
      'package.json': '{"name": "bikes"}',
      api: node('x.listen(4000)')
    })
    t.strictSame(
      template.apps.map(({appID}) => appID),
      ['db', 'web'],
      image
    )
    t.match(notes, [/^api: published images run, not the code: /])
  }
})

t.test('PORT is known to a command that the run gives it', async t => {
  const {template, notes} = await imported(t, {
    'process-compose.yaml': `processes:
  api: {command: "node x.js --port $PORT"}
  seed: {command: "echo http://localhost:\${PORT}"}
`,
    'x.js': ''
  })
  t.match(template.apps, [{autoPort: true}, {autoPort: undefined}])
  t.strictSame(notes, ['PORT: no value is known: set it in env, or where pillion is started'])
})

const COMMANDER = 'import {program} from "commander"\n'

t.test('a program that a file names is no tool; others with commands are', async t => {
  const worker = {'requirements.txt': '', 'main.py': 'import click\napp = Celery()\napp.run()'}
  const idsOfTools = async (files: Files, from?: string): Promise<readonly unknown[]> => {
    const {template, notes} = await imported(t, files, '.', from)
    const ids = template.apps.filter(({profiles}) => String(profiles) === 'tools').map(({appID}) => appID)
    t.equal(notes.filter(note => note.startsWith('it is a tool')).length, ids.length)
    return ids
  }
  const nest = {'package.json': '{"scripts": {"dev": "nest start"}}', src: {'main.ts': "import 'nestjs-command'"}}
  const apps = {job: node(COMMANDER), cli: node(COMMANDER), nest}
  t.strictSame(await idsOfTools(apps), ['cli', 'job', 'nest'])
  const Dockerfile = 'FROM scratch\nENTRYPOINT ["/x"]\n'
  const compose = 'services: {job: {build: job}, worker: {build: worker}}'
  t.strictSame(await idsOfTools({'compose.yaml': compose, job: {Dockerfile, ...apps.job}, worker}), [])
  t.strictSame(await idsOfTools({Procfile: 'job: cd job && npm run dev', job: apps.job}), [])
  for (const dev of ['pnpm --filter job --parallel dev', 'turbo dev --filter=./apps/job'])
    t.strictSame(
      await idsOfTools({
        'package.json': JSON.stringify({scripts: {dev}}),
        'pnpm-workspace.yaml': 'packages: ["apps/*"]\n',
        apps: {job: apps.job, cli: node(COMMANDER, {name: 'cli'})}
      }),
      [],
      dev
    )
  const scripts = {dev: 'concurrently npm:api npm:job', api: 'node x.js', job: 'node job.js'}
  t.strictSame(await idsOfTools({...node(COMMANDER, {scripts}), 'job.js': ''}), [])
})

t.test('a script whose programs need a step before them stays one program', async t => {
  const scripts = {dev: 'npm-run-all build --parallel a b', build: 'tsc', a: 'tsc -w', b: 'node x.js'}
  const {template} = await imported(t, {...node('x.listen(4000)', {scripts}), 'yarn.lock': ''})
  t.match(template.apps, [{appID: 'shop', command: ['yarn', 'run', 'dev']}])
  t.equal(template.apps.length, 1)
  const parts = {...node('', {scripts: {...scripts, dev: 'run-p a b'}}), 'yarn.lock': ''}
  t.match((await imported(t, parts)).template.apps, [{command: ['yarn', 'run', 'a']}, {command: ['yarn', 'run', 'b']}])
})

t.test('a package that a command names by its name is started', async t => {
  const {notes} = await imported(t, {
    Procfile: 'web: yarn workspace @shop/api run dev',
    'package.json': '{"workspaces": ["services/*"]}',
    services: {backend: node('', {name: '@shop/api'})}
  })
  t.notMatch(notes.join('\n'), 'nothing of this file starts')
})

const CMD = 'FROM node\nWORKDIR /app\nCMD ["node", "x.js"]\n'

t.test('PORT with the number of another server stays', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `services:
  proxy: {build: web, command: node x.js, ports: ["9090:9090"], environment: {PORT: "\${APP:-8000}"}}
  api: {build: web, command: node x.js, ports: ["8000:8000"], environment: {PORT: 8000}}
`,
    web: {'x.js': ''}
  })
  t.match(template.apps, [
    {port: 9090, env: {PORT: '${APP:-8000}'}},
    {port: 8000, env: undefined}
  ])
})

t.test('a program runs where its folder is mounted; what else is mounted has a mark, with hosts in it', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': `services:
  api: {build: {context: ., dockerfile: api/Dockerfile}, working_dir: /app/api, volumes: ["./api:/app/api", "./shared:/app/api/shared"], command: /bin/sh -c "node x.js"}
  edge: {build: edge, volumes: ["./edge:/app", "./edge.yml:/etc/edge.yml", "/etc/localtime:/etc/localtime"]}
  db: {image: pgvector/pgvector}
`,
    api: {Dockerfile: CMD, 'x.js': ''},
    edge: {Dockerfile: CMD, 'x.js': ''},
    'edge.yml': 'db:\n  host: db\n'
  })
  t.match(template.apps, [
    {appDirPath: './api', command: ['sh', '-c', 'node x.js']},
    {appDirPath: './edge'},
    {stop: {signal: 'SIGINT'}}
  ])
  t.strictSame(notes, [
    'volumes: /app/api/shared is ./shared here: have the program read that',
    'edge.yml:2: db is localhost here: write 127.0.0.1 db into /etc/hosts, or localhost there',
    'volumes: /etc/edge.yml is ./edge.yml here: have the program read that'
  ])
})

t.test('a published number comes before one in a container', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml':
      'services: {web: {build: web, ports: ["3000:8080"]}, api: {build: api, command: node x.js --port 8080, ports: ["8080:8080"]}}',
    web: {'go.mod': '', 'main.go': 'package main\nfunc main() { http.ListenAndServe(":8080", nil) }'},
    api: {'x.js': ''}
  })
  t.match(template.apps, [{port: 3000, appPort: undefined}, {port: 8080}])
  t.match(notes.join('\n'), 'appPort: 8080 is that of api, too, and only one can listen there')
})

t.test('hosts in settings of Spring are named', async t => {
  const source = {
    java: {x: {'X.java': '@SpringBootApplication'}},
    resources: {'application.yml': 'spring.rabbitmq.host: mq\n'}
  }
  const {notes} = await imported(t, {
    'compose.yaml': 'services: {api: {build: api, expose: [8080]}, mq: {image: rabbitmq}}',
    api: {'pom.xml': 'spring-boot-maven-plugin', src: {main: source}}
  })
  t.strictSame(notes, [
    'api/src/main/resources/application.yml:1: mq is localhost here: write 127.0.0.1 mq into /etc/hosts, or localhost there'
  ])
})

t.test('programs that the script of a workspace starts come before its packages', async t => {
  const scripts = {
    dev: "concurrently 'npm run dev:api' 'npm run dev:job' 'npm run dev:web' 'vite build --watch'",
    'dev:api': 'tsx --watch apps/api/x.ts',
    'dev:job': 'tsx --watch apps/api/job.ts',
    'dev:web': 'turbo run dev --filter=@shop/web'
  }
  const {template, notes} = await imported(t, {
    'package.json': JSON.stringify({scripts, workspaces: ['apps/*'], devDependencies: {vite: '7'}}),
    apps: {api: node('', {name: '@shop/api'}), web: node('', {name: '@shop/web'}), docs: node('', {name: '@shop/docs'})}
  })
  t.match(
    template.apps.map(({appID, command, profiles}) => [appID, String(command), profiles]),
    [
      ['api', 'npm,run,dev:api', undefined],
      ['job', 'npm,run,dev:job', undefined],
      ['web', 'npm,run,dev:web', undefined],
      ['vite', 'npx,vite,build,--watch', undefined],
      ['docs', 'npm,run,dev', ['others']]
    ]
  )
  t.ok(notes.includes('docs: the root script dev does not start them: --profile others does'), notes.join('\n'))
})

t.test('a filter with alternatives, and tools that start several programs', async t => {
  const apps = {
    api: node('x.listen(1)', {name: '@a/api'}),
    web: node('x.listen(2)', {name: '@a/web'}),
    lib: node('', {name: '@a/lib'})
  }
  const started = async (scripts: object): Promise<string> => {
    const files = {'package.json': JSON.stringify({scripts, workspaces: ['apps/*']}), apps}
    return (await imported(t, files)).template.apps.flatMap(({appID, profiles}) => (profiles ? [] : [appID])).join()
  }
  t.equal(await started({'start:dev': 'lerna run start:dev --scope=@a/{api,web}'}), 'api,web')
  t.equal(await started({dev: 'pnpm --filter "./apps/*" dev'}), 'api,lib,web')
  t.equal(await started({start: 'run-pty run-pty.json'}), 'api,lib,web')
})

t.test('an env file that is to be copied is read once it is there', async t => {
  const db = {'package.json': '{"name": "db"}', '.env.example': ''}
  const web = {...node('x.listen(4000)', {dependencies: {db: '*'}}), '.env.sample': ''}
  for (const [files, key] of [
    [{Procfile: 'web: cd web && npm start'}, 'envFile: {path: '],
    [{'process-compose.yaml': 'processes: {web: {command: npm start, working_dir: web}}'}, 'envFile: {path: '],
    [{'compose.yaml': 'services: {web: {build: web, environment: {A: "${A:-}"}}}'}, 'interpolate: ./.env\n']
  ] as const) {
    const workspace = {'package.json': '{"workspaces": ["db"]}', db, web}
    const {text, notes} = await imported(t, {...files, ...workspace, '.env.example': 'A=1'})
    t.match(text, key)
    t.match(
      notes.slice(0, 3),
      ['.env', 'web/.env', 'db/.env'].map(file => new RegExp(`^${file} is not there: copy .env`))
    )
  }
})

t.test('a program whose other files serve has the number of its image', async t => {
  const {template} = await imported(t, {
    'process-compose.yaml': 'processes: {api: {command: cargo watch -x run, working_dir: api}}',
    api: {
      'Cargo.toml': '',
      Dockerfile: 'FROM x\nEXPOSE 3002\n',
      src: {'main.rs': 'fn main() {}', 'http.rs': 'axum::serve(l, app)'}
    }
  })
  t.match(template.apps, [{appPort: 3002}])
})

t.test('skaffold dev takes its profile by itself', async t => {
  const {template} = await imported(t, {
    'skaffold.yaml':
      'apiVersion: skaffold/v4\nprofiles:\n- name: dev\n  activation: [{command: dev}]\n  manifests: {rawYaml: [k.yaml]}\n',
    'k.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: db}\nspec: {containers: [{name: db, image: redis}]}\n'
  })
  t.match(template.apps, [{appID: 'db'}])
})

t.test('an env file above the folder that the code names, and hosts in one next to it', async t => {
  const settings = "env_file='../.env'"
  const {notes} = await imported(t, {
    'compose.yaml':
      'services: {api: {build: {context: ., dockerfile: svc/api/Dockerfile}, working_dir: /app/api, volumes: ["./svc/api:/app/api"], command: uv run python main.py}, db: {image: postgres}}',
    '.env': 'DB_USER=x\n',
    svc: {api: {Dockerfile: 'FROM python\nCOPY .env ./\n', 'main.py': settings, '.env': 'DB_HOST=db \n'}}
  })
  t.strictSame(notes, [
    'svc/api/.env:1: db is localhost here: write 127.0.0.1 db into /etc/hosts, or localhost there',
    'main.py reads ../.env, which is not there: write envFile: ../../.env, and hosts as they are here'
  ])
  const there = {'.env': 'A=1\n', api: {'main.py': `${settings}\napp.run()`, 'requirements.txt': ''}}
  t.notMatch((await imported(t, there)).notes.join(), 'reads ../.env')
})

t.test('settings of Spring in a folder that $PWD mounts: its place, hosts and HTTPS', async t => {
  const {notes} = await imported(t, {
    'compose.yaml': 'services: {config: {build: config, volumes: ["$PWD/repo:/repo"]}, mq: {image: rabbitmq}}',
    config: {'pom.xml': 'spring-boot-maven-plugin', 'x.java': ''},
    repo: {'edge.yml': 'server.port: 8443\nserver.ssl:\n  a: b\n', 'application.yml': 'eureka-server: mq\n'}
  })
  t.strictSame(notes, [
    'repo/application.yml:1: mq is localhost here: write 127.0.0.1 mq into /etc/hosts, or localhost there',
    'repo/edge.yml: server.ssl: its program serves HTTPS: write appProtocol: https',
    'volumes: /repo is ./repo here: have the program read that',
    'guessed: port 8080 (the default of spring-boot:run)'
  ])
})

t.test('a filter of the root script says nothing of programs that are no packages', async t => {
  const {template} = await imported(t, {
    'package.json': JSON.stringify({scripts: {dev: 'turbo dev --filter=web'}, workspaces: ['apps/*']}),
    apps: {web: node('x.listen(1)', {name: 'web'}), docs: node('x.listen(2)', {name: 'docs'})},
    api: {'go.mod': 'module api', 'main.go': 'package main'}
  })
  t.match(
    template.apps.map(({appID, profiles}) => [appID, profiles]),
    [
      ['api', undefined],
      ['web', undefined],
      ['docs', ['others']]
    ]
  )
})

t.test('programs that a list of run-pty starts, and a task that no script starts', async t => {
  const list = [
    {cwd: 'web', command: ['npm', 'run', 'dev'], title: 'Web'},
    {command: ['npm', 'run', 'start:api'], title: 'API'}
  ]
  const scripts = {start: 'run-pty run-pty.json', 'start:api': 'api/run.sh'}
  const {template, notes} = await imported(t, {
    'package.json': JSON.stringify({scripts}),
    'run-pty.json': JSON.stringify(list),
    api: {'run.sh': '#!/bin/sh\nuvicorn api.main:app --port 8001\n'},
    web: node('x.listen(8080)'),
    job: {'requirements.txt': '', 'main.py': 'def count(): pass\n\nif __name__ == "__main__":\n  count()\n'}
  })
  t.match(
    template.apps.map(({appID, port, appPort, profiles}) => [appID, port ?? appPort, profiles]),
    [
      ['web', 8080, undefined],
      ['api', undefined, undefined],
      ['job', undefined, undefined]
    ]
  )
  t.ok(notes.includes('main.py may end at once: if it is a task, write profiles'), notes.join('\n'))
})

t.test('process-compose: variables of templates in commands, and samples of other env files', async t => {
  const {template, notes} = await imported(t, {
    'process-compose.yaml':
      'vars: {HOST: "::"}\nprocesses: {api: {vars: {PORT: 8001}, command: "uvicorn a:b --host {{.HOST}} --port {{ .PORT }}"}, old: {command: "fuser -k 80/tcp; node x.js"}}',
    'dev.env.example': ''
  })
  t.match(template.apps[0], {port: 8001, command: ['uvicorn', 'a:b', '--host', '::', '--port', '8001']})
  t.match(notes, ['dev.env is not there: copy dev.env.example', 'its command ends what listens at its port'])
})

t.test('a prefix of variables for browsers is no app, and a program that asks on a terminal is a tool', async t => {
  const {template} = await imported(t, {
    '.env': 'NEXT_PUBLIC_API_URL=http://localhost:3333\n',
    api: node('x.listen(process.env.PORT || 3000)'),
    public: node('x.listen(9090)'),
    admin: node("import inquirer from 'inquirer'")
  })
  t.match(template.apps, [{profiles: ['tools']}, {appID: 'api', port: 3333}, {appID: 'public', port: 9090}])
})

t.test('turbo: tasks that one package alone needs first', async t => {
  const {notes} = await imported(t, {
    'package.json': '{"scripts": {"dev": "turbo dev"}, "workspaces": ["apps/*"]}',
    'turbo.json': '{"tasks": {"@a/web#dev": {"dependsOn": ["@a/db#generate", "^build"]}}}',
    apps: {web: node('x.listen(3000)', {name: '@a/web'})}
  })
  t.ok(notes.includes('turbo runs generate, build first: npx turbo run generate build'), notes.join('\n'))
  const all = {
    'package.json': '{"scripts": {"dev": "pnpm -r --parallel testing"}}',
    'pnpm-workspace.yaml': 'packages: [a]'
  }
  const {notes: others} = await imported(t, {...all, a: node('x.listen(3000)')})
  t.ok(others.includes('the root script runs testing of packages: here each runs dev or start'), others.join('\n'))
})

t.test('hosts of containers in settings of Spring, and volumes outside of the folder of an image', async t => {
  const settings = 'uri: http://config:8888\nzone: http://u:p@discovery:${server.port}/\nown: http://localhost:80\n'
  const api = {'pom.xml': 'spring-boot-maven-plugin', src: {main: {resources: {'application.yml': settings}}}}
  t.ok(
    (await imported(t, {api}, '.', 'folder')).notes.includes(
      'its settings call config discovery, here localhost: write 127.0.0.1 config discovery into /etc/hosts'
    )
  )
  const {notes} = await imported(t, {
    'compose.yaml': 'services: {web: {build: web, volumes: ["cdn:/var/cdn", "logs:/app/logs"]}}',
    web: {Dockerfile: CMD, 'x.js': ''}
  })
  t.strictSame(notes, ['volumes: /var/cdn is in a volume: have the program write to a folder here'])
})
