import t from 'tap'
import {imported, refusal} from './read.ts'

const HOST = `
var builder = DistributedApplication.CreateBuilder(args);

// var old = builder.AddRedis("old");
var cache = builder.AddRedis("cache").WithRedisInsight();
var db = builder.AddPostgres("pg").WithDataVolume().AddDatabase("orders");
var key = builder.AddParameter("key", secret: true);
var queue = builder.AddQueueOfOurs("queue");

var api = builder.AddProject<Projects.Shop_Api>("api")
    .WithReference(cache)
    .WithReference(db).WaitFor(db)
    .WithReference(queue)
    .WithEnvironment("LEVEL", "debug$")
    .WithEnvironment("KEY", key);

builder.AddNpmApp("web", "../web", "dev")
    .WithReference(api)
    .WaitFor(api)
    .WithHttpEndpoint(port: 4000, env: "PORT");
builder.AddProject<Projects.Gone>("gone");
builder.Build().Run();
`

const project = (sdk: string, more = ''): string => `<Project Sdk="${sdk}">${more}</Project>`

t.test(
  'an AppHost: its projects, servers, references and ports; what it does not say by literals is a mark',
  async t => {
    const {template, notes} = await imported(t, {
      'Shop.AppHost': {
        'Shop.AppHost.csproj': project(
          'Microsoft.NET.Sdk',
          '<Sdk Name="Aspire.AppHost.Sdk" /><OutputType>Exe</OutputType><ProjectReference Include="..\\Shop.Api\\Shop.Api.csproj" />'
        ),
        'Program.cs': HOST
      },
      'Shop.Api': {
        'Shop.Api.csproj': project('Microsoft.NET.Sdk.Web'),
        Properties: {
          'launchSettings.json':
            '{"iisSettings": {"iisExpress": {"applicationUrl": "http://localhost:9999"}}, "profiles": {"https": {"commandName": "Project", "applicationUrl": "https://localhost:7001;http://localhost:5001"}}}'
        }
      },
      web: {'package.json': '{"scripts": {"dev": "vite"}}', 'package-lock.json': ''}
    })
    const byId = new Map(template.apps.map(app => [app['appID'], app]))
    t.same([...byId.keys()], ['cache', 'pg', 'api', 'web'])
    t.match(byId.get('api'), {
      appDirPath: './Shop.Api',
      appPort: 5001,
      command: ['dotnet', 'run'],
      env: {
        ConnectionStrings__cache: 'localhost:6379',
        ConnectionStrings__orders: 'Host=localhost;Port=5432;Username=postgres;Password=postgres;Database=orders',
        LEVEL: 'debug$'
      },
      dependsOn: {pg: 'ready'}
    })
    t.match(byId.get('web'), {
      appDirPath: './web',
      port: 4000,
      env: {services__api__http__0: 'http://localhost:5001'},
      dependsOn: {api: 'ready'}
    })
    for (const note of [
      'Shop.AppHost/Program.cs:7: the parameter key has no value here: write it where it is used',
      'Shop.AppHost/Program.cs:8: AddQueueOfOurs ("queue") is left out: what it starts is not known here',
      'Shop.AppHost/Program.cs:13: WithReference(queue) is not carried over: what it refers to was not read',
      'Shop.AppHost/Program.cs:15: KEY is not carried over: its value is not written here',
      'Shop.AppHost/Program.cs:21: gone is left out: its project is not where this says'
    ])
      t.ok(notes.includes(note), note)
  }
)

t.test('an AppHost that adds nothing', async t => {
  const files = {
    'apphost.cs': '#:sdk Aspire.AppHost.Sdk@13.0.0\nvar builder = X.CreateBuilder(args);\nbuilder.Build().Run();\n'
  }
  t.match(await refusal(t, files), {explanation: /apphost\.cs: it adds nothing that can be read/})
})

t.test('each endpoint of a resource is a port, also where its numbers have no names', async t => {
  const {template, notes} = await imported(t, {
    'apphost.cs':
      '#:sdk Aspire.AppHost.Sdk@13.0.0\nbuilder.AddContainer("mail", "mailpit").WithHttpEndpoint(8026, 8025, name: "ui").WithEndpoint(null, 1025);\nbuilder.AddRedis("cache").WithImageTag("7").WithDataVolume();\n'
  })
  t.match(String(template.apps[0]?.['command']), ',--publish,8026:8025,--publish,1025:1025,')
  t.match(String(template.apps[1]?.['command']), ',redis:7')
  t.ok(notes.includes('apphost.cs:3: WithDataVolume is not carried over'))
})

t.test('what else an AppHost gives a resource is reported', async t => {
  const {notes} = await imported(t, {
    'apphost.cs':
      '#:sdk Aspire.AppHost.Sdk@13.0.0\nbuilder.AddContainer("a", "x").WithArgs("--fast")\n  .WithBindMount("./a", "/a");\n'
  })
  t.strictSame(notes.slice(0, 2), [
    'apphost.cs:2: WithArgs is not carried over',
    'apphost.cs:3: WithBindMount is not carried over'
  ])
})

t.test('a reference has the name of its connection', async t => {
  const {template} = await imported(t, {
    'AppHost.csproj': '<IsAspireHost/><ProjectReference Include="Api/Api.csproj" />',
    'Program.cs': `var builder = DistributedApplication.CreateBuilder(args);
var cache = builder.AddRedis("cache");
var db = builder.AddPostgres("pg").AddDatabase("orders");
var api = builder.AddProject<Projects.Api>("api").WithReference(cache, "redis").WithReference(db, connectionName: "Default");
`,
    Api: {'Api.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web"/>'}
  })
  t.strictSame(template.apps.find(({appID}) => appID === 'api')?.['env'], {
    ConnectionStrings__redis: 'localhost:6379',
    ConnectionStrings__Default: 'Host=localhost;Port=5432;Username=postgres;Password=postgres;Database=orders'
  })
})

t.test('names with values in them: the variable is the name, and other texts keep their places', async t => {
  const {template, notes} = await imported(t, {
    'apphost.cs': `#:sdk Aspire.AppHost.Sdk@13.0.0
var db = builder.AddPostgres("pg").AddDatabase("shopdb");
var api = builder.AddProject($"{prefix}-api", "Api/Api.csproj").WithReference(db).WithEnvironment("KEY", $"{x}");
var web = builder.AddNpmApp($"{prefix}-web", "web", "dev").WithReference(api);
builder.AddContainer($"{prefix}-mail", "mailpit");
`,
    Api: {'Api.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web">'},
    web: {'package.json': '{"scripts": {"dev": "vite"}}'}
  })
  t.match(template.apps, [{appID: 'pg'}, {appID: 'api', appDirPath: './Api'}, {appID: 'web', appDirPath: './web'}])
  t.equal(template.apps.length, 3)
  for (const note of [
    'apphost.cs:2: the database shopdb is not made here: have a program make it, or do so once',
    'apphost.cs:3: KEY is not carried over: its value is not written here',
    'apphost.cs:5: AddContainer is left out: its name is not written here'
  ])
    t.ok(notes.includes(note), note)
})

t.test('where an AppHost adds nothing that can be read, the projects next to it are taken', async t => {
  const {template, notes} = await imported(t, {
    AppHost: {
      'AppHost.csproj': '<Project Sdk="Aspire.AppHost.Sdk"><OutputType>Exe</OutputType>',
      'AppHost.cs': 'var builder = X.CreateBuilder(args);\nbuilder.ConfigureServices();\n'
    },
    Api: {'Api.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web">'}
  })
  t.match(template.apps, [{appID: 'Api'}])
  t.equal(template.apps.length, 1)
  t.match(notes, [/^AppHost\/AppHost\.cs: left out, as it adds nothing that can be read/])
})

t.test('servers of one kind have their own variables', async t => {
  const {template} = await imported(t, {
    'apphost.cs': `#:sdk Aspire.AppHost.Sdk@13.0.0
builder.AddPostgres("pg").WithEnvironment("POSTGRES_DB", "orders");
builder.AddPostgres("other");
`
  })
  t.strictSame(
    template.apps.map(({env}) => env),
    [{POSTGRES_PASSWORD: 'postgres', POSTGRES_DB: 'orders'}, {POSTGRES_PASSWORD: 'postgres'}]
  )
})

t.test('texts that the program names are read as if they stood in its calls', async t => {
  const {template, notes} = await imported(t, {
    'apphost.cs': `#:sdk Aspire.AppHost.Sdk@13.0.0
var ordersName = "orders";
string level = "debug";
var pg = builder.AddPostgres("pg").WithEnvironment("POSTGRES_DB", ordersName);
var orders = pg.AddDatabase(ordersName);
builder.AddNpmApp("web", "web").WithReference(orders).WithEnvironment("LEVEL", level).WithEnvironment("TEXT", "a, level)");
`,
    web: {'package.json': '{"scripts": {"dev": "vite"}}'}
  })
  t.strictSame(
    template.apps.map(({env}) => env),
    [
      {POSTGRES_PASSWORD: 'postgres', POSTGRES_DB: 'orders'},
      {
        ConnectionStrings__orders: 'Host=localhost;Port=5432;Username=postgres;Password=postgres;Database=orders',
        ORDERS_HOST: 'localhost',
        ORDERS_PORT: '5432',
        ORDERS_USERNAME: 'postgres',
        ORDERS_PASSWORD: 'postgres',
        ORDERS_DATABASENAME: 'orders',
        ORDERS_URI: 'postgresql://postgres:postgres@localhost:5432/orders',
        LEVEL: 'debug',
        TEXT: 'a, level)'
      }
    ]
  )
  t.ok(notes.includes('apphost.cs:5: the database orders is not made here: have a program make it, or do so once'))
})

t.test('programs that an AppHost names by a folder, a file or a module', async t => {
  const {template, notes} = await imported(t, {
    'apphost.cs': `#:sdk Aspire.AppHost.Sdk@13.0.0
var api = builder.AddCSharpApp("api", "./api");
builder.AddPythonApp("job", "./job", "tick.py").WithReference(api);
builder.AddPythonModule("module", "./module", "uvicorn").WithArgs("api:app", "--port=8000");
builder.AddNodeApp("node", "./node", "tick.js").WithArgs(value).WithArgs($"{x}");
builder.AddGoApp("go", "./go");
builder.AddDockerfile("image", "./image", "Dockerfile.dev", "dev");
builder.AddJavaApp("java", "./java", "target/app.jar");
`,
    api: {'Api.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web"/>'},
    job: {'tick.py': ''},
    module: {'api.py': '', 'uv.lock': ''},
    node: {'tick.js': ''},
    go: {'go.mod': '', 'main.go': 'package main'},
    image: {'Dockerfile.dev': 'FROM scratch AS dev\n'},
    java: {'pom.xml': '<project/>'}
  })
  t.match(template.apps, [
    {appID: 'api', appDirPath: './api', command: ['dotnet', 'run']},
    {appID: 'job', appDirPath: './job', command: ['python3', 'tick.py']},
    {appID: 'module', command: ['uv', 'run', 'python3', '-m', 'uvicorn', 'api:app', '--port=8000'], port: 8000},
    {appID: 'node', appDirPath: './node', command: ['node', 'tick.js']},
    {appID: 'go', command: ['go', 'run', '.']},
    {appID: 'image'}
  ])
  t.equal(template.apps.length, 6, 'no image of a folder without a Dockerfile')
  t.match(String(template.apps[5]?.['command']), ',./image/Dockerfile.dev,./image,--target=dev,')
  for (const note of [
    'apphost.cs:5: WithArgs is not carried over',
    'apphost.cs:8: java is left out: what it starts is not known here'
  ])
    t.ok(notes.includes(note), note)
})

t.test('the options of a sidecar of Dapr are a mark', async t => {
  const {notes} = await imported(t, {
    'apphost.cs': `#:sdk Aspire.AppHost.Sdk
var builder = DistributedApplication.CreateBuilder(args);
builder.AddDapr();
builder.AddNpmApp("a", "a", "dev").WithDaprSidecar(new DaprSidecarOptions { AppId = "b", AppPort = 4000 });
builder.AddNpmApp("b", "a", "dev").WithDaprSidecar();
`,
    a: {'package.json': '{"scripts": {"dev": "vite"}}'}
  })
  t.strictSame(
    notes.filter(note => note.includes('Dapr')),
    ['apphost.cs:4: WithDaprSidecar is not carried over: write its options, appID, appPort, resourcesPaths']
  )
})

const WEB = {'package.json': '{"scripts": {"dev": "vite"}}'}

t.test(
  'programs of other languages get addresses as Aspire names them for these; those of .NET do not read them',
  async t => {
    const {template} = await imported(t, {
      'apphost.cs': `#:sdk Aspire.AppHost.Sdk@13.0.0
var cache = builder.AddRedis("my-cache");
var api = builder.AddCSharpApp("my-api", "./api").WithReference(cache);
builder.AddViteApp("web", "./web").WithReference(api).WithReference(cache);
`,
      api: {'Api.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web"/>'},
      web: WEB
    })
    const [, api, web] = template.apps
    t.strictSame(Object.keys(api?.['env'] as object), ['ConnectionStrings__my-cache'])
    t.match(web?.['env'], {
      MY_API_HTTP: /^http:\/\/localhost/,
      MY_CACHE_HOST: 'localhost',
      MY_CACHE_PORT: '6379',
      MY_CACHE_URI: 'redis://localhost:6379'
    })
  }
)

t.test('values that the program has: of parameters, endpoints and images', async t => {
  const {template, notes} = await imported(t, {
    'apphost.cs': `#:sdk Aspire.AppHost.Sdk@13.0.0
var level = builder.AddParameter("level", "debug");
var mail = builder.AddContainer("mail", "mailpit:v1").WithHttpEndpoint(targetPort: 8025);
var api = builder.AddViteApp("api", "./api").WithHttpEndpoint(port: 4000, env: "PORT");
var endpoint = api.GetEndpoint("http");
builder.AddViteApp("web", "./web").WithEnvironment("LEVEL", level).WithEnvironment("API", endpoint)
  .WithEnvironment("API2", api.GetEndpoint("http")).WithEnvironment("MAIL", mail.GetEndpoint("http"));
builder.AddPostgres("pg").WithImage("ankane/pgvector").WithImageTag("latest");
`,
    api: {...WEB},
    web: WEB
  })
  const [mail, , web, pg] = template.apps
  t.match(String(mail?.['command']), ',mailpit:v1')
  t.match(String(pg?.['command']), ',ankane/pgvector:latest')
  const [api, at] = ['http://localhost:4000', 'http://localhost:8025']
  t.strictSame(web?.['env'], {LEVEL: 'debug', API: api, API2: api, MAIL: at})
  t.notOk(notes.some(note => /level|LEVEL|WithImage/.test(note)))
})

t.test(
  'constants of classes, also of a library, are the texts that they are; unknown ones shift no other text',
  async t => {
    const {template, notes} = await imported(t, {
      AppHost: {
        'AppHost.csproj': '<IsAspireHost/><ProjectReference Include="../Shared/Shared.csproj" />',
        'Program.cs': `var db = builder.AddPostgres(Services.Server).AddDatabase(Services.Db.Orders);
builder.AddViteApp(Services.Web, "../web").WithReference(db).WithEnvironment(Names.Level, "debug");
builder.AddPostgres("other").AddDatabase(Gone.Name);
`,
        'Names.cs': 'static class Names { public const string Level = "LEVEL"; }'
      },
      Shared: {
        'Shared.csproj': '<Project Sdk="Microsoft.NET.Sdk"/>',
        'Services.cs':
          'public static class Services {\n public const string Server = "dbserver";\n public const string Web = "front";\n public static class Db { public const string Orders = "ordersdb"; } }'
      },
      web: WEB
    })
    t.match(template.apps, [{appID: 'dbserver'}, {appID: 'front'}, {appID: 'other'}])
    t.match(template.apps[1]?.['env'], {
      LEVEL: 'debug',
      ConnectionStrings__ordersdb: /Port=5432;.*;Database=ordersdb$/
    })
    t.match(String(template.apps[2]?.['command']), ',5433:5432,', 'two servers, two ports')
    t.notOk(notes.some(note => note.includes('Gone')))
  }
)

t.test('an AppHost of TypeScript', async t => {
  const {template} = await imported(t, {
    'apphost.ts': `import { createBuilder } from './.modules/aspire.js';
const builder = await createBuilder();
const cache = await builder.addRedis('cache');
// it's the API
const api = await builder
    .addNodeApp("api", "./api", "src/index.ts")
    .withHttpEndpoint({ env: "PORT", port: 4000 })
    .withReference(cache);
await builder.addViteApp('web', './web').withReference(api).waitFor(api);
await builder.build().run();
`,
    'package.json': '{"scripts": {"dev": "aspire run"}}',
    api: {...WEB},
    web: WEB
  })
  t.match(template.apps, [
    {appID: 'cache'},
    {appID: 'api', port: 4000, env: {CACHE_URI: 'redis://localhost:6379'}},
    {appID: 'web', env: {API_HTTP: 'http://localhost:4000'}, dependsOn: {api: 'ready'}}
  ])
})

t.test('of several programs of Python in a folder the one that is named starts', async t => {
  const {template} = await imported(t, {
    'apphost.cs': `#:sdk Aspire.AppHost.Sdk@13.0.0
builder.AddUvicornApp("api", "./py", "main:app");
builder.AddPythonApp("worker", "./py", "worker.py");
`,
    py: {'main.py': 'app = FastAPI()', 'worker.py': '', 'requirements.txt': ''}
  })
  t.match(
    template.apps.map(({command}) => (command as readonly string[]).slice(0, 4).join(' ')),
    ['python3 -m uvicorn main:app', 'python3 worker.py']
  )
})

t.test('a server is published at the port that its call names', async t => {
  const {template} = await imported(t, {
    'apphost.cs':
      '#:sdk Aspire.AppHost.Sdk@13.0.0\nbuilder.AddPostgres("a");\nbuilder.AddPostgres("b", port: 5440);\nbuilder.AddRedis("cache", 6380);\n'
  })
  const commands = template.apps.map(({command}) => String(command))
  t.match(commands, [/,5432:5432,/, /,5440:5432,/, /,6380:6379,/])
})
