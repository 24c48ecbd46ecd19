// Images that are built here, of skaffold.yaml and Tiltfiles.
import {join} from 'node:path'
import t from 'tap'
import {imported, type RecordedTool} from './read.ts'

const go = (port: number): Record<string, string> => ({
  'go.mod': 'module x',
  'main.go': `package main\nfunc main() { http.ListenAndServe(":${port}", nil) }`
})

t.test('skaffold: an image that no manifest runs is left out, unless a chart may run it', async t => {
  const files = {
    'skaffold.yaml': `
apiVersion: skaffold/v4beta6
kind: Config
build: {artifacts: [{image: shop/api, context: shop}, {image: e2e/tests, context: tests}]}
manifests: {rawYaml: [k8s.yaml]}`,
    'k8s.yaml': `
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: c, image: shop/api}]}}}`,
    shop: {...go(8001), 'x.go': 'var u = "http://edge.in.svc.cluster.local/"'},
    tests: go(8002)
  }
  const {template, notes} = await imported(t, files)
  t.match(template.apps, [{appID: 'web', appDirPath: './shop'}])
  t.equal(template.apps.length, 1)
  t.ok(notes.includes('tests: left out: no manifest runs its image'))
  t.match(notes, [String, /^shop\/x\.go:1: edge\.in\.svc\.cluster\.local is a name of the cluster/])
  const charts = files['skaffold.yaml'].replace(/manifests:.*/, 'deploy: {helm: {releases: []}}')
  t.match((await imported(t, {...files, 'skaffold.yaml': charts})).template.apps, [{appID: 'api'}, {appID: 'tests'}])
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
})

const pod = (name: string, image: string): string =>
  `---\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: x, image: "${image}"}]}\n`

t.test('a tag that is built is no other tag of the image', async t => {
  const manifests =
    pod('other', 'registry/web:prod') +
    pod('same', 'registry/web:dev') +
    pod('api', 'registry/api:1') +
    pod('plain', 'registry/web')
  const files = {Tiltfile: '', web: go(8001), api: go(8002)}
  const tool: RecordedTool = folder => ({
    Manifests: [
      {
        Name: 'all',
        ImageTargets: [
          {selector: 'web:dev', BuildDetails: {context: join(folder, 'web')}},
          {selector: 'api', BuildDetails: {context: join(folder, 'api')}}
        ],
        DeployTarget: {yaml: manifests}
      }
    ]
  })
  const {template} = await imported(t, files, '.', undefined, {tool})
  t.match(template.apps, [
    {appID: 'other', command: /docker/},
    {appID: 'same', appDirPath: './web'},
    {appID: 'api', appDirPath: './api'},
    {appID: 'plain', appDirPath: './web'}
  ])
})

t.test('images of a workspace for production start in their folders, as servers for development', async t => {
  const {template, notes} = await imported(t, {
    'compose.yaml':
      'services: {a: {build: {context: ., dockerfile: p/db/Dockerfile}}, b: {build: b, volumes: [./b/x:/x], environment: {NODE_ENV: production}}}',
    p: {
      db: {
        Dockerfile: 'FROM x\nWORKDIR /app/p/db\nCMD ["npm", "run", "seed"]',
        'package.json': '{"scripts": {"seed": "x"}}'
      }
    },
    b: {'package.json': '{"scripts": {"dev": "next dev"}}'}
  })
  t.match(template.apps, [{appDirPath: './p/db', command: ['npm', 'run', 'seed']}, {env: undefined}])
  t.match(notes, [/^volumes: \.\/b\/x is not there/, /^env: NODE_ENV: production is not carried over/])
})
