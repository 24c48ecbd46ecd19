import t, {type Test} from 'tap'
import {imported, type Files} from '../read.ts'
import {SMALL_PROJECTS} from '../../../../../test/rig/small-projects.ts'

/** What the one project of a folder starts, and where; or why it starts nothing. */
async function started(test: Test, files: Files): Promise<string> {
  const other = {'go.mod': 'module other', 'main.go': 'package main'}
  const {template, notes} = await imported(test, {x: files, other}, '.', 'folder')
  const app = template.apps.find(({appDirPath}) => String(appDirPath) !== './other')
  if (app === undefined) return notes.find(note => note.startsWith('x')) ?? ''
  const port = ['port', 'appPort'].flatMap(key => (app[key] === undefined ? [] : `${key} ${Number(app[key])}`))
  return [(app['command'] as readonly string[]).join(' '), ...port].join(', ')
}

const WEB = '<Project Sdk="Microsoft.NET.Sdk.Web">'
const SPRING = {'App.java': '@SpringBootApplication class App {}'}
const launched = (url: string): Files => ({
  Properties: {'launchSettings.json': JSON.stringify({profiles: {http: {commandName: 'Project', applicationUrl: url}}})}
})

const TABLES: Readonly<Record<string, readonly (readonly [expected: string, files: Files])[]>> = {
  Ruby: [
    ['bin/rails server, port 3000', {Gemfile: '', bin: {rails: ''}, config: {'application.rb': ''}}],
    ['bin/rails server, port 3000', {Gemfile: '', 'config.ru': '', bin: {rails: ''}}],
    ['sh -c exec bundle exec rackup -p $PORT, port 9292', {Gemfile: '', 'config.ru': ''}],
    ['bundle exec ruby app.rb, port 4567', {Gemfile: '', 'app.rb': "require 'sinatra'"}],
    ['bundle exec ruby server.rb, port 8081', {Gemfile: '', 'server.rb': "require 'sinatra'\nset :port, 8081"}],
    ['x: left out, as it has neither bin/rails, config.ru nor an app of Sinatra', {Gemfile: '', 'app.rb': 'puts 1'}]
  ],
  PHP: [
    ['sh -c exec php artisan serve --port=$PORT, port 8000', {artisan: '', 'composer.json': '{}'}],
    ['sh -c exec php -S localhost:$PORT -t public, port 8000', {'composer.json': '{}', public: {'index.php': ''}}],
    ['x: left out, as it has neither artisan nor public/index.php', {'composer.json': '{}'}]
  ],
  Elixir: [
    ['mix phx.server, appPort 4000', {'mix.exs': '{:phoenix, "~> 1.7"}'}],
    [
      'mix phx.server, port 4001',
      {
        'mix.exs': '{:phoenix, "~> 1.7"}',
        config: {'dev.exs': 'http: [port: String.to_integer(System.get_env("PORT") || "4001")]'}
      }
    ],
    ['mix run --no-halt', {'mix.exs': 'mod: {Shop.Application, []}'}],
    ['x: left out, as its mix.exs starts no application', {'mix.exs': 'def project'}]
  ],
  Maven: [
    ['sh -c SERVER_PORT=$PORT exec mvn -q spring-boot:run, port 8080', {'pom.xml': 'spring-boot-maven-plugin'}],
    ['sh -c QUARKUS_HTTP_PORT=$PORT exec sh ./mvnw -q quarkus:dev, port 8080', {mvnw: '', 'pom.xml': 'io.quarkus'}],
    [
      'sh -c SERVER_PORT=$PORT exec mvn -q spring-boot:run, port 9090',
      {
        'pom.xml': 'spring-boot-maven-plugin',
        src: {main: {resources: {'application.properties': 'server.port=${PORT:9090}'}}}
      }
    ],
    [
      'sh -c SERVER_PORT=$PORT exec mvn -q spring-boot:run, port 9091',
      {
        'pom.xml': 'spring-boot-maven-plugin',
        src: {
          main: {
            resources: {
              'application.yml': 'management:\n  server.port: 9000\nserver:\n  port: 9091\n---\nserver.port: 80\n'
            }
          }
        }
      }
    ],
    [
      'sh -c QUARKUS_HTTP_PORT=$PORT exec mvn -q quarkus:dev, port 8083',
      {'pom.xml': 'io.quarkus', src: {main: {resources: {'application.properties': 'quarkus.http.port=8083\n'}}}}
    ],
    [
      'sh -c QUARKUS_HTTP_PORT=$PORT exec mvn -q quarkus:dev, port 8084',
      {
        'pom.xml': 'io.quarkus',
        src: {main: {resources: {'application.yml': 'quarkus:\n  log:\n    port: 1\n  http:\n    port: 8084\n'}}}
      }
    ],
    [
      'sh -c QUARKUS_HTTP_PORT=$PORT exec mvn -q quarkus:dev, port 8181',
      {
        'pom.xml': 'io.quarkus',
        src: {main: {resources: {'application.properties': 'quarkus.http.port=8080\n%dev.quarkus.http.port=8181\n'}}}
      }
    ],
    ['x: left out, as its pom.xml has neither Spring Boot nor Quarkus', {'pom.xml': '<project>'}]
  ],
  Gradle: [
    [
      'sh -c SERVER_PORT=$PORT exec sh ./gradlew -q bootRun, port 8080',
      {gradlew: '', 'build.gradle': "id 'org.springframework.boot'"}
    ],
    ['gradle -q run', {'build.gradle.kts': 'plugins { application }'}],
    ['gradle -q run', {'build.gradle': "plugins { id 'io.micronaut.application' }"}],
    [
      'sh -c SERVER_PORT=$PORT exec gradle -q bootRun, port 8080',
      {'build.gradle': "id 'org.springframework.boot'", src: {jvmMain: SPRING}}
    ],
    [
      'sh -c SERVER_PORT=$PORT exec sh ../gradlew -q :api:bootRun, port 8080',
      {gradlew: '', 'settings.gradle': "include 'api'", api: {'build.gradle': "id 'org.springframework.boot'"}}
    ],
    ['x: left out, as its build file has neither Spring Boot nor the plugin application', {'build.gradle': ''}]
  ],
  '.NET': [
    [
      'sh -c exec dotnet run --urls http://localhost:$PORT, port 5100',
      {'x.csproj': WEB, ...launched('http://localhost:5100')}
    ],
    [
      'sh -c exec dotnet run --urls http://localhost:$PORT, port 5100',
      {'x.fsproj': WEB, ...launched('https://localhost:7100;http://*:5100')}
    ],
    ['sh -c exec dotnet run --urls http://localhost:$PORT', {'x.csproj': WEB, ...launched('https://localhost:7100')}],
    ['dotnet run', {'x.csproj': '<OutputType>Exe</OutputType>'}],
    [
      'sh -c exec dotnet run --urls http://localhost:$PORT, port 8080',
      {'x.csproj': WEB, Dockerfile: 'FROM x\nEXPOSE 8080'}
    ],
    ['x: left out, as its project makes no program', {'x.csproj': '<Project Sdk="Microsoft.NET.Sdk">'}],
    ['x: left out, as its project makes no program', {'x.csproj': `${WEB}<IsTestProject>true</IsTestProject>`}]
  ],
  Rust: [
    // cargo run refuses to choose one of several
    [
      'cargo run --bin shop-api',
      {'Cargo.toml': '[package]\nname = "shop-api"\n', src: {'main.rs': '', bin: {'seed.rs': ''}}}
    ],
    [
      'cargo run',
      {'Cargo.toml': '[package]\nname = "x"\ndefault-run = "x"\n', src: {'main.rs': '', bin: {'seed.rs': ''}}}
    ],
    ['cargo run', {'Cargo.toml': '[package]\nname = "x"\n', src: {'main.rs': ''}}]
  ],
  Go: [
    [
      'go run ., appPort 8084',
      {
        'go.mod': '',
        'main.go':
          'package main\nvar addr = flag.String("addr", ":8084", "where it is")\nfunc main() { api.New(client.New(), *addr).Wait() }'
      }
    ],
    [
      'go run .',
      {'go.mod': '', 'main.go': 'package main\nfunc main() { client.Dial(flag.String("at", "localhost:8084", "")) }'}
    ]
  ],
  Python: [
    [
      'python3 -m uvicorn main:app, port 8000',
      {
        'requirements.txt': '',
        'main.py': 'def create_app() -> FastAPI:\n    return FastAPI()\n\napp: FastAPI = create_app()\n'
      }
    ],
    [
      'python3 -m flask --app main run, port 5000',
      {'requirements.txt': '', 'main.py': 'app = Flask(__name__)\nother = create_app()\n'}
    ],
    [
      'x: left out, as it has no manage.py, main.py, app.py or server.py that serves',
      {'requirements.txt': '', 'main.py': 'import db\ndb.open()\ndef on_sign_up(event): db.add(event)\n'}
    ],
    ['poetry run python main.py', {'pyproject.toml': '', 'poetry.lock': '', 'main.py': 'job()\n'}],
    ['pipenv run python main.py', {Pipfile: '', 'main.py': 'job()\n'}],
    [
      'python3 -m uvicorn x.main:app, port 8000',
      {'main.py': 'from fastapi import FastAPI\nfrom .routes import all\napp = FastAPI()\n'}
    ],
    [
      'python3 -m flask --app x.app run, port 5000',
      {'__init__.py': '', 'app.py': 'from x.db import open\napp = Flask(__name__)\n'}
    ],
    [
      'python3 -m app.main, port 5001',
      {'requirements.txt': '', app: {'main.py': 'from app.db import x\napp = Flask(__name__)\napp.run(port=5001)\n'}}
    ],
    ['python3 -m src.main', {'requirements.txt': '', src: {'main.py': 'from .db import x\nx.serve()\n'}}],
    [
      'python3 -m uvicorn x.main:app, port 8000',
      {'__init__.py': '', 'main.py': 'from x import models\napp = FastAPI()\n'}
    ],
    [
      'x/.venv/bin/python -m x.main',
      {'requirements.txt': '', '.venv': {bin: {python: ''}}, 'main.py': 'from . import jobs\njobs.run()\n'}
    ],
    ['python3 -m x.main', {'requirements.txt': '', 'main.py': 'from .jobs import run\nrun()\n'}]
  ]
}

for (const [language, table] of Object.entries(TABLES))
  t.test(`${language}: what a project starts, and where it listens`, async t => {
    for (const [expected, files] of table)
      t.equal((await started(t, files)).replace(/: if it is to run.*/, ''), expected)
  })

t.test('small projects as generators write them start where their files say', async t => {
  for (const [name, {files, starts}] of Object.entries(SMALL_PROJECTS)) t.equal(await started(t, files), starts, name)
})

const laravel = (): Files => ({artisan: '', 'composer.json': '{}'})
const spring = (): Files => ({'pom.xml': 'spring-boot-maven-plugin'})
const rack = (): Files => ({Gemfile: '', 'config.ru': ''})

t.test('a Python program is started in the folder of its project', async t => {
  const app = {'main.py': 'app = FastAPI()', 'pyproject.toml': '', 'telemetry.py': ''}
  const {template} = await imported(t, {'README.md': '', app})
  t.match(template.apps, [{appDirPath: './app', port: 8000, command: 'python3 -m uvicorn main:app'.split(' ')}])
  t.equal(template.apps.length, 1)
})

t.test('two programs of these languages on one port: the second gets another one by its flag or variable', async t => {
  const {template} = await imported(
    t,
    {a: laravel(), b: laravel(), c: spring(), d: spring(), e: rack(), f: rack()},
    '.',
    'folder'
  )
  const [, b, , d, , f] = template.apps
  t.match(b, {port: 8001, command: ['sh', '-c', 'exec php artisan serve --port=$PORT']})
  t.match(d, {port: 8081, command: ['sh', '-c', 'SERVER_PORT=$PORT exec mvn -q spring-boot:run']})
  t.match(f, {port: 9293, command: ['sh', '-c', 'exec bundle exec rackup -p $PORT']})
})

t.test('bin/dev: the first port that it gives foreman', async t => {
  for (const [script, port] of [
    ['export PORT="${PORT:-3000}"\nexec foreman start -f Procfile.dev', 3000],
    ['PORT=${PORT:-4000} exec foreman start -f Procfile.dev', 4000],
    ['export PORT=4100\nforeman start', 4100],
    ['exec foreman start -f Procfile.dev', 5000]
  ] as const) {
    const {template} = await imported(t, {'Procfile.dev': 'web: bin/rails server\ncss: watch', bin: {dev: script}})
    t.match(template.apps[0], {port}, script)
  }
})

const source = (text: string): Files => ({main: {java: {'A.java': text}}})

t.test('modules of Gradle with Spring’s classes, or of Android, and no program', async t => {
  const spring = 'dependencies { compile "org.springframework.boot:spring-boot-starter-data-jpa" }'
  const {template} = await imported(t, {
    jpa: {'build.gradle': spring, src: {main: {resources: {'orm.xml': ''}}}},
    e2e_tests: {'build.gradle': spring, src: {test: {java: {'X.java': 'class X {}'}}}},
    phone: {'build.gradle': "plugins { id 'com.android.application' }"},
    tool: {'build.gradle.kts': 'plugins { application }'}
  })
  t.match(template.apps, [{appID: 'tool'}])
  t.equal(template.apps.length, 1)
})

t.test('Gradle: modules that only use Spring, and a root of modules, start nothing', async t => {
  const plugin = 'buildscript { dependencies { classpath "org.springframework.boot:spring-boot-gradle-plugin:2" } }'
  const spring = 'dependencies { compile "org.springframework.boot:spring-boot-starter:2" }'
  const {template, notes} = await imported(
    t,
    {
      'settings.gradle': 'include "lib"\ninclude "web"',
      'build.gradle': plugin,
      lib: {'build.gradle': spring, src: source('class A {}')},
      web: {'build.gradle': spring, src: source('@SpringBootApplication class A {}')}
    },
    '.',
    'folder'
  )
  t.match(template.apps, [{appID: 'web', command: ['sh', '-c', 'SERVER_PORT=$PORT exec gradle -q :web:bootRun']}])
  t.equal(template.apps.length, 1)
  t.ok(
    notes.some(note => note.startsWith('lib: left out, as none of its classes starts Spring')),
    notes.join('\n')
  )
})

t.test('a port of Spring in one line of YAML, uv of a workspace, go.mod far above, scripts for a browser', async t => {
  const {template, notes} = await imported(
    t,
    {
      'uv.lock': '',
      'go.mod': 'module x',
      config: {
        'pom.xml': 'spring-boot-maven-plugin',
        src: {main: {resources: {'application.yml': 'server.port: 8888\nspring:\n  x: 1'}}}
      },
      backend: {'pyproject.toml': '', 'main.py': 'app = FastAPI()'},
      a: {b: {c: {d: {'main.go': 'package main'}}}},
      js: {'app.js': 'new MutationObserver(f).observe(document)'}
    },
    '.',
    'folder'
  )
  t.match(
    template.apps.map(({appID, command, port}) => [appID, (command as string[]).slice(0, 3).join(' '), port]),
    [
      ['d', 'go run .', undefined],
      ['backend', 'uv run python', 8000],
      ['config', 'sh -c SERVER_PORT=$PORT exec mvn -q spring-boot:run', 8888]
    ]
  )
  t.equal(template.apps.length, 3)
  t.notOk(notes.some(note => note.includes('go.mod')))
})

t.test('a program that only a Dockerfile names has the variables of its image', async t => {
  const {template} = await imported(
    t,
    {
      api: {
        'requirements.txt': 'flask',
        'hello.py': '',
        Dockerfile: 'FROM python\nENV FLASK_APP hello.py\nENV FLASK_RUN_PORT=8000 PORT=1\nCMD ["flask", "run"]\n'
      },
      plain: {
        'requirements.txt': '',
        'a.py': 'run(os.environ["PORT"])',
        Dockerfile: 'FROM python\nENV PORT=7000\nCMD ["python", "a.py"]\n'
      }
    },
    '.',
    'folder'
  )
  t.match(template.apps, [
    {port: 8000, command: ['flask', 'run'], env: {FLASK_APP: 'hello.py', FLASK_RUN_PORT: '8000'}},
    {port: 7000}
  ])
  t.notOk('env' in (template.apps[1] ?? {}), 'PORT is what the run gives it')
})
