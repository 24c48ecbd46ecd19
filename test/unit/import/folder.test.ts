import t from 'tap'
import {imported, refusal, type Files} from './read.ts'

/** Id, folder, port and command of each app, in short. */
async function apps(test: Parameters<typeof imported>[0], files: Files): Promise<readonly string[]> {
  const {template} = await imported(test, files)
  return template.apps.map(
    ({appID, appDirPath, appPort = '-', command}) =>
      `${String(appID)} ${String(appDirPath)} ${String(appPort)} ${(command as readonly string[]).join(' ')}`
  )
}

const pkg = (scripts: Readonly<Record<string, string>>, more: object = {}): string => JSON.stringify({scripts, ...more})

t.test('one app for each language, by the files of its project', async t => {
  const table: readonly (readonly [string, Files])[] = [
    ['x ./x 5173 npm run dev', {'package.json': pkg({start: 'node .', dev: 'vite'})}],
    ['x ./x - pnpm run start', {'package.json': pkg({start: 'node .'}), 'pnpm-lock.yaml': ''}],
    ['x ./x 3000 yarn run dev', {'package.json': pkg({dev: 'next dev'}), 'yarn.lock': ''}],
    ['x ./x 4100 node server.js', {'package.json': '{"main": "server.js"}', 'server.js': 'x.listen(4100)'}],
    ['x ./x 8000 python3 manage.py runserver', {'manage.py': ''}],
    [
      'x ./x 8000 .venv/bin/python -m uvicorn app.main:api --port 8000',
      {app: {'main.py': 'api = FastAPI()'}, '.venv': {bin: {python: ''}}}
    ],
    ['x ./x 5000 uv run python -m flask --app app run --port 5000', {'app.py': 'app = Flask(__name__)', 'uv.lock': ''}],
    ['x ./x 7000 python3 app.py', {'app.py': 'app = Flask(__name__)\napp.run(host="x", port=7000)'}],
    ['x ./x 8081 go run .', {'go.mod': 'module x', 'main.go': 'package main\nhttp.ListenAndServe(":8081", nil)'}],
    ['api ./x - go run ./cmd/api', {'go.mod': 'module x', cmd: {api: {'main.go': 'package main'}}}],
    ['x ./x 8080 ./mvnw -q spring-boot:run', {'pom.xml': '<artifactId>spring-boot-starter-web</artifactId>', mvnw: ''}],
    ['x ./x 8080 gradle -q bootRun', {'build.gradle.kts': 'id("org.springframework.boot")'}],
    ['x ./x - cargo run', {'Cargo.toml': '', src: {'main.rs': ''}}],
    [
      'x ./x 5123 dotnet run',
      {
        'x.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web">',
        Properties: {'launchSettings.json': '"applicationUrl": "https://localhost:7000;http://localhost:5123"'}
      }
    ]
  ]
  for (const [expected, files] of table) t.strictSame(await apps(t, {x: files}), [expected], expected)
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
  t.strictSame(await apps(t, files), ['api ./apps/api - npm run start:dev', 'web ./apps/web 3001 npm run dev'])
  const {notes} = await imported(t, files)
  t.match(notes, [/scripts of the root package\.json/, /^appPort: the port on which it listens is not known/])
})

t.test('a folder with nothing in it is refused, with what was looked for', async t => {
  t.match(await refusal(t, {}), {message: 'found nothing to import in .', explanation: /package\.json, go\.mod/})
  t.match(await refusal(t, {x: {'package.json': 'not JSON'}, y: {'package.json': '[]'}}), {message: /found nothing/})
})

t.test('the file that is meant: by name, by --from, the best of a folder', async t => {
  const files = {
    Procfile: 'web: node a.js',
    'compose.yaml': 'services: {a: {image: x}}',
    'package.json': pkg({dev: 'vite'})
  }
  const from = async (path?: string, kind?: string): Promise<string> =>
    /from (.*)\.\n/.exec((await imported(t, files, path, kind)).text)?.[1] ?? ''
  t.equal(await from(), 'compose.yaml')
  t.equal(await from('Procfile'), 'Procfile')
  t.equal(await from('.', 'procfile'), 'Procfile')
  t.equal(await from('.', 'folder'), 'the files of shop/')
  t.match(await refusal(t, files, '.', 'process-compose'), {
    message: '. contains no process-compose.yaml, process-compose.yml'
  })
  t.match(await refusal(t, files, '.', 'compos'), {
    message: /--from compos is unknown/,
    explanation: 'Did you mean compose?'
  })
  t.match(await refusal(t, files, 'none'), {message: 'there is no file or folder none'})
  t.match(await refusal(t, files, 'package.json'), {message: 'cannot tell what package.json is'})
  t.match(await refusal(t, {Procfile: 'a: \0'}, 'Procfile'), {message: /it contains the character NUL/})
})
