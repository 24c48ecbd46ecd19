import t from 'tap'
import {imported, refusal} from '../read.ts'

t.test('a Procfile becomes apps of one folder', async t => {
  const {template, notes, text} = await imported(t, {
    Procfile: [
      '# processes',
      'web: node server.js -p $PORT',
      '',
      'css: npx tailwindcss -i a.css -o b.css --watch',
      'worker:   bundle exec sidekiq && echo "done"  ',
      'api: RAILS_ENV=test PORT=4000 bin/rails s',
      'jobs: PORT=4000 bin/jobs',
      'release: rake db:migrate'
    ].join('\r\n'),
    '.env': 'A=1',
    bin: {rails: '', jobs: ''}
  })
  t.match(text, /^# Written by pillion import from Procfile\.\n/)
  t.strictSame(template, {
    version: 1,
    common: {envFile: '.env'},
    apps: [
      {appID: 'web', appDirPath: '.', port: 5000, command: ['sh', '-c', 'node server.js -p $PORT']},
      {
        appID: 'css',
        appDirPath: '.',
        command: ['npx', 'tailwindcss', '-i', 'a.css', '-o', 'b.css', '--watch=always'],
        env: {PORT: '5100'}
      },
      {
        appID: 'worker',
        appDirPath: '.',
        command: ['sh', '-c', 'bundle exec sidekiq && echo "done"'],
        env: {PORT: '5200'}
      },
      {appID: 'api', appDirPath: '.', port: 4000, command: ['bin/rails', 's'], env: {RAILS_ENV: 'test'}},
      {appID: 'jobs', appDirPath: '.', command: ['bin/jobs'], env: {PORT: '4000'}},
      {appID: 'release', appDirPath: '.', command: ['rake', 'db:migrate'], env: {PORT: '5500'}, profiles: ['release']}
    ]
  })
  t.strictSame(notes, [
    'PORT: 4000 is that of api: if it listens, too, give it another PORT, and write port',
    'Heroku runs this once before each release: here by pillion start release, or --profile release'
  ])
})

t.test('watchers that end where their stdin is empty are given the flag by which they go on', async t => {
  const {template} = await imported(t, {
    'Procfile.dev': [
      'js: yarn build --watch',
      'css: yarn run build:css --watch',
      'rails: bin/rails tailwindcss:watch',
      'bundle: npx esbuild a.js --watch --outfile=b.js',
      'sass: yarn build:sass --watch',
      'kept: npx esbuild a.js --watch=forever'
    ].join('\n'),
    'package.json': JSON.stringify({
      scripts: {
        build: 'esbuild a.js --bundle',
        'build:css': 'tailwindcss -i a.css --minify',
        'build:sass': 'sass a.scss b.css'
      }
    })
  })
  t.strictSame(
    template.apps.map(({command}) => String(command).replaceAll(',', ' ')),
    [
      'yarn build --watch=forever',
      'yarn run build:css --watch=always',
      'sh -c bin/rails tailwindcss:watch[always]',
      'npx esbuild a.js --watch=forever --outfile=b.js',
      'yarn build:sass --watch',
      'npx esbuild a.js --watch=forever'
    ]
  )
})

t.test('watchers of other programs, and workspaces, are left as they are', async t => {
  const lines = [
    'yarn build --watch',
    'yarn tailwindcss:watch',
    'npm run build:css -w web',
    'nodemon --watch src --exec "npx esbuild a.js"',
    'npx @tailwindcss/cli -w -i a.css'
  ]
  const {template} = await imported(t, {
    'Procfile.dev': lines.map((line, at) => `p${at}: ${line}`).join('\n'),
    'package.json': JSON.stringify({
      scripts: {build: 'node esbuild.config.mjs', 'build:css': 'tailwindcss -i a', 'tailwindcss:watch': 'x --watch'}
    })
  })
  const commands = template.apps.map(({command}) => (command as readonly string[]).join(' ').replace('sh -c ', ''))
  t.strictSame(commands, [...lines.slice(0, 4), 'npx @tailwindcss/cli --watch=always -i a.css'])
})

t.test('the addresses of brokers and databases that a line names are none at which its program listens', async t => {
  const {template} = await imported(t, {
    Procfile: `worker: celery -A proj worker --broker=redis://localhost:6379/0
move: node migrate.js --db postgres://u:p@localhost:5432/x
hook: listen --forward-to localhost:3001/hooks
web: puma -b tcp://0.0.0.0:3000
api: api --queue amqp://localhost:5672 --port 4000
`
  })
  t.strictSame(
    template.apps.map(({appPort, port}) => appPort ?? port),
    [undefined, undefined, undefined, 3000, 4000]
  )
})

t.test('lines that are no process, and second ones of a name, are told', async t => {
  const {template, notes} = await imported(t, {Procfile: 'web: node a.js\nnot a process\nweb: node b.js\n'})
  t.equal(template.apps.length, 1)
  t.strictSame(notes.slice(0, 2), [
    'line 2 is no "name: command": not a process',
    'line 3 is a second "web": node b.js'
  ])
})

t.test('ports: written, known of the program, or as foreman counts them', async t => {
  const table: Readonly<Record<string, number | undefined>> = {
    'node app.js --port 3000': 3000,
    'bin/rails server -p 3001 -b 0.0.0.0': 3001,
    'gunicorn app:app -b 0.0.0.0:9000': 9000,
    'php artisan serve': 8000,
    'next dev': 5000,
    'next dev -p 3000': 3000,
    'uvicorn main:app': 8000,
    'vite build': undefined,
    'puma -p ${PORT:-5555}': 5000,
    'sidekiq -c 5': undefined
  }
  for (const [line, port] of Object.entries(table)) {
    const {template} = await imported(t, {Procfile: `x: ${line}\n`})
    const {port: told, appPort, env} = template.apps[0] ?? {}
    t.equal(told ?? appPort, port, line)
    t.same(env, told === undefined ? {PORT: '5000'} : undefined, 'as foreman gives it, or told by Pillion')
  }
  const {template} = await imported(t, {Procfile: 'clock: ruby clock.rb\nweb: node index.js\n'})
  t.equal(template.apps[1]?.['port'], 5100)
})

t.test('a program whose source takes its number from PORT is called at that number', async t => {
  const sources = {
    'a.mjs': 'createServer().listen(process.env.PORT)',
    'b.py': 'app.run(port=int(os.environ["PORT"]))',
    'c.rb': "set :port, ENV.fetch('PORT')",
    'd.js': 'listen(3000) // no PORT',
    'e.js': 'x.listen(settings.port)'
  }
  const Procfile = 'a: node a.mjs\nb: python b.py\nc: ruby c.rb\nd: node d.js\ne: node e.js\n'
  const {template, notes} = await imported(t, {Procfile, ...sources})
  t.same(
    template.apps.map(({port}) => port),
    [5000, 5100, 5200, 3000, undefined]
  )
  t.match(notes, [/^appPort: the port on which it listens is not known/])
})

t.test('foreman counts from the PORT of .env', async t => {
  const {template} = await imported(t, {Procfile: 'web: node a.js\napi: node b.js\n', '.env': 'PORT=3000\n'})
  t.match(template.apps, [{port: 3000}, {env: {PORT: '3100'}}])
  const Procfile = 'a: true\nweb: next dev\napi: PORT=4000 puma\n'
  const mark = 'guessed: port 5100 (foreman gives it as PORT, and the default of next dev is 3000)'
  t.strictSame((await imported(t, {Procfile})).notes, [mark])
  const known = await imported(t, {Procfile, '.env.example': 'APP_URL=http://localhost:3000'})
  t.match([known.template.apps[1]?.['port'], known.notes.length], [3000, 1], 'the mark on the sample alone')
})

t.test('words that YAML or a shell reads in another way stay what they are', async t => {
  const line = 'x: echo "${HOME} #1: yes" | tee /dev/null'
  const {template} = await imported(t, {Procfile: `${line}\ny: on off 0x10 1.0 ~\nz: cd web && npm start\n`})
  t.strictSame(
    template.apps.map(({command}) => command),
    [
      ['sh', '-c', 'echo "${HOME} #1: yes" | tee /dev/null'],
      ['sh', '-c', 'on off 0x10 1.0 ~'],
      ['sh', '-c', 'cd web && npm start']
    ]
  )
  t.equal(template['interpolate'], undefined)
})

t.test('a line that changes the folder first runs there, with the env file of all', async t => {
  const lines = ['web: cd web && exec npm start', 'api: PORT=1 cd api && x', 'gone: cd gone && x', "odd: cd 'a b' && y"]
  const files = {web: {}, api: {}, 'a b': {}, Procfile: lines.join('\n')}
  const {template} = await imported(t, files)
  t.match(template.apps, [
    {appDirPath: './web', command: ['npm', 'start'], port: 5000},
    {appDirPath: '.', command: ['sh', '-c', 'cd api && x']},
    {appDirPath: '.', command: ['sh', '-c', 'cd gone && x']},
    {appDirPath: './a b', command: ['y']}
  ])
  t.notOk('common' in template)
  const {template: withEnv} = await imported(t, {...files, '.env': 'A=1'})
  t.notOk('common' in withEnv)
  t.same(
    withEnv.apps.map(({envFile}) => envFile),
    ['../.env', './.env', './.env', '../.env']
  )
})

t.test('a Procfile without a process is refused', async t => {
  for (const text of ['', '# nothing\n', 'just text\n'])
    t.match(await refusal(t, {Procfile: text}), {
      message: 'cannot import Procfile: it has no line of the form "name: command"'
    })
})

t.test('a line without PORT, and one that takes its port from a variable of its own', async t => {
  const {template, notes} = await imported(t, {
    Procfile:
      'web: unset PORT && bin/rails server\ncss: unset PORT && bin/watch\napi: uvicorn a:b --port $CHECKING_PORT\n'
  })
  t.match(template.apps, [
    {appPort: 3000},
    {appPort: undefined, port: undefined},
    {appPort: undefined, port: undefined}
  ])
  t.match(notes, [
    /^appPort: its calls are not held/,
    /^CHECKING_PORT: no value is known/,
    'appPort: CHECKING_PORT says where it listens: write its number'
  ])
})

t.test('a built proxy has a mark, and the number of a mail server is not that of its client', async t => {
  const {template, notes} = await imported(t, {
    Procfile: 'proxy: bin/proxy\nworker: bin/worker\nemail: node email.js\n',
    'email.js': "createTransport({host: 'localhost', port: 1025})\nhttp.createServer(app).listen(config.at)\n"
  })
  t.strictSame(
    template.apps.map(app => app['port'] ?? app['appPort']),
    [undefined, undefined, undefined]
  )
  t.strictSame(notes, [
    'it starts bin/proxy, which is not there: build it first',
    'it starts bin/worker, which is not there: build it first',
    'appPort: the port on which it listens is not known from its files; autoPort: true gives one to a program that reads PORT'
  ])
})
