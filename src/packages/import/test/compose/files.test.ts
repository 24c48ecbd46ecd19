import t from 'tap'
import {imported, refusal} from '../read.ts'

const python = () => ({'main.py': ''}) // tap refuses one object in two places

t.test('an override is read as compose reads it, in each of its spellings', async t => {
  for (const name of ['compose.override', 'docker-compose.override'])
    for (const end of ['yaml', 'yml']) {
      const {template, text} = await imported(t, {
        'compose.yaml': `
services:
  api: {build: ./api, command: python3 main.py, environment: [A=1, B=2], volumes: ["./a:/a", "./b:/b"]}
  db: {image: busybox, ports: ["1:1"], volumes: ["a:/data", "b:/b"], depends_on: [api]}
`,
        [`${name}.${end}`]: `
services:
  api: {command: python3 main.py --reload, environment: {B: 3, C: 4}}
  db: {ports: ["1:1", "2:2"], volumes: ["c:/data"], depends_on: {extra: {condition: service_completed_successfully}}}
  extra: {image: busybox}
`,
        api: python()
      })
      const [api, db] = template.apps
      t.match(api, {command: ['python3', 'main.py', '--reload'], env: {A: '1', B: '3', C: '4'}})
      const words = String(db?.['command'])
      t.match(words, /--publish,1:1,--publish,2:2,.*,--volume,shop_b:\/b,--volume,shop_c:\/data/)
      t.strictSame(db?.['dependsOn'], {api: 'started', extra: 'completed'})
      t.match(text, `# Written by pillion import from compose.yaml and ${name}.${end}.`)
    }
})

t.test('a file that is named is read alone', async t => {
  const files = {'compose.yaml': 'services: {a: {image: x}}', 'compose.override.yaml': 'services: {b: {image: y}}'}
  t.equal((await imported(t, files, 'compose.yaml')).template.apps.length, 1)
})

t.test('include: paths count from the folder of the file', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `
include:
  - infra/compose.yaml
  - path: [parts/a.yaml, parts/b.yaml]
    project_directory: .
services: {web: {build: ./web, command: python3 main.py}}
`,
    web: python(),
    infra: {
      'compose.yaml':
        'services: {db: {image: x, volumes: ["./data:/data", "named:/n"], env_file: db.env}, api: {build: {context: api}, command: python3 main.py}}',
      api: python(),
      'db.env': 'A=1'
    },
    parts: {
      'a.yaml': 'services: {job: {build: ./job, command: python3 main.py}}',
      'b.yaml': 'services: {job: {environment: {B: 1}}}'
    },
    job: python()
  })
  const byId = new Map(template.apps.map(app => [app['appID'], app]))
  t.match(String(byId.get('db')?.['command']), '--volume,./infra/data:/data,--volume,shop_named:/n')
  t.equal(byId.get('db')?.['envFile'], './infra/db.env')
  t.equal(byId.get('api')?.['appDirPath'], './infra/api')
  t.match(byId.get('job'), {appDirPath: './job', env: {B: '1'}})
  t.equal(byId.get('web')?.['appDirPath'], './web')
})

t.test('extends of another file: what it names counts from there', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': 'services: {web: {extends: {file: common/base.yaml, service: app}, environment: {B: 2}}}',
    common: {
      'base.yaml':
        'services: {app: {extends: root, build: ., environment: {A: 1, B: 1}}, root: {restart: always, command: python3 main.py}}',
      ...python()
    }
  })
  t.strictSame(notes, [])
  t.match(template.apps[0], {appID: 'web', appDirPath: './common', env: {A: '1', B: '2'}, restart: 'always'})
})

t.test('cycles, and files that are not there', async t => {
  const loop = await refusal(t, {
    'compose.yaml': 'include: [b.yaml]\nservices: {a: {image: x}}\n',
    'b.yaml': 'services: {}\ninclude: [compose.yaml]\n'
  })
  t.match(loop, {message: 'cannot import compose.yaml: it includes itself', explanation: /^compose\.yaml:1:1/})
  t.match(await refusal(t, {'compose.yaml': 'include: [gone.yaml]\n'}), {message: /^cannot import gone\.yaml: /})
  const {notes} = await imported(t, {
    'compose.yaml':
      'services: {a: {extends: {file: b.yaml, service: b}, image: x}, c: {extends: {file: gone.yaml, service: c}, image: x}}',
    'b.yaml': 'services: {b: {extends: {file: compose.yaml, service: a}}}'
  })
  t.strictSame(
    notes.filter(note => note.startsWith('extends:')),
    ['extends: there is no service a in compose.yaml', 'extends: there is no service c in gone.yaml']
  )
})

t.test('an override takes away what it resets, and replaces what it overrides', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `
services:
  web: {image: nginx, ports: ["80:80"], environment: {A: 1, B: 2}, command: [a, b], restart: always}
  db: {image: postgres}
  bus: {image: nats}
`,
    'compose.override.yaml': `
services:
  web:
    ports: !override
      - "8080:80"
    environment:
      A: !reset null
      B: !reset
    restart: !reset "no"
    command: !override [c]
  db: !reset {}
  bus: !override {image: "nats:2"}
`
  })
  t.match(template.apps, [{appID: 'web'}, {appID: 'bus'}])
  t.equal(template.apps.length, 2)
  const [web, bus] = template.apps
  t.strictSame(web?.['command'], 'docker run --rm --name shop-web --publish 8080:80 nginx c'.split(' '))
  t.notOk('restart' in (web ?? {}) || 'env' in (web ?? {}))
  t.match(String(bus?.['command']), /nats:2$/)
})

t.test('the files that COMPOSE_FILE names lie in the place of the usual ones', async t => {
  const files = {
    '.env': 'COMPOSE_FILE=docker/a.yaml:b.yaml\n',
    docker: {'a.yaml': 'services: {a: {image: x}}'},
    'b.yaml': 'services: {a: {image: "x:2"}}',
    'compose.yaml': 'services: {other: {image: y}}',
    'compose.override.yaml': 'services: {more: {image: z}}'
  }
  const {template, text} = await imported(t, files)
  t.match(text, /import from a\.yaml and b\.yaml\./)
  t.match(String(template.apps.map(({command}) => command)), /,x:2$/)
  t.match((await imported(t, files, 'compose.yaml')).template.apps, [{appID: 'other'}])
})

t.test('what compose fetches from elsewhere to include it is a note', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml': 'include: [a.yaml, https://example.test/infra.git, {path: "oci://example.test/x"}]\n',
    'a.yaml': 'services: {a: {image: x}}'
  })
  t.match(template.apps, [{appID: 'a'}])
  t.match(notes, ['include: ["https://example.test/infra.git",{"path":"oci://example.test/x"}] is not carried over'])
})

t.test('an override of a build that is one text keeps its folder', async t => {
  for (const override of ['build: {target: dev}', 'build: {context: ./api, target: dev}']) {
    const {template} = await imported(t, {
      'compose.yaml': 'services: {api: {build: ./api, tmpfs: /a, networks: [front], depends_on: []}}',
      'compose.override.yaml': `services: {api: {${override}, tmpfs: [/b], networks: {back: {aliases: [app]}}}}`,
      api: {Dockerfile: 'FROM x AS dev\nCMD ["/in-the-image"]\n'}
    })
    const words = String(template.apps[0]?.['command'])
    t.match(words, /,build,shop-api,\.\/api\/Dockerfile,\.\/api,--target=dev,/)
    t.match(words, /,--tmpfs,\/a,--tmpfs,\/b,/)
  }
})

t.test('what a service resets or overrides of one that it extends, and files of one include', async t => {
  const {template} = await imported(t, {
    'compose.yaml': `
include: [{path: [a.yaml, b.yaml]}]
services:
  base: {image: x, ports: ["80:80"], restart: always, environment: {A: 1, B: 2}}
  web:
    extends: base
    ports: !override ["81:80"]
    restart: !reset "no"
    environment: {A: !reset null}
`,
    'a.yaml': 'services: {db: {image: y, ports: ["90:90"]}, old: {image: z}}',
    'b.yaml': 'services:\n  db:\n    ports: !override ["91:90"]\n  old: !reset {}\n'
  })
  const byId = new Map(template.apps.map(app => [app['appID'], app]))
  t.strictSame(new Set(byId.keys()), new Set(['db', 'base', 'web']))
  const web = byId.get('web')
  t.match(String(web?.['command']), /,--publish,81:80,--env,B,x$/)
  t.notOk('restart' in (web ?? {}))
  t.match(String(byId.get('db')?.['command']), /,--publish,91:90,y$/)
})

t.test('COMPOSE_FILE: a file that is not there refuses nothing else, and its .env has the variables', async t => {
  const gone = await imported(t, {'.env': 'COMPOSE_FILE=gone.yaml\n', Procfile: 'web: serve\n'})
  t.match(gone.template.apps, [{appID: 'web'}])
  const {template, notes} = await imported(t, {
    '.env': 'COMPOSE_FILE=docker/a.yaml\nTAG=2\n',
    docker: {'a.yaml': 'services: {a: {image: "x:${TAG}"}}'}
  })
  t.equal(template['interpolate'], './.env')
  t.notMatch(notes.join('\n'), /TAG/)
})
