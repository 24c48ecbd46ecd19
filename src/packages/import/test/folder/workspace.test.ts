import t from 'tap'
import {imported, type Files} from '../read.ts'

const pkg = (scripts: Readonly<Record<string, string>>, more: object = {}): string => JSON.stringify({scripts, ...more})

async function commands(test: Parameters<typeof imported>[0], files: Files): Promise<readonly string[]> {
  const {template} = await imported(test, files)
  return template.apps.map(
    ({appID, appDirPath, port, appPort = port ?? '-', command}) =>
      `${String(appID)} ${String(appDirPath)} ${String(appPort)} ${(command as readonly string[]).join(' ')}`
  )
}

t.test('packages are where the workspace says; those that only build are marks, not apps', async t => {
  const files = {
    'package.json': pkg({dev: 'pnpm -r dev'}),
    'pnpm-workspace.yaml': 'packages: ["products/*/*", "!products/*/old"]\n',
    products: {
      a: {
        web: {'package.json': pkg({dev: 'vite'}), 'vite.config.ts': 'server: {port: 4000}'},
        old: {'package.json': pkg({dev: 'x'})}
      },
      b: {
        lib: {'package.json': pkg({dev: 'tsc --watch', build: 'tsc'})},
        made: {'package.json': pkg({build: 'tsc'}, {exports: {'.': {import: './dist/index.js'}}})},
        source: {'package.json': pkg({build: 'tsc'}, {main: './index.js'}), 'index.js': ''},
        both: {'package.json': pkg({dev: 'tsup src --watch --onSuccess "node dist/index.js"'})},
        built: {'package.json': pkg({dev: 'tsc -w', start: 'node dist/main.js'})}
      }
    },
    services: {api: {'go.mod': 'module api', 'main.go': 'package main // ":8081"'}}
  }
  t.strictSame(await commands(t, files), [
    'old ./products/a/old - pnpm run dev',
    'web ./products/a/web 4000 pnpm run dev',
    'both ./products/b/both - pnpm run dev',
    'built ./products/b/built - pnpm run start',
    'api ./services/api 8081 go run .'
  ])
  const {notes} = await imported(t, files)
  t.match(
    notes.filter(note => !note.includes('where they listen')),
    [
      /scripts of package.json/,
      /^products\/b\/lib: left out, as its script dev only builds it: apps that import it need pnpm run build there once/,
      /^products\/b\/made: left out, as its script build only builds it: apps that import it need pnpm run build there/,
      /^products\/b\/source: left out, as its package.json has no script dev/,
      'it starts dist/main.js, which is not there: pnpm run build makes it'
    ]
  )
})

const serve = (executor: string, options: object = {}): string =>
  JSON.stringify({projectType: 'application', targets: {serve: {executor, options}}})

t.test('Nx: projects with a target that serves, and those whose target a plugin makes', async t => {
  const files = {
    'nx.json': '{"plugins": ["@nx/eslint/plugin", "@nx/rsbuild", "@nx/next/plugin"]}',
    'package.json': pkg({start: 'nx serve'}),
    'package-lock.json': '',
    apps: {
      api: {'project.json': serve('@nx/js:node'), src: {'main.ts': 'listen(process.env.PORT || 3333)'}},
      shop: {'project.json': serve('@nx/angular:dev-server')},
      admin: {'project.json': serve('@nx/angular:dev-server')},
      site: {'project.json': '{"name": "the-site"}', 'next.config.js': ''},
      cart: {'project.json': '{}', 'rsbuild.config.ts': 'server: {port: 4300}'},
      py: {
        'project.json': JSON.stringify({
          targets: {serve: {executor: 'nx:run-commands', options: {command: 'uvicorn a:b --port 8010'}}}
        })
      },
      'shop-e2e': {'project.json': serve('@nx/cypress')}
    },
    libs: {ui: {'project.json': '{"projectType": "library", "targets": {"serve": {}}}'}}
  }
  t.strictSame(await commands(t, files), [
    'admin . 4200 sh -c exec npx nx serve admin --port=$PORT',
    'api . 3333 npx nx serve api',
    'cart . 4300 sh -c exec npx nx dev cart --port=$PORT',
    'py . 8010 npx nx serve py',
    'shop . 4201 sh -c exec npx nx serve shop --port=$PORT',
    'the-site . 3000 sh -c exec npx nx dev the-site --port=$PORT'
  ])
})

t.test('an app called docs, and a script that passes its words on', async t => {
  const files = {
    'package.json': pkg({dev: 'turbo run dev'}, {workspaces: ['apps/*', 'packages/*']}),
    docs: {'package.json': pkg({dev: 'vite'})},
    apps: {
      docs: {'package.json': pkg({dev: 'next dev -p 3001'})},
      web: {'package.json': pkg({dev: 'npm run serve -- --port 4000', serve: 'vite'})},
      site: {'package.json': pkg({dev: 'gatsby develop'})}
    },
    packages: {api: {'package.json': pkg({dev: 'pnpm build --watch', build: 'tsc -b'})}}
  }
  t.strictSame(await commands(t, files), [
    'docs ./apps/docs 3001 npm run dev',
    'site ./apps/site 8000 npm run dev',
    'web ./apps/web 4000 npm run dev'
  ])
})

const filtered = (dev: string): Files => ({
  'package.json': pkg({dev}, {workspaces: ['apps/*']}),
  'package-lock.json': '',
  'turbo.json': '{"tasks": {"dev": {}}}',
  apps: {
    docs: {'package.json': pkg({dev: 'next dev'}, {name: '@x/docs'})},
    site: {'package.json': pkg({dev: 'next dev'}, {name: '@x/site'})},
    web: {'package.json': pkg({dev: 'next dev'}, {name: '@x/web'})}
  }
})

t.test('turbo: apps outside the filter of the root script need a profile, ports go to others first', async t => {
  const started = async (dev: string): Promise<readonly unknown[]> => {
    const {template} = await imported(t, filtered(dev))
    return template.apps.flatMap(({appID, port, profiles}) => (profiles === undefined ? [[appID, port]] : []))
  }
  t.strictSame(await started('turbo run dev --filter=@x/web'), [['web', 3000]])
  t.strictSame(await started('FOO=1 turbo dev -F web --filter "./apps/site"'), [
    ['site', 3000],
    ['web', 3001]
  ])
  t.equal((await started('turbo dev --filter=!@x/docs')).length, 3, 'a mark has the filter')
  t.equal((await started('turbo dev --filter=@x/web...')).length, 3, 'what a package needs is not known')
  t.equal((await started('turbo dev --filter=other')).length, 3, 'a filter of no app')
  const {template, notes} = await imported(t, filtered('turbo run dev --filter=@x/web'))
  t.match(
    template.apps.find(({appID}) => appID === 'docs'),
    {profiles: ['others']}
  )
  t.ok(notes.includes('docs, site: the root script dev does not start them: --profile others does'))
})

t.test('an app that does not reload itself watches the packages of its workspace that it needs', async t => {
  const shared = (name: string, more: object): string => pkg({}, {name, ...more})
  const {template} = await imported(t, {
    'package.json': pkg({}, {workspaces: ['apps/*', 'packages/*']}),
    'package-lock.json': '',
    apps: {
      api: {'package.json': pkg({dev: 'tsx src/main.ts'}, {dependencies: {'@x/shared': '*', zod: '4'}}), src: {}},
      job: {'package.json': pkg({start: 'node job.js'}, {name: 'job', dependencies: {'@x/db': '*'}}), 'job.js': ''},
      web: {'package.json': pkg({dev: 'vite'}, {dependencies: {'@x/shared': '*'}})},
      alone: {'package.json': pkg({dev: 'tsx main.ts'}), 'main.ts': ''}
    },
    packages: {
      tsconfig: {'package.json': shared('@x/tsconfig', {})},
      shared: {'package.json': shared('@x/shared', {dependencies: {'@x/db': '*'}}), src: {}},
      db: {
        'package.json': shared('@x/db', {
          exports: {'.': './dist/index.js'},
          dependencies: {'@x/shared': '*'},
          devDependencies: {'@x/tsconfig': '*'}
        }),
        src: {}
      }
    }
  })
  const byId = new Map(template.apps.map(({appID, watch}) => [appID, watch]))
  t.strictSame(byId.get('api'), {paths: ['./src/**', '../../packages/shared/src/**', '../../packages/db/dist/**']})
  t.strictSame(byId.get('job'), {
    paths: ['./**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs,json}', '../../packages/db/dist/**', '../../packages/shared/src/**'],
    ignore: ['{dist,build,.next,.turbo,coverage}/**']
  })
  t.strictSame([byId.get('web'), byId.get('alone')], [undefined, undefined])
})

t.test('turbo: the tasks that it runs first are a mark with their command', async t => {
  const {notes} = await imported(t, {
    'package.json': pkg({dev: 'turbo dev --filter=web...'}, {workspaces: ['apps/*']}),
    'package-lock.json': '',
    'turbo.json': '{\n  // tasks\n  "tasks": {"dev": {"dependsOn": ["^build", "db:push"], "persistent": true},}\n}',
    apps: {web: {'package.json': pkg({dev: 'vite'}, {name: 'web'})}}
  })
  t.ok(notes.includes('turbo runs build, db:push first: npx turbo run build db:push'), notes.join('\n'))
  t.ok(notes.includes('the root script dev has web...: here each package starts'))
})

const LISTENS = 'require("express")().listen(process.env.PORT || 5000)'

t.test('concurrently: each of its programs is an app, with the name and folder that it has', async t => {
  const front = {client: {'package.json': pkg({start: 'react-scripts start'})}}
  const scripts = {
    server: 'nodemon server.js',
    client: 'npm start --prefix client',
    'dev:all': 'npx concurrently -k -c "red,blue" "npm run server" "npm run client"'
  }
  t.strictSame(
    await commands(t, {'package.json': pkg({...scripts, dev: 'npm run dev:all'}), 'server.js': LISTENS, ...front}),
    ['server . 5000 npm run server', 'client ./client 3000 npm run start']
  )
  const named = `concurrently --names=API,Web-Site 'nodemon server.js' 'cd client && npm start'`
  t.strictSame(await commands(t, {'package.json': pkg({start: named}), 'server.js': LISTENS, ...front}), [
    'API . 5000 nodemon server.js',
    'Web-Site ./client 3000 npm start'
  ])
})

t.test('patterns of scripts, by concurrently and npm-run-all', async t => {
  const parts = {'dev:api': 'node server.js', 'dev:web': 'vite', 'build:web': 'vite build'}
  const apps = ['api . 5000 npm run dev:api', 'web . 5173 npm run dev:web']
  for (const dev of ['concurrently npm:dev:*', 'run-p dev:*', 'npm-run-all --parallel dev:*'])
    t.strictSame(await commands(t, {'package.json': pkg({dev, ...parts}), 'server.js': LISTENS}), apps, dev)
})

t.test('steps in a row, and packages of a workspace, are no programs side by side', async t => {
  const scripts = {a: 'vite', start: 'x'}
  for (const dev of [
    'npm-run-all build start',
    'concurrently "npm run a" && node .',
    'concurrently "turbo dev" npm:a'
  ]) {
    const {template} = await imported(t, {'package.json': pkg({dev, ...scripts})})
    t.match(template.apps, [{appID: 'shop', command: ['npm', 'run', 'dev']}], dev)
    t.equal(template.apps.length, 1)
  }
})
