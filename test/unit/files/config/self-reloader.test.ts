import {join} from 'node:path'
import t from 'tap'
import {selfReloader} from '../../../../src/files/config/implied-watch.ts'

t.test('commands that reload themselves are recognised, also behind launchers and scripts', async t => {
  const folder = t.testdir({
    'package.json': JSON.stringify({
      scripts: {
        dev: 'vite --host',
        start: 'npm run dev',
        build: 'vite build',
        serve: 'tsc && node dist.js',
        loop: 'npm run loop',
        'with-env': 'dotenv -e ../.env --'
      }
    })
  })
  const yes: readonly (readonly [string, string])[] = [
    ['vite', 'vite'],
    ['node_modules/.bin/vite --port 3', 'vite'],
    ['npx vite', 'vite'],
    ['npm run dev', 'vite'],
    ['npm start', 'vite'],
    ['npm run dev -- --port 3', 'vite'],
    ['yarn dev', 'vite'],
    ['pnpm exec vite', 'vite'],
    ['pnpm with-env next dev', 'next dev'],
    ['next dev', 'next dev'],
    ['uvicorn main:app --reload', 'uvicorn --reload'],
    ['python3 -m uvicorn main:app --reload', 'uvicorn --reload'],
    ['poetry run uvicorn main:app --reload', 'uvicorn --reload'],
    ['python manage.py runserver', 'manage.py runserver'],
    ['node --watch app.js', 'node --watch'],
    ['node --watch-path=src app.js', 'node --watch-path'],
    ['nodemon app.js', 'nodemon'],
    ['npx tsx watch app.ts', 'tsx watch'],
    ['env A=1 nodemon app.js', 'nodemon'],
    ['A=1 nodemon app.js', 'nodemon'],
    ['air', 'air'],
    ['dotnet watch run', 'dotnet watch']
  ]
  for (const [command, found] of yes) t.equal(selfReloader(command.split(' '), folder), found, command)
  t.equal(selfReloader(['sh', '-c', 'npm run build && exec npm run dev'], folder), 'vite')
  for (const command of [
    'node app.js',
    'node app.js --watch',
    'vite build',
    'npm run build',
    'npm run serve',
    'npm run loop',
    'npm run nothing',
    'next start',
    'python manage.py runserver --noreload 8000',
    'flask --debug run --no-reload',
    'fastapi dev --no-reload',
    'ng serve --watch=false',
    'tsx app.ts',
    'uvicorn main:app',
    'go run .',
    ''
  ])
    t.equal(selfReloader(command.split(' ').filter(Boolean), folder), '', command)
})

t.test('scripts of other packages of a workspace are looked up where they are', async t => {
  const web = JSON.stringify({name: '@shop/web', scripts: {dev: 'vite', start: 'npm run dev', serve: 'node app.js'}})
  const both = t.testdir({
    npm: {
      'package.json': JSON.stringify({
        workspaces: ['packages/*'],
        scripts: {dev: 'node all.js', web: 'npm -w web run dev'}
      }),
      packages: {web: {'package.json': web}}
    },
    pnpm: {'pnpm-workspace.yaml': "packages:\n  - 'apps/*' # all\n", apps: {web: {'package.json': web}}}
  })
  const [folder, pnpm] = [join(both, 'npm'), join(both, 'pnpm')]
  for (const command of [
    'npm run dev -w web',
    'npm -w web run dev',
    'npm --workspace=@shop/web run dev',
    'npm run dev --workspace packages/web',
    'npm --prefix packages/web run dev',
    'npm --prefix packages/web start',
    'npm run web',
    'pnpm -C packages/web dev',
    'pnpm --filter web dev',
    'yarn workspace @shop/web dev',
    'yarn --cwd packages/web dev'
  ])
    t.equal(selfReloader(command.split(' '), folder), 'vite', command)
  t.equal(selfReloader(['pnpm', '--filter', '@shop/web...', 'dev'], pnpm), 'vite')
  for (const command of ['npm run dev', 'npm -w web run serve', 'npm -w nothing run dev', 'yarn workspace web serve'])
    t.equal(selfReloader(command.split(' '), folder), '', command)
})

const scripts = (dev: string): string => JSON.stringify({scripts: {dev}})

t.test('a script of a shell may go to the folder of a package first', async t => {
  const folder = t.testdir({
    web: {'package.json': scripts('cd ui && npm run dev'), ui: {'package.json': scripts('vite')}}
  })
  t.equal(selfReloader(['sh', '-c', 'cd web && exec npm run dev'], folder), 'vite')
  t.equal(selfReloader(['sh', '-c', `cd ${folder}; cd ./web/ui; npm run dev`], '/'), 'vite')
  t.equal(selfReloader(['sh', '-c', 'cd && npm run dev'], join(folder, 'web/ui')), '', 'the home is elsewhere')
})

t.test('where a shell goes may be quoted, or known to it alone: then it is taken for the app’s folder', async t => {
  const folder = t.testdir({'package.json': scripts('vite'), 'my web': {'package.json': scripts('next dev')}})
  for (const to of ['"my web"', "'my web'", '-- "my web"', '-P "./my web" >/dev/null'])
    t.equal(selfReloader(['sh', '-c', `cd ${to} && npm run dev`], folder), 'next dev', to)
  for (const to of ['"$(dirname "$0")"', '"$APP_DIR"', '$PWD', '${HERE}', '~+', '-'])
    t.equal(selfReloader(['sh', '-c', `cd ${to} && npm run dev`], folder), 'vite', to)
})

t.test('scripts may quote, redirect and comment as shells have it', async t => {
  const folder = t.testdir({'package.json': scripts('NODE_OPTIONS="--trace-warnings --inspect" vite # or next dev')})
  const found = (script: string): string => selfReloader(['sh', '-c', script], folder)
  t.equal(found('2>&1 npm run dev'), 'vite')
  t.equal(found('"$VENV/bin/uvicorn" main:app --reload 2>&1 | tee log'), 'uvicorn --reload')
  t.equal(found('bash -c "node --watch server.js"'), 'node --watch')
  t.equal(found('if true; then vite; fi'), 'vite')
  for (const script of ['node a.js # vite; vite', "echo 'a; vite'", 'cat <<E >x\nvite\nE', 'A="b; vite" node a.js'])
    t.equal(found(script), '', script)
})

t.test('a list of packages may have any number of blank lines', async t => {
  const web = JSON.stringify({name: 'web', scripts: {dev: 'vite'}})
  const list = `packages:\n${'\n'.repeat(200_000)}  - "apps/*"\n`
  const folder = t.testdir({'pnpm-workspace.yaml': list, apps: {site: {'package.json': web}}})
  t.equal(selfReloader(['pnpm', '--filter', 'web', 'dev'], folder), 'vite')
})

t.test('a package.json may be wrong, and a script may call itself', async t => {
  for (const workspaces of ['packages/*', null, 5, {packages: 'x'}, {}, [7]]) {
    const folder = t.testdir({'package.json': JSON.stringify({workspaces})})
    t.equal(selfReloader(['npm', '-w', 'web', 'run', 'dev'], folder), '', JSON.stringify(workspaces))
  }
  const dev = `${Array.from({length: 40}, () => 'npm run dev').join(' & ')} & vite`
  t.equal(selfReloader(['npm', 'run', 'dev'], t.testdir({'package.json': JSON.stringify({scripts: {dev}})})), 'vite')
})

t.test('values of the flags of launchers and of node are no programs', async t => {
  const folder = t.testdir({'package.json': JSON.stringify({scripts: {dev: 'vite'}})})
  for (const [command, found] of [
    ['corepack pnpm dev', 'vite'],
    ['turbo dev', 'turbo dev'],
    ['npx turbo run dev', 'turbo dev'],
    ['node --import tsx --watch a.ts', 'node --watch'],
    ['node -r dotenv/config --watch a.js', 'node --watch'],
    ['node --env-file .env --watch a.js', 'node --watch'],
    ['node --import tsx a.ts --watch', ''],
    ['uv run --extra dev uvicorn a:app --reload', 'uvicorn --reload'],
    ['uv run --env-file .env fastapi dev', 'fastapi dev'],
    ['uv run fastapi run', ''],
    ['python -X dev -m uvicorn a:app --reload', 'uvicorn --reload'],
    ['python -u app.py', ''],
    ['dotenv -e .env -- vite', 'vite'],
    ['dotenv -e .env vite', 'vite'],
    ['doppler run -- vite', 'vite'],
    ['op run --env-file .env -- vite', 'vite'],
    ['op run -- node app.js', ''],
    ['wrangler dev', 'wrangler dev'],
    ['quarkus dev', 'quarkus dev'],
    ['./mvnw quarkus:dev', 'mvnw quarkus:dev'],
    ['streamlit run app.py', 'streamlit run'],
    ['rsbuild dev', 'rsbuild dev'],
    ['parcel index.html', 'parcel'],
    ['parcel build index.html', ''],
    ['storybook dev -p 6006', 'storybook dev'],
    ['hugo server', 'hugo server'],
    ['expo start', 'expo start'],
    ['php artisan serve', 'php serve']
  ] as const)
    t.equal(selfReloader(command.split(' '), folder), found, command)
})

t.test('very many variables before a program take no time', async t => {
  const from = process.cpuUsage()
  t.equal(selfReloader([...Array<string>(20_000).fill('A=1'), 'vite'], '/'), 'vite')
  t.equal(selfReloader(['A=1', 'B=2'], '/'), '', 'variables alone start nothing')
  t.ok(process.cpuUsage(from).user < 2e6)
})
