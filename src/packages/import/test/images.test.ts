// Images that are built here, of skaffold.yaml and Tiltfiles.
import t from 'tap'
import {imported} from './read.ts'

const go = (port: number): Record<string, string> => ({
  'go.mod': 'module x',
  'main.go': `package main\nfunc main() { http.ListenAndServe(":${port}", nil) }`
})

t.test('skaffold: two images with one last name, and one with the name of a service', async t => {
  const {template} = await imported(t, {
    'skaffold.yaml': `
apiVersion: skaffold/v4beta6
kind: Config
build:
  artifacts:
    - {image: shop/api, context: shop}
    - {image: tools/api, context: tools}
    - {image: other/web, context: other}
    - {image: more/worker, context: more}
    - {image: last/worker, context: last}
manifests: {rawYaml: [k8s.yaml]}`,
    'k8s.yaml': `
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: c, image: shop/api}]}}}`,
    shop: go(8001),
    tools: go(8002),
    other: go(8003),
    more: go(8004),
    last: go(8005)
  })
  t.strictSame(
    template.apps.map(({appID, appDirPath}) => [appID, appDirPath]),
    [
      ['web', './shop'],
      ['api', './tools'],
      ['other-web', './other'],
      ['worker', './more'],
      ['last-worker', './last']
    ]
  )
})

t.test('the target and the arguments of a build, and two tags of one name', async t => {
  const dockerfile = 'FROM a AS dev\nCMD ["node", "dev.js"]\nFROM a\nCMD ["node", "server.js"]'
  const folder = {Dockerfile: dockerfile, 'dev.js': '', 'server.js': ''}
  const {template} = await imported(
    t,
    {
      'skaffold.yaml': `
apiVersion: skaffold/v4beta6
kind: Config
build: {artifacts: [{image: api, context: api, docker: {target: dev}}, {image: db, context: db, docker: {buildArgs: {A: b$}}}]}`,
      api: folder,
      db: {Dockerfile: 'FROM postgres'}
    },
    'skaffold.yaml'
  )
  t.strictSame(template.apps[0]?.['command'], ['node', 'dev.js'])
  t.match(((template.apps[1]?.['command'] ?? []) as string[]).join(' '), /--build-arg=A=b\$/)
  const tilt = await imported(
    t,
    {
      Tiltfile: `
docker_build('x/api:one', 'api', target='dev')
docker_build('x/api:two', 'api')
k8s_yaml('k8s.yaml')`,
      'k8s.yaml': ['one', 'two']
        .map(tag => `kind: Pod\nmetadata: {name: ${tag}}\nspec: {containers: [{name: c, image: "x/api:${tag}"}]}`)
        .join('\n---\n'),
      api: folder
    },
    'Tiltfile'
  )
  t.strictSame(
    tilt.template.apps.map(({command}) => command),
    [
      ['node', 'dev.js'],
      ['node', 'server.js']
    ]
  )
})

t.test('a Tiltfile: names that differ in what no id contains, and what is not written there', async t => {
  const {template, notes} = await imported(t, {
    Tiltfile: `
cfg = config.parse()
local_resource('x y', serve_cmd='node a.js')
local_resource('x-y', serve_cmd='node b.js', resource_deps=['x y'])
if cfg.get('dev'):
    local_resource('web', serve_cmd='node dev.js')
else:
    local_resource('web', serve_cmd='node web.js')
local_resource('port', serve_cmd=['node', 'port.js', cfg.get('port')])
local_resource('setup', cmd='npm i', serve_cmd=cfg['run'])
local_resource('env', serve_cmd='node env.js', serve_env={'A': '1', 'B': cfg.get('b')})
local_resource('all', serve_cmd='node all.js', serve_env=cfg['env'])`
  })
  t.match(template.apps, [
    {appID: 'x-y', command: ['node', 'a.js']},
    {command: ['node', 'b.js'], dependsOn: {'x-y': 'ready'}},
    {appID: 'web', command: ['node', 'dev.js']},
    {appID: 'env', env: {A: '1'}},
    {appID: 'all'}
  ])
  t.equal(new Set(template.apps.map(({appID}) => appID)).size, 5)
  t.strictSame(notes, [
    'Tiltfile:8: web is left out: it is above with another command',
    'Tiltfile:9: port is left out: its command is not written here',
    'Tiltfile:10: setup is left out: its command is not written here',
    'Tiltfile:11: B: no value is written here: write it into env',
    'Tiltfile:12: serve_env: no value is written here: write it into env'
  ])
})

const pod = (name: string, image: string): string =>
  `---\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: x, image: "${image}"}]}\n`

t.test('a tag that is built is no other tag of the image', async t => {
  const {template} = await imported(t, {
    Tiltfile: "docker_build('web:dev', 'web')\ndocker_build('api', 'api')\nk8s_yaml('k8s.yaml')\n",
    'k8s.yaml':
      pod('other', 'registry/web:prod') +
      pod('same', 'registry/web:dev') +
      pod('api', 'registry/api:1') +
      pod('plain', 'registry/web'),
    web: go(8001),
    api: go(8002)
  })
  t.match(template.apps, [
    {appID: 'other', command: /docker/},
    {appID: 'same', appDirPath: './web'},
    {appID: 'api', appDirPath: './api'},
    {appID: 'plain', appDirPath: './web'}
  ])
})
