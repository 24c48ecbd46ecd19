// Aspire: the resources of an AppHost, as far as its program says them by literals (learn.microsoft.com/dotnet/aspire).
import {dirname, join, resolve} from 'node:path'
import {chainsOf, type ChainCall, type Chain} from './calls.ts'
import {importServices} from '../compose/compose.ts'
import {freeFrom} from '../compose/ports.ts'
import {imageName} from '../kubernetes/workloads.ts'
import {readImported} from '../find-source.ts'
import {pathTo, type Imported, type ImportedFile} from '../imported.ts'
import {projectFile} from '../folder/languages/dotnet.ts'
import {appsIn} from '../folder/folder.ts'
import {ownOf} from '../../../model/own.ts'
import {entriesOf, has, readText, sourcesIn, textAt} from '../reading/files.ts'
import {given, listedValues, textsOf, type Values} from '../reading/yaml-file.ts'

/** The file of a folder that makes an AppHost; undefined: it is none. */
export function appHostFile(folder: string): string | undefined {
  const file = ['apphost.cs', 'apphost.ts', 'apphost.mts', 'apphost.js', 'apphost.mjs'].find(name =>
    /^#:sdk Aspire\.AppHost|\bcreateBuilder\(/m.test(readText(folder, name))
  )
  if (file !== undefined) return file
  const project = projectFile(folder)
  if (project === undefined || !/Aspire\.AppHost|IsAspireHost/.test(readText(folder, project))) return undefined
  return ['AppHost.cs', 'Program.cs'].find(name => entriesOf(folder).includes(name))
}

type Texts = Readonly<Record<string, string>>

/** A server that Aspire runs as a container: `url` is that before its host. .NET gets `pairs`, with its `{port}` on this machine. */
type Server = readonly [image: string, port: number, url: string, pairs?: string | undefined, env?: Texts]

const POSTGRES = 'Host=localhost;Port={port};Username=postgres;Password=postgres'
const MYSQL = 'Server=localhost;Port={port};User ID=root;Password=mysql'
const MSSQL = 'Server=localhost,{port};User ID=sa;Password=Strong_pass1;TrustServerCertificate=true'
const MSSQL_IMAGE = 'mcr.microsoft.com/mssql/server:2022-latest'
const MSSQL_ENV = {ACCEPT_EULA: 'Y', MSSQL_SA_PASSWORD: 'Strong_pass1'}
const RABBIT_ENV = {RABBITMQ_DEFAULT_USER: 'rabbit', RABBITMQ_DEFAULT_PASS: 'rabbit'}

const SERVERS: Readonly<Record<string, Server>> = {
  Redis: ['redis:8', 6379, 'redis://', '{host}'],
  Valkey: ['valkey/valkey:8', 6379, 'valkey://', '{host}'],
  Garnet: ['ghcr.io/microsoft/garnet', 6379, 'redis://', '{host}'],
  Postgres: ['postgres:17', 5432, 'postgresql://postgres:postgres@', POSTGRES, {POSTGRES_PASSWORD: 'postgres'}],
  RabbitMQ: ['rabbitmq:4', 5672, 'amqp://rabbit:rabbit@', undefined, RABBIT_ENV],
  MongoDB: ['mongo:8', 27_017, 'mongodb://'],
  MySql: ['mysql:9', 3306, 'mysql://root:mysql@', MYSQL, {MYSQL_ROOT_PASSWORD: 'mysql'}],
  SqlServer: [MSSQL_IMAGE, 1433, 'mssql://sa:Strong_pass1@', MSSQL, MSSQL_ENV],
  Kafka: ['apache/kafka:3.9.0', 9092, '', '{host}'],
  Nats: ['nats:2', 4222, 'nats://'],
  Seq: ['datalust/seq:2025', 80, 'http://', undefined, {ACCEPT_EULA: 'Y'}]
}

/** Programs, by the part of the call behind `Add`: the arguments of most are a name and a folder. */
const PROGRAMS =
  /^(?:Project|Dockerfile|NpmApp|NodeApp|ViteApp|JavaScriptApp|PnpmApp|YarnApp|BunApp|PythonApp|UvicornApp|PythonModule|UvApp|GolangApp|GoApp|JavaApp|SpringApp|RustApp|CSharpApp|DenoApp|NextJsApp)$/

/** What starts the file or the module behind that folder. */
const RUNNERS = {PythonApp: 'python3', PythonModule: 'python3 -m', UvicornApp: 'python3 -m uvicorn', NodeApp: 'node'}

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
  readonly value?: string
  /** The variables in which others get its address, that of a connection maybe by a name of its own. `isPlain`: they are none of .NET. */
  readonly variables?: (isPlain: boolean, connection?: string) => Texts
  /** A database in a server, by the name at which others know it. */
  readonly database?: (name: string, own: string) => Resource
}

/** Variables of a resource, as other languages than those of .NET read them. */
function withPrefix(name: string, values: Values): Texts {
  const prefix = name.replaceAll(/\W/g, '_').toUpperCase()
  return Object.fromEntries(Object.entries(given(values)).map(([key, value]) => [`${prefix}_${key}`, String(value)]))
}

class AppHost {
  readonly services: Record<string, Record<string, unknown>> = {}
  readonly notesOf = new Map<string, string[]>()
  readonly notes: string[] = []
  readonly #file: ImportedFile
  readonly #root: string
  /** The ports of its servers. */
  readonly #taken = new Set<number>()
  /** By the variables of the program. */
  readonly #resources = new Map<string, Resource>()

  constructor(file: ImportedFile, root: string) {
    this.#file = file
    this.#root = root
    for (const chain of chainsOf(file.text, this.#libraries())) this.#read(chain)
  }

  #place(call: ChainCall): string {
    return `${this.#file.shownAs}:${call.line}`
  }

  #note(id: string, call: ChainCall, text: string): void {
    this.notesOf.set(id, [...(this.notesOf.get(id) ?? []), `${this.#place(call)}: ${text}`])
  }

  #read({variable, start, calls: [first, ...others]}: Chain): void {
    if (first === undefined) return
    const isNew = /^builder$/i.test(start)
    let resource = isNew ? this.#add(first, variable) : this.#resources.get(start)
    for (const call of isNew ? others : [first, ...others]) {
      if (resource === undefined) return
      if (call.name === 'AddDatabase') resource = this.#database(resource, call)
      else this.#apply(resource, call)
    }
    if (variable !== '' && resource !== undefined) this.#resources.set(variable, resource)
  }

  /** The value of a resource in the environment of others: its address, or the value of a parameter. */
  #valueOf({id, value}: Resource): string | undefined {
    const [port] = textsOf(this.services[id]?.['ports'])
    return value ?? (port && `http://${id}:${port.replace(/.*:/, '')}`)
  }

  /** A resource whose name is not written has that of its variable. */
  #add(call: ChainCall, variable: string): Resource | undefined {
    const [, what = ''] = /^Add(\w+)$/.exec(call.name) ?? []
    const id = call.texts[0] ?? variable
    if (what === 'Parameter') {
      const [, value] = call.texts
      if (value !== undefined) return {id: '', value}
      this.notes.push(`${this.#place(call)}: the parameter ${id} has no value here: write it where it is used`)
    }
    if (/^(?:|Dapr|Parameter|(?:DockerCompose|AzureContainerApp|Kubernetes)Environment)$/.test(what)) return undefined
    if (id === '') {
      this.notes.push(`${this.#place(call)}: ${call.name} is left out: its name is not written here`)
      return undefined
    }
    const plain = what.replace(/^Azure(?:Managed)?|(?:FlexibleServer|Container|Server)$/g, '')
    const server = ownOf(SERVERS, what) ?? ownOf(SERVERS, plain)
    if (server !== undefined) return this.#server(id, server, call)
    if (PROGRAMS.test(what)) return this.#program(id, this.#projectFolder(call), call)
    if (what === 'Container') {
      this.services[id] = {image: textsOf(call.texts.slice(1, 3)).join(':'), environment: {}}
      return {id, variables: () => ({})}
    }
    const why = ['Connection', 'ConnectionString', 'ExternalService'].includes(what)
      ? `${id} is outside of this: write its address into env of those that use it`
      : `${call.name} ("${id}") is left out: what it starts is not known here`
    this.notes.push(`${this.#place(call)}: ${why}`)
    return undefined
  }

  #server(id: string, [image, port, url, pairs, env]: Server, {named, words}: ChainCall): Resource {
    const own = freeFrom([named.get('port'), ...words].map(Number).find(each => each > 0) ?? port, this.#taken)
    this.#taken.add(own)
    this.services[id] = {image, environment: {...env}, ports: [`${own}:${port}`]}
    const [, USERNAME, PASSWORD] = /\/\/(\w+):(\w+)@/.exec(url) ?? []
    const known = (name: string, database: string): Resource => {
      const way = database && `/${database}`
      const at = (pairs ?? `${url}{host}${way}`).replace('{host}', `${id}:${port}`).replace('{port}', `${own}`)
      const value = at.includes('=') && database !== '' ? `${at};Database=${database}` : at
      const place = {HOST: 'localhost', PORT: own, USERNAME, PASSWORD, DATABASENAME: database || undefined}
      const plain = {...place, URI: url === '' ? undefined : `${url}localhost:${own}${way}`}
      const variables: Resource['variables'] = (isPlain, connection = name) => ({
        [`ConnectionStrings__${connection}`]: value,
        ...(isPlain && withPrefix(connection, plain))
      })
      return {id, value, variables, database: known}
    }
    return known(id, '')
  }

  #database(server: Resource, call: ChainCall): Resource {
    const [name = '', own = name] = call.texts
    if (name === '') return {id: server.id}
    const made = server.database?.(name, own) ?? server
    if (made.value?.includes(';Database=') === true)
      this.#note(server.id, call, `the database ${own} is not made here: have a program make it, or do so once`)
    return made
  }

  /** The paths of the projects that its project refers to, from its folder. */
  #references(): readonly string[] {
    const folder = dirname(this.#file.path)
    const text = readText(folder, projectFile(folder) ?? '')
    const found = text.matchAll(/<ProjectReference\s+Include="([^"]+)"/g)
    return Array.from(found, ([, path = '']) => path.replaceAll('\\', '/'))
  }

  /** The texts of its other files and of projects without a program, which may name what it adds. */
  #libraries(): readonly string[] {
    const folder = dirname(this.#file.path)
    const folders = this.#references().map(path => dirname(resolve(folder, path)))
    const all = projectFile(folder) === undefined ? [] : [folder, ...folders.filter(each => appsIn(each).length === 0)]
    const paths = all.flatMap(sourcesIn).filter(path => path.endsWith('.cs') && path !== this.#file.path)
    return paths.map(textAt)
  }

  /** `Projects.Shop_Api` is the project `Shop.Api.csproj` that the AppHost refers to. */
  #projectFolder(call: ChainCall): string | undefined {
    const folder = dirname(this.#file.path)
    const named = resolve(folder, (call.texts[1] ?? '').replaceAll('\\', '/'))
    if (call.generic === '') return named.endsWith('.csproj') ? dirname(named) : named
    const name = call.generic.replace(/^(?:global::)?Projects\./, '')
    const wanted = new RegExp(`(?:^|/)${name.replaceAll(/\W|_/g, '[^/a-zA-Z0-9]')}\\.\\w+proj$`)
    const found = this.#references().find(path => wanted.test(path))
    return found === undefined ? undefined : dirname(resolve(folder, found))
  }

  #program(id: string, folder: string | undefined, call: ChainCall): Resource | undefined {
    const [, , named = '', target] = call.texts
    const isImage = call.name === 'AddDockerfile'
    const isThere = folder !== undefined && entriesOf(folder).length > 0
    const started = isThere ? appsIn(folder).flatMap(({keys}) => textsOf(keys['command'])) : []
    // a folder may have several programs of Python
    const isNamed =
      named === '' || !/Py|Uv/.test(call.name) || started.some(word => word.startsWith(named.replace(/\.py$/, '')))
    const isRead = isThere && isNamed && (isImage || has(folder, 'Dockerfile') || started.length > 0)
    const runner = isRead || named === '' ? undefined : ownOf(RUNNERS, call.name.slice(3))
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
      'x-dotnet': /Project|CSharp/.test(call.name),
      ...given({command: words})
    }
    const value = `http://${id}`
    const plain = withPrefix(id, {HTTP: value})
    return {id, value, variables: isPlain => ({[`services__${id}__http__0`]: value, ...(isPlain && plain)})}
  }

  #apply({id}: Resource, call: ChainCall): void {
    const service = this.services[id]
    if (service === undefined) return
    const other = this.#resources.get(call.words[0] ?? '')
    const areWritten = call.words.length === 0 && !call.texts.includes(undefined)
    const env = service['environment'] as Record<string, string>
    const needs = (service['depends_on'] ?? {}) as Record<string, Values>
    const note = (text: string): void => this.#note(id, call, text)
    if (/^With(?:Service)?Reference$/.test(call.name)) {
      if (other?.variables === undefined)
        note(`${call.name}(${call.words[0] ?? '…'}) is not carried over: what it refers to was not read`)
      else {
        const connection = call.named.get('connectionName') ?? call.texts[0]
        Object.assign(env, other.variables(service['x-dotnet'] === false, connection))
      }
    } else if (/^WaitFor(?:Completion|Start)?$/.test(call.name)) {
      const condition =
        {WaitForCompletion: 'service_completed_successfully', WaitForStart: 'service_started'}[call.name] ??
        'service_healthy'
      if (other !== undefined && other.id !== id) service['depends_on'] = {...needs, [other.id]: {condition}}
    } else if (call.name === 'WithEnvironment') {
      const [name = '', value = other && this.#valueOf(other)] = call.texts
      if (value === undefined || name === '')
        note(`${name === '' ? call.name : name} is not carried over: its value is not written here`)
      else env[name] = value.replaceAll('$', () => '$$')
    } else if (/^WithImage(?:Tag)?$/.test(call.name) && areWritten) {
      const known = call.name === 'WithImage' ? [] : [imageName(String(service['image']))]
      service['image'] = [...known, ...textsOf(call.texts)].join(':')
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
