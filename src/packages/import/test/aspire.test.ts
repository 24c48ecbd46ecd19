// A manifest as Aspire writes it, by learn.microsoft.com/dotnet/aspire/deployment/manifest-format and ManifestPublishingContext.cs of Aspire.
import {join, relative} from 'node:path'
import t from 'tap'
import {imported, refusal, type Files, type RecordedTool} from './read.ts'

const project = (sdk: string, more = ''): string => `<Project Sdk="${sdk}">${more}</Project>`

const FILES: Files = {
  'Shop.AppHost': {'Shop.AppHost.csproj': project('Aspire.AppHost.Sdk/13.0.0'), 'AppHost.cs': ''},
  'Shop.Api': {
    'Shop.Api.csproj': project('Microsoft.NET.Sdk.Web'),
    Properties: {
      'launchSettings.json':
        '{"profiles": {"http": {"commandName": "Project", "applicationUrl": "http://localhost:5001"}}}'
    }
  },
  web: {'package.json': '{"scripts": {"dev": "vite"}}', 'package-lock.json': ''},
  worker: {'main.py': ''}
}

const http = (more: object = {}): object => ({scheme: 'http', protocol: 'tcp', transport: 'http', ...more})
const tcp = (targetPort: number): object => ({tcp: {scheme: 'tcp', protocol: 'tcp', transport: 'tcp', targetPort}})

/** The way from the folder of the manifest to one of the project. */
type Way = (name: string) => string

const shop =
  (resources: (way: Way) => object): RecordedTool =>
  (folder, out) => ({
    $schema: 'https://json.schemastore.org/aspire-8.0.json',
    resources: resources(name => relative(out, join(folder, name)))
  })

t.test('the manifest of an AppHost: projects, executables, containers and their addresses', async t => {
  const tool = shop(way => ({
    pg: {
      type: 'container.v0',
      connectionString:
        'Host={pg.bindings.tcp.host};Port={pg.bindings.tcp.port};Username=postgres;Password={pg-password.value}',
      image: 'docker.io/library/postgres:17.6',
      volumes: [{name: 'shop-pg-data', target: '/var/lib/postgresql/data', readOnly: false}],
      bindMounts: [{source: way('init'), target: '/init', readOnly: true}],
      env: {POSTGRES_PASSWORD: '{pg-password.value}'},
      bindings: tcp(5432)
    },
    orders: {type: 'value.v0', connectionString: '{pg.connectionString};Database=orders'},
    cache: {
      type: 'container.v0',
      connectionString: '{cache.bindings.tcp.host}:{cache.bindings.tcp.port}',
      image: 'docker.io/library/redis:8.6',
      entrypoint: '/bin/sh',
      args: ['-c', 'redis-server --requirepass $REDIS_PASSWORD'],
      bindings: tcp(6379)
    },
    api: {
      type: 'project.v0',
      path: way('Shop.Api/Shop.Api.csproj'),
      env: {
        HTTP_PORTS: '{api.bindings.http.targetPort}',
        ConnectionStrings__orders: '{orders.connectionString}',
        ORDERS_URI:
          'postgresql://postgres:{pg-password-uri-encoded.value}@{pg.bindings.tcp.host}:{pg.bindings.tcp.port}/orders',
        ORDERS_HOST: '{pg.bindings.tcp.host}',
        ConnectionStrings__cache: '{cache.connectionString}',
        Key: '{key.value}',
        KEY_URI: 'x://{key-uri.value}',
        Level: '{level.value}$',
        Vault: '{vault.outputs.uri}',
        Route: '/catalog/{**rest}'
      },
      bindings: {http: http(), https: {...http(), scheme: 'https'}}
    },
    web: {
      type: 'container.v1',
      build: {context: way('web'), dockerfile: 'web.Dockerfile'},
      env: {
        NODE_ENV: 'production',
        PORT: '{web.bindings.http.targetPort}',
        API_HTTP: '{api.bindings.http.url}',
        API_HTTPS: '{api.bindings.https.url}'
      },
      bindings: {http: http({port: 4000, targetPort: 8000})}
    },
    worker: {
      type: 'executable.v0',
      workingDirectory: way('worker'),
      command: 'python3',
      args: ['main.py', '--web', '{web.bindings.http.url}'],
      env: {API: '{api.bindings.http.url}'}
    },
    vault: {type: 'azure.bicep.v0', path: 'vault.module.bicep'},
    'pg-password': {
      type: 'parameter.v0',
      value: '{pg-password.inputs.value}',
      inputs: {value: {type: 'string', secret: true, default: {generate: {minLength: 22}}}}
    },
    'pg-password-uri-encoded': {type: 'annotated.string', value: '{pg-password.value}', filter: 'uri'},
    'key-uri': {type: 'annotated.string', value: '{key.value}', filter: 'uri'},
    key: {type: 'parameter.v0', value: '{key.inputs.value}', inputs: {value: {type: 'string', secret: true}}},
    level: {
      type: 'parameter.v0',
      value: '{level.inputs.value}',
      inputs: {value: {type: 'string', default: {value: 'debug'}}}
    }
  }))
  const {template, notes} = await imported(t, FILES, '.', undefined, {tool})
  const byId = new Map(template.apps.map(app => [app['appID'], app]))
  t.same([...byId.keys()], ['pg', 'cache', 'api', 'web', 'worker'])
  t.strictSame(byId.get('api')?.['env'], {
    ConnectionStrings__orders:
      'Host=localhost;Port=5432;Username=postgres;Password=Local_1_pg-password;Database=orders',
    ORDERS_URI: 'postgresql://postgres:Local_1_pg-password@localhost:5432/orders',
    ORDERS_HOST: 'localhost',
    ConnectionStrings__cache: 'localhost:6379',
    Key: '${Parameters__key}',
    KEY_URI: 'x://${Parameters__key}',
    Level: 'debug$',
    Route: '/catalog/{**rest}'
  })
  t.match(byId.get('api'), {
    appDirPath: './Shop.Api',
    port: 5001,
    command: ['sh', '-c', 'exec dotnet run --urls http://localhost:$PORT'],
    dependsOn: {pg: 'ready', cache: 'ready'}
  })
  t.match(byId.get('pg'), {env: {POSTGRES_PASSWORD: 'Local_1_pg-password'}})
  const pg = String(byId.get('pg')?.['command'])
  t.match(pg, /--volume,\S+_shop-pg-data:\/var\/lib\/postgresql\/data,--volume,\.\/init:\/init:ro/)
  t.match(
    String(byId.get('cache')?.['command']),
    /--entrypoint,\/bin\/sh,\S+redis:8\.6,-c,redis-server --requirepass \$REDIS_PASSWORD$/
  )
  t.match(byId.get('web'), {port: 4000, command: ['npm', 'run', 'dev'], env: {API_HTTP: 'http://localhost:5001'}})
  t.notMatch(byId.get('web'), {env: {API_HTTPS: String}})
  t.match(byId.get('worker'), {
    command: ['python3', 'main.py', '--web', 'http://localhost:4000'],
    env: {API: 'http://localhost:5001'}
  })
  for (const note of [
    'pg-password: Aspire makes a value for each machine: here it is Local_1_pg-password',
    'key: a parameter without a value: set Parameters__key where pillion is started',
    'vault: left out: azure.bicep.v0 does not show what runs on this machine',
    'env: Vault: {vault.outputs.uri} is known where Aspire deploys it: write its value'
  ])
    t.ok(notes.includes(note), note)
  t.notOk(notes.some(note => note.includes('https')))
})

t.test('the command that writes the manifest, for each kind of AppHost; others are named', async t => {
  const kinds: readonly (readonly [files: Files, command: RegExp])[] = [
    [FILES, /^dotnet run --project \S+\/Shop\.AppHost\.csproj -- --publisher manifest --output-path \S+$/],
    [{'apphost.cs': '#:sdk Aspire.AppHost.Sdk@13.0.0'}, /^dotnet run --file \S+\/apphost\.cs -- --publisher manifest/],
    [{'apphost.ts': 'const builder = await createBuilder()'}, /^aspire do publish-manifest --output-path \S+$/]
  ]
  for (const [files, command] of kinds) {
    const {message} = await refusal(t, files)
    t.match(message.replace(/^\S+ is a program: (.*) shows what it starts$/, '$1'), command)
  }
})

t.test('a manifest that starts nothing, or is not there', async t => {
  const message = /^cannot import Shop\.AppHost\/Shop\.AppHost\.csproj: its manifest starts nothing on this machine$/
  t.match(await refusal(t, FILES, '.', undefined, () => ({resources: {}})), {message})
  t.match(await refusal(t, FILES, '.', undefined, () => []), {message: /wrote no JSON$/})
})
