// Aspire: the resources of an AppHost, as far as its program says them by literals (learn.microsoft.com/dotnet/aspire).
import {dirname, join, resolve} from 'node:path'
import {chainsOf, type ChainCall, type Chain} from './calls.ts'
import {importServices} from '../compose/compose.ts'
import {readImported} from '../find-source.ts'
import {pathTo, type Imported, type ImportedFile} from '../imported.ts'
import {projectFile} from '../folder/languages/dotnet.ts'
import {appsIn} from '../folder/folder.ts'
import {ownOf} from '../../../model/own.ts'
import {entriesOf, has, readText} from '../reading/files.ts'
import {given, listedValues, textsOf, type Values} from '../reading/yaml-file.ts'

/** The file of a folder that makes an AppHost; undefined: it is none. */
export function appHostFile(folder: string): string | undefined {
  if (/^#:sdk Aspire\.AppHost/m.test(readText(folder, 'apphost.cs'))) return 'apphost.cs'
  const project = projectFile(folder)
  if (project === undefined || !/Aspire\.AppHost|IsAspireHost/.test(readText(folder, project))) return undefined
  return ['AppHost.cs', 'Program.cs'].find(name => entriesOf(folder).includes(name))
}

/** Servers that Aspire runs as containers: its image, port and environment, and the address that others get. */
interface Server {
  readonly image: string
  readonly port: number
  readonly env?: Readonly<Record<string, string>>
  /** Behind the name of the host and its port; `{db}` is the name of a database in it. */
  readonly address: (host: string, database: string) => string
}

const inPairs =
  (pairs: string): Server['address'] =>
  (_, database) =>
    `${pairs}${database === '' ? '' : `;Database=${database}`}`

const SERVERS = new Map<string, Server>(
  Object.entries({
    Redis: {image: 'redis:8', port: 6379, address: host => host},
    Valkey: {image: 'valkey/valkey:8', port: 6379, address: host => host},
    Garnet: {image: 'ghcr.io/microsoft/garnet', port: 6379, address: host => host},
    Postgres: {
      image: 'postgres:17',
      port: 5432,
      env: {POSTGRES_PASSWORD: 'postgres'},
      address: inPairs('Host=localhost;Port=5432;Username=postgres;Password=postgres')
    },
    RabbitMQ: {
      image: 'rabbitmq:4',
      port: 5672,
      env: {RABBITMQ_DEFAULT_USER: 'rabbit', RABBITMQ_DEFAULT_PASS: 'rabbit'},
      address: host => `amqp://rabbit:rabbit@${host}`
    },
    MongoDB: {image: 'mongo:8', port: 27_017, address: (host, database) => `mongodb://${host}/${database}`},
    MySql: {
      image: 'mysql:9',
      port: 3306,
      env: {MYSQL_ROOT_PASSWORD: 'mysql'},
      address: inPairs('Server=localhost;Port=3306;User ID=root;Password=mysql')
    },
    SqlServer: {
      image: 'mcr.microsoft.com/mssql/server:2022-latest',
      port: 1433,
      env: {ACCEPT_EULA: 'Y', MSSQL_SA_PASSWORD: 'Strong_pass1'},
      address: inPairs('Server=localhost,1433;User ID=sa;Password=Strong_pass1;TrustServerCertificate=true')
    },
    Kafka: {image: 'apache/kafka:3.9.0', port: 9092, address: host => host},
    Nats: {image: 'nats:2', port: 4222, address: host => `nats://${host}`},
    Seq: {image: 'datalust/seq:2025', port: 80, env: {ACCEPT_EULA: 'Y'}, address: host => `http://${host}`}
  })
)

/** Programs, by the part of the call behind `Add`: the arguments of most are a name and a folder. */
const PROGRAMS =
  /^(?:Project|Dockerfile|NpmApp|NodeApp|ViteApp|JavaScriptApp|PnpmApp|YarnApp|BunApp|PythonApp|UvicornApp|PythonModule|UvApp|GolangApp|GoApp|JavaApp|SpringApp|RustApp|CSharpApp|DenoApp|NextJsApp)$/

/** What starts the file or the module behind that folder. */
const RUNNERS = {
  AddPythonApp: 'python3',
  AddPythonModule: 'python3 -m',
  AddUvicornApp: 'python3 -m uvicorn',
  AddNodeApp: 'node'
}

/** The programs that an AppHost starts; undefined: none of them can be read. */
export function importAppHost(path: string, root: string, cwd: string): Imported | undefined {
  const file = readImported(path, cwd)
  const host = new AppHost(file, root)
  if (Object.keys(host.services).length === 0) return undefined
  const base = {path: join(root, 'apphost'), shownAs: file.shownAs, text: ''}
  const values = {services: host.services}
  const imported = importServices({file: base, values, notes: host.notesOf, from: file.shownAs})
  return {...imported, notes: [...host.notes, ...imported.notes]}
}

/** A resource that others refer to. */
interface Resource {
  readonly id: string
  /** The variables in which another one gets its address, that of a connection maybe by a name of its own. */
  readonly variables: (connection?: string) => Readonly<Record<string, string>>
  /** The address of a database in a server. */
  readonly address?: (database: string) => string
}

class AppHost {
  readonly services: Record<string, Record<string, unknown>> = {}
  readonly notesOf = new Map<string, string[]>()
  readonly notes: string[] = []
  readonly #file: ImportedFile
  readonly #root: string
  /** By the variables of the program. */
  readonly #resources = new Map<string, Resource>()

  constructor(file: ImportedFile, root: string) {
    this.#file = file
    this.#root = root
    for (const chain of chainsOf(file.text)) this.#read(chain)
  }

  #place(call: ChainCall): string {
    return `${this.#file.shownAs}:${call.line}`
  }

  #note(id: string, call: ChainCall, text: string): void {
    this.notesOf.set(id, [...(this.notesOf.get(id) ?? []), `${this.#place(call)}: ${text}`])
  }

  #read({variable, start, calls}: Chain): void {
    const [first, ...others] = calls
    if (first === undefined) return
    let resource =
      start === 'builder' || /^builder$/i.test(start) ? this.#add(first, variable) : this.#resources.get(start)
    for (const call of resource !== undefined && start !== 'builder' ? calls : others) {
      if (resource === undefined) break
      if (call.name === 'AddDatabase') resource = this.#database(resource, call)
      else this.#apply(resource, call)
    }
    if (variable !== '' && resource !== undefined) this.#resources.set(variable, resource)
  }

  /** A resource whose name is not written has that of its variable. */
  #add(call: ChainCall, variable: string): Resource | undefined {
    const [, what = ''] = /^Add(\w+)$/.exec(call.name) ?? []
    const id = call.texts[0] ?? variable
    if (what === 'Parameter')
      this.notes.push(`${this.#place(call)}: the parameter ${id} has no value here: write it where it is used`)
    if (/^(?:|Dapr|Parameter|(?:DockerCompose|AzureContainerApp|Kubernetes)Environment)$/.test(what)) return undefined
    if (id === '') {
      this.notes.push(`${this.#place(call)}: ${call.name} is left out: its name is not written here`)
      return undefined
    }
    const plain = what.replace(/^Azure(?:Managed)?|(?:FlexibleServer|Container|Server)$/g, '')
    const server = SERVERS.get(what) ?? SERVERS.get(plain)
    if (server !== undefined) return this.#server(id, server)
    if (PROGRAMS.test(what)) return this.#program(id, this.#projectFolder(call), call)
    if (what === 'Container') {
      const [, image = '', tag = 'latest'] = call.texts
      this.services[id] = {image: `${image}:${tag}`, environment: {}}
      return {id, variables: () => ({})}
    }
    const why = ['Connection', 'ConnectionString', 'ExternalService'].includes(what)
      ? `${id} is outside of this: write its address into env of those that use it`
      : `${call.name} ("${id}") is left out: what it starts is not known here`
    this.notes.push(`${this.#place(call)}: ${why}`)
    return undefined
  }

  #server(id: string, {image, port, env, address}: Server): Resource {
    this.services[id] = {image, environment: {...env}, ports: [`${port}:${port}`]}
    const at = (database: string): string => address(`${id}:${port}`, database)
    return {id, address: at, variables: (connection = id) => ({[`ConnectionStrings__${connection}`]: at('')})}
  }

  #database(server: Resource, call: ChainCall): Resource {
    const [name = '', own = name] = call.texts
    const value = server.address?.(own) ?? ''
    if (value.includes(';Database='))
      this.#note(server.id, call, `the database ${own} is not made here: have a program make it, or do so once`)
    return {id: server.id, variables: (connection = name) => ({[`ConnectionStrings__${connection}`]: value})}
  }

  /** `Projects.Shop_Api` is the project `Shop.Api.csproj` that the AppHost refers to. */
  #projectFolder(call: ChainCall): string | undefined {
    const folder = dirname(this.#file.path)
    const named = resolve(folder, (call.texts[1] ?? '').replaceAll('\\', '/'))
    if (call.generic === '') return named.endsWith('.csproj') ? dirname(named) : named
    const name = call.generic.replace(/^(?:global::)?Projects\./, '')
    const text = readText(folder, projectFile(folder) ?? '')
    const references = [...text.matchAll(/<ProjectReference\s+Include="([^"]+)"/g)].map(([, path = '']) =>
      path.replaceAll('\\', '/')
    )
    const wanted = new RegExp(`(?:^|/)${name.replaceAll(/\W|_/g, '[^/a-zA-Z0-9]')}\\.\\w+proj$`)
    const found = references.find(path => wanted.test(path))
    return found === undefined ? undefined : dirname(resolve(folder, found))
  }

  #program(id: string, folder: string | undefined, call: ChainCall): Resource | undefined {
    const [, , named = '', target] = call.texts
    const isImage = call.name === 'AddDockerfile'
    const isThere = folder !== undefined && entriesOf(folder).length > 0
    const isRead = isThere && (isImage || has(folder, 'Dockerfile') || appsIn(folder).length > 0)
    const runner = isRead || named === '' ? undefined : ownOf(RUNNERS, call.name)
    if (!isThere || (!isRead && runner === undefined)) {
      const why = isThere ? 'what it starts is not known here' : 'its project is not where this says'
      this.notes.push(`${this.#place(call)}: ${id} is left out: ${why}`)
      return undefined
    }
    const words = runner && [...(has(folder, 'uv.lock') ? ['uv', 'run'] : []), ...runner.split(' '), named]
    this.services[id] = {
      build: {context: pathTo(folder, this.#root), ...(isImage && named !== '' && given({dockerfile: named, target}))},
      environment: {},
      depends_on: {},
      ...given({command: words})
    }
    return {id, variables: () => ({[`services__${id}__http__0`]: `http://${id}`})}
  }

  #apply({id}: Resource, call: ChainCall): void {
    const service = this.services[id]
    if (service === undefined) return
    const other = this.#resources.get(call.words[0] ?? '')
    const areWritten = call.words.length === 0 && !call.texts.includes(undefined)
    const env = service['environment'] as Record<string, string>
    const needs = (service['depends_on'] ?? {}) as Record<string, Values>
    const note = (text: string): void => this.#note(id, call, text)
    if (call.name === 'WithReference') {
      if (other === undefined)
        note(`${call.name}(${call.words[0] ?? '…'}) is not carried over: what it refers to was not read`)
      else Object.assign(env, other.variables(call.named.get('connectionName') ?? call.texts[0]))
    } else if (/^WaitFor(?:Completion|Start)?$/.test(call.name)) {
      const condition =
        {WaitForCompletion: 'service_completed_successfully', WaitForStart: 'service_started'}[call.name] ??
        'service_healthy'
      if (other !== undefined && other.id !== id) service['depends_on'] = {...needs, [other.id]: {condition}}
    } else if (call.name === 'WithEnvironment') {
      const [name = '', value] = call.texts
      if (value === undefined)
        note(`${name === '' ? call.name : name} is not carried over: its value is not written here`)
      else env[name] = value.replaceAll('$', () => '$$')
    } else if (/^With(?:Http|Https|)Endpoint$/.test(call.name)) {
      const [first, second] = call.words.map(word => (/^\d+$/.test(word) ? word : undefined))
      const [port = first, target = second] = [call.named.get('port'), call.named.get('targetPort')]
      const inside = target ?? (call.named.has('env') ? port : undefined)
      const both = inside === undefined ? port : `${port ?? inside}:${inside}`
      if (both !== undefined) service['ports'] = [...listedValues(service['ports']), both]
      const variable = call.named.get('env')
      if (variable !== undefined && variable !== 'PORT')
        note(`${variable} says its port: write it into env, or appPort`)
    } else if (call.name === 'WithArgs' && 'command' in service && areWritten)
      service['command'] = [...textsOf(service['command']), ...textsOf(call.texts)]
    else if (call.name === 'WithDaprSidecar' && call.texts.length + call.words.length > 0)
      note('WithDaprSidecar is not carried over: write its options, appID, appPort, resourcesPaths')
    else if (/^With(?:Args|\w*BindMount|\w*Volume|Replicas|Image\w*|HostPort|InitFiles)$/.test(call.name))
      note(`${call.name} is not carried over`)
  }
}
