// The output of `tilt alpha tiltfile-result`, by the types of Tilt: its internal/tiltfile/tiltfile.go, pkg/model and pkg/apis/core/v1alpha1.
import {join} from 'node:path'
import t from 'tap'
import {imported, refusal, type RecordedTool} from './read.ts'

const sh = (line: string): readonly string[] => ['sh', '-c', line]

interface Wishes {
  readonly cmd?: readonly string[]
  readonly serve?: readonly string[]
  readonly at?: string
  readonly env?: readonly string[]
  readonly deps?: readonly string[]
  readonly needs?: readonly string[]
  readonly mode?: number
  readonly more?: object
}

/** A local_resource, as Tilt writes it. */
const local = (
  name: string,
  {cmd, serve = [], at = '/', env, deps = [], needs = [], mode = 0, more}: Wishes
): object => ({
  Name: name,
  ImageTargets: null,
  DeployTarget: {
    UpdateCmdSpec: cmd === undefined ? null : {args: cmd, dir: at, ...(serve.length === 0 && {env})},
    Name: name,
    ServeCmd: {Argv: serve, Dir: serve.length === 0 ? '' : at, Env: env ?? null, EchoOff: false},
    Links: null,
    Deps: deps,
    FileWatchIgnores: null,
    AllowParallel: false,
    ReadinessProbe: null,
    ServeCmdDisableSource: null,
    ...more
  },
  TriggerMode: mode,
  ResourceDependencies: needs,
  SourceTiltfile: '',
  Labels: {}
})

const workload = (name: string, yaml: string, more: object = {}, target: object = {}): object => ({
  Name: name,
  ImageTargets: [],
  DeployTarget: {
    yaml,
    timeout: '30s',
    cluster: 'default',
    Name: name,
    PodReadinessMode: 'wait',
    Links: null,
    ...target
  },
  TriggerMode: 0,
  ResourceDependencies: null,
  ...more
})

const pod = (kind: string, name: string): string =>
  `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: {template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: x, image: ${name}}]}}}\n`

const SHOP: RecordedTool = folder => ({
  Manifests: [
    local('compile', {
      cmd: sh('go build -o build/api ./services/api'),
      at: folder,
      deps: [join(folder, 'services/api')]
    }),
    local('api', {
      serve: sh('go run .'),
      at: join(folder, 'services/api'),
      env: ['LEVEL=debug'],
      deps: [join(folder, 'services/api'), join(folder, 'go.work')],
      needs: ['compile', 'gone'],
      more: {ReadinessProbe: {httpGet: {path: 'health', port: 8081}}}
    }),
    local('web', {
      serve: ['npm', 'run', 'dev'],
      at: join(folder, 'services/web'),
      deps: [join(folder, 'services/web/src')],
      more: {UpdateCmdSpec: {args: sh('npm ci'), dir: join(folder, 'services'), env: ['A=b']}}
    }),
    local('seed data', {cmd: sh('make seed'), at: folder, mode: 2}),
    local('off', {serve: sh('serve'), at: folder}),
    workload(
      'mail',
      `${pod('Deployment', 'mail')}---\nkind: Service\nmetadata: {name: mail}\nspec: {selector: {app: mail}, ports: [{port: 9000}]}\n`,
      {
        ImageTargets: [{selector: 'mail', BuildDetails: {ref: 'mail', context: join(folder, 'mail')}}],
        ResourceDependencies: ['migrate', 'seed data']
      },
      {portForwardTemplateSpec: {forwards: [{localPort: 9001, containerPort: 9000, host: ''}]}}
    ),
    workload('migrate', pod('Job', 'migrate')),
    {
      Name: 'db',
      ImageTargets: null,
      DeployTarget: {
        Spec: {service: 'db', project: {configPaths: [join(folder, 'deploy/compose.yaml')], name: 'deploy'}},
        Name: 'db',
        ServiceYAML: ''
      },
      TriggerMode: 0,
      ResourceDependencies: []
    }
  ],
  EnabledManifests: ['compile', 'api', 'web', 'seed data', 'mail', 'migrate', 'db'],
  ConfigFiles: [join(folder, 'Tiltfile'), join(folder, 'mail/dev.Dockerfile')]
})

t.test('a Tiltfile: local commands, workloads and compose services that Tilt lists', async t => {
  const {template, notes} = await imported(
    t,
    {
      Tiltfile: 'anything()',
      services: {api: {'go.mod': 'module api'}, web: {src: {}, 'package.json': '{"scripts": {"dev": "vite"}}'}},
      mail: {'a.js': '', Dockerfile: 'FROM node\nCMD ["node", "a.js"]\n'}
    },
    'Tiltfile',
    undefined,
    {tool: SHOP}
  )
  const byId = new Map(template.apps.map(app => [app['appID'], app]))
  t.same([...byId.keys()], ['mail', 'migrate', 'compile', 'api', 'web', 'seed-data', 'off'])
  t.match(byId.get('mail'), {
    appDirPath: './mail',
    command: ['node', 'a.js'],
    port: 9001,
    fixedPort: 9000,
    dependsOn: {migrate: 'completed', 'seed-data': 'completed'}
  })
  t.ok(notes.includes('db: of a compose file: name it, too: pillion import Tiltfile FILE'))
  t.match(byId.get('compile'), {
    command: ['go', 'build', '-o', 'build/api', './services/api'],
    watch: {paths: ['./services/api/**']}
  })
  t.match(byId.get('api'), {
    appDirPath: './services/api',
    appPort: 8081,
    env: {LEVEL: 'debug'},
    dependsOn: {compile: 'completed'},
    ready: {http: '/health'},
    watch: {paths: ['./**', '../../go.work']}
  })
  t.match(byId.get('web'), {
    command: ['sh', '-c', "(cd .. && export 'A=b' && npm ci) && exec npm run dev"],
    watch: {paths: ['./src/**']}
  })
  for (const id of ['seed-data', 'off']) t.match(byId.get(id), {profiles: ['manual']})
})

t.test('a Tiltfile that starts nothing, and output that is no JSON', async t => {
  const Tiltfile = ''
  t.match(await refusal(t, {Tiltfile}, '.', undefined, () => ({Manifests: null})), {
    message: 'cannot import Tiltfile: Tilt starts nothing of it'
  })
  t.match(await refusal(t, {Tiltfile}, '.', undefined, () => []), {
    message: /^cannot import Tiltfile: tilt alpha tiltfile-result --file \S+ wrote no JSON$/
  })
})
