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
  gate: {build: web, command: node x.js, ports: ["9229:9229", "24051:8080"]}
  pay: {build: web, command: node x.js, ports: ["24053:24052", "24055:24054"], environment: {PORT: 24054}}
  lost: {build: web, command: npm run dev, ports: ["$LOST_DEBUG_PORT:9230"], expose: ["$LOST_PORT"]}
`,
    web: {'package.json': '{"scripts": {"dev": "nodemon --inspect=0.0.0.0:9230 x.js"}}', 'x.js': 'http.createServer()'}
  })
  t.match(template.apps, [{port: 8000}, {port: 24_051, fixedPort: 8080}, {port: 24_055}, {port: undefined}])
  t.match(notes.join('\n'), /port on which it listens is not known/)
})

t.test('a compose file with published images of the project starts no second copy of its programs', async t => {
  const services = 'services: {db: {image: redis}, web: {image: "ghcr.io/acme/bike-shop/gate:latest"}}'
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
    t.match(notes, [/^api: nothing of this file starts this project/])
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
