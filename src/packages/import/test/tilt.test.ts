import t from 'tap'
import {imported, refusal} from './read.ts'

const TILTFILE = `
load('ext://restart_process', 'docker_build_with_restart')
load('./more.tilt', 'x')
# a comment with 'quotes
ROOT = 'services'
cmd = 'go build -o build/api ./services/api'
if os.name == 'nt':
  cmd = 'build.bat'

def service(name, port=8000):
    local_resource(
        name,
        serve_cmd='go run .',
        serve_dir='%s/%s' % (ROOT, name),
        serve_env={'PORT': str(port), 'LEVEL': 'debug'},
        readiness_probe=probe(http_get=http_get_action(port=8081, path='/health')),
        resource_deps=['compile', 'gone'],
    )

local_resource('compile', cmd)
for each in ['api']:
    service(each)
local_resource('web', cmd='npm ci', serve_cmd=['npm', 'run', 'dev'], serve_dir=ROOT + '/web', links=['http://localhost:5174'])
local_resource('manual', 'make seed', auto_init=False)
local_resource('odd', serve_cmd=read_file('x'))
docker_compose('deploy/compose.yaml')
docker_build('shop/mail:dev', '.', dockerfile='services/mail/Dockerfile', live_update=[sync('.', '/app')])
k8s_yaml(['k8s.yaml', helm('chart')])
k8s_resource('mail', port_forwards='9001:9000', resource_deps=['compile'])
helm_resource('broker', 'bitnami/rabbitmq')
`

t.test('a Tiltfile: what it serves here, its compose files, and the images that it builds', async t => {
  const {template, notes} = await imported(t, {
    Tiltfile: TILTFILE,
    'more.tilt': "local_resource('extra', serve_cmd='node extra.js --port 7000')\n",
    deploy: {'compose.yaml': 'services: {db: {image: "postgres:17", volumes: ["./init:/init"]}}'},
    'k8s.yaml': 'kind: Pod\nmetadata: {name: mail}\nspec: {containers: [{name: mail, image: shop/mail}]}\n',
    services: {
      api: {'go.mod': 'module api', 'main.go': 'package main'},
      web: {'package.json': '{"scripts": {"dev": "vite"}}'},
      mail: {
        'package.json': '{"scripts": {"dev": "node a.js"}}',
        'a.js': 'x.listen(9000)',
        Dockerfile: 'FROM node\nCMD ["x"]\n'
      }
    }
  })
  const byId = new Map(template.apps.map(app => [app['appID'], app]))
  t.same([...byId.keys()], ['mail', 'db', 'extra', 'compile', 'api', 'web', 'manual'])
  t.match(byId.get('mail'), {
    appDirPath: './services/mail',
    port: 9001,
    fixedPort: 9000,
    dependsOn: {compile: 'completed'}
  })
  t.ok(String(byId.get('db')?.['command']).includes('./deploy/init:/init'))
  t.match(byId.get('extra'), {appPort: 7000, command: ['node', 'extra.js', '--port', '7000']})
  t.match(byId.get('compile'), {command: ['go', 'build', '-o', 'build/api', './services/api']})
  t.match(byId.get('api'), {
    appDirPath: './services/api',
    appPort: 8081,
    env: {LEVEL: 'debug'},
    dependsOn: {compile: 'completed'},
    ready: {http: '/health'}
  })
  t.match(byId.get('web'), {appDirPath: './services/web', appPort: 5174, command: ['npm', 'run', 'dev']})
  t.match(byId.get('manual'), {profiles: ['manual']})
  for (const note of [
    'Tiltfile:23: Tilt runs npm ci first: run it once, and after changes that need it',
    'Tiltfile:25: odd is left out: its command is not written here',
    'Tiltfile:30: helm_resource: charts are not read: what it starts is left out',
    'resource_deps: gone is no app here'
  ])
    t.ok(notes.includes(note), note)
})

t.test('a Tiltfile that starts nothing which can be read, or is no Starlark', async t => {
  for (const Tiltfile of ['', 'k8s_yaml(helm("x"))', ')]}:=,', 'def f(', 'for x in', 'a = [1, (2, {', 'x(((((', "'''"])
    t.match(
      await refusal(t, {Tiltfile}),
      {message: 'cannot import Tiltfile: it starts nothing that can be read'},
      Tiltfile
    )
})

t.test('functions that call themselves, and loops over large lists, end', async t => {
  const deep = 'def f():\n  f()\n  f()\nf()\n'
  const wide =
    'a = [0, 1, 2, 3, 4, 5, 6, 7]\nfor b in a:\n  for c in a:\n    for d in a:\n      for e in a:\n        for g in a:\n          x = 1\n'
  const {template} = await imported(t, {Tiltfile: `local_resource('a', serve_cmd='true')\n${deep}${wide}`})
  t.equal(template.apps.length, 1)
})

t.test('a command is read by a shell, also next to compose files with variables', async t => {
  const {template} = await imported(
    t,
    {
      Tiltfile: `docker_compose('compose.yaml')\nlocal_resource('web', serve_cmd='for f in a b; do echo \${f}; done')\n`,
      'compose.yaml': 'services: {db: {image: "postgres:${PG:-16}"}}'
    },
    'Tiltfile'
  )
  t.match(template, {
    interpolate: true,
    apps: [{appID: 'db'}, {appID: 'web', command: ['sh', '-c', 'for f in a b; do echo $${f}; done']}]
  })
})

t.test('compose files whose names are computed are reported', async t => {
  const text = 'docker_compose(encode_yaml({"services": {}}))\nlocal_resource("a", serve_cmd="serve")\n'
  const {notes} = await imported(t, {Tiltfile: text})
  t.match(notes, ['Tiltfile:1: docker_compose is not carried over: its files are not named here'])
})

t.test('compose files of a Tiltfile have the variables next to them, and next to what they include', async t => {
  const {template, notes} = await imported(
    t,
    {
      Tiltfile: "docker_compose('deploy/compose.yaml')\n",
      deploy: {
        'compose.yaml': 'include: [parts/a.yaml]\nservices: {db: {image: "postgres:17"}}',
        parts: {'a.yaml': 'services: {a: {image: "x:${TAG}"}}', '.env': 'TAG=7\n'}
      }
    },
    'Tiltfile'
  )
  t.equal(template['interpolate'], './deploy/parts/.env')
  t.notMatch(notes.join('\n'), /TAG/)
  const {template: other} = await imported(
    t,
    {
      Tiltfile: "docker_compose('deploy/compose.yaml')\n",
      deploy: {'compose.yaml': 'services: {db: {image: "postgres:${TAG}"}}', '.env': 'TAG=17\n'}
    },
    'Tiltfile'
  )
  t.equal(other['interpolate'], './deploy/.env')
})

t.test('what several calls say of one resource adds up', async t => {
  const {template} = await imported(t, {
    Tiltfile:
      "k8s_yaml('k8s.yaml')\nk8s_resource('mail', port_forwards='9001:9000')\nk8s_resource('mail', resource_deps=['a'])\nk8s_resource('mail', resource_deps=['b'])\nlocal_resource('a', 'x')\nlocal_resource('b', serve_cmd='y')\n",
    'k8s.yaml': 'kind: Pod\nmetadata: {name: mail}\nspec: {containers: [{name: mail, image: mail}]}\n'
  })
  t.match(template.apps[0], {ready: {tcp: 9001}, dependsOn: {a: 'completed', b: 'started'}})
})

const pod = (kind: string, name: string): string =>
  `kind: ${kind}\nmetadata: {name: ${name}}\nspec: {template: {spec: {containers: [{name: x, image: ${name}, command: [old]}]}}}\n`

t.test('a Tiltfile: jobs that others wait for, the entrypoint of a build, and three tags of an image', async t => {
  const {template} = await imported(t, {
    Tiltfile: `k8s_yaml('k8s.yaml')
k8s_resource('api', resource_deps=['migrate'])
local_resource('web', serve_cmd='npm start', resource_deps=['migrate'])
docker_build_with_restart('api', 'api', entrypoint=['node', 'main.js'], live_update=[])
docker_build('x/tool:a', 'a')
docker_build('x/tool:b', 'b')
docker_build('x/tool:c', 'c')
`,
    'k8s.yaml': `${pod('Job', 'migrate')}---\n${pod('Deployment', 'api')}`,
    api: {'main.js': '', Dockerfile: 'FROM node\nCMD ["./api"]\n'},
    ...Object.fromEntries(['a', 'b', 'c'].map(name => [name, {'package.json': '{"scripts": {"start": "node x.js"}}'}]))
  })
  const byId = new Map(template.apps.map(app => [app['appID'], app]))
  t.match(byId.get('api'), {command: ['node', 'main.js'], dependsOn: {migrate: 'completed'}})
  t.match(byId.get('web'), {dependsOn: {migrate: 'completed'}})
  t.equal(template.apps.filter(({appID}) => String(appID).includes('tool')).length, 3)
})

t.test('an image of a chart is called at the port to which Tilt forwards', async t => {
  const {template} = await imported(t, {
    Tiltfile: "docker_build('shop/web', 'web')\nk8s_yaml(helm('chart'))\nk8s_resource('web', port_forwards=3000)\n",
    web: {Dockerfile: 'FROM node\nCMD ["node", "server.js"]\n', 'server.js': ''}
  })
  t.match(template.apps, [{appID: 'web', port: 3000}])
})
