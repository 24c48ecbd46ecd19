// Aspire: the manifest that an AppHost writes (learn.microsoft.com/dotnet/aspire/deployment/manifest-format; ManifestPublishingContext.cs of Aspire).
import {mkdtempSync, realpathSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {basename, dirname, join, relative, resolve} from 'node:path'
import {UserError} from '../../../model/errors.ts'
import {ownOf} from '../../../model/own.ts'
import {importServices} from '../compose/compose.ts'
import {pathTo, type Imported} from '../imported.ts'
import {textAt} from '../reading/files.ts'
import {jsonValues, type OtherTool, type RunTool} from '../reading/other-tool.ts'
import {given, listedValues, mapOf, textsOf, textValue, type Values} from '../reading/yaml-file.ts'

/** The apps of an AppHost. `root`: the folder that is imported. Rejects with a `UserError` if its manifest cannot be made, or starts nothing. */
export async function importAppHost(path: string, root: string, cwd: string, run: RunTool): Promise<Imported> {
  const of = relative(cwd, path)
  const out = mkdtempSync(join(realpathSync(tmpdir()), 'pillion-aspire-'))
  try {
    const file = join(out, 'aspire-manifest.json')
    const tool = toolFor(path, of, file)
    await run(tool)
    const manifest = new Manifest(mapOf(jsonValues(textAt(file), tool)['resources']), out, root)
    const services = manifest.services()
    if (Object.keys(services).length === 0)
      throw new UserError(`cannot import ${of}: its manifest starts nothing on this machine`)
    const base = {path: join(root, 'apphost'), shownAs: of, text: ''}
    const imported = importServices({file: base, values: {services}, notes: manifest.notesOf, from: of})
    const withoutFile = 'build: its Dockerfile is one that Aspire writes for its manifest alone: write a command'
    const apps = imported.apps.map(app =>
      JSON.stringify(app.keys).includes(basename(out)) ? {...app, notes: [...app.notes, withoutFile]} : app
    )
    return {...imported, apps, notes: [...manifest.notes, ...imported.notes]}
  } finally {
    rmSync(out, {recursive: true, force: true})
  }
}

/** `--publisher manifest` works from Aspire 8 on; an AppHost in TypeScript needs the Aspire CLI. */
function toolFor(path: string, of: string, file: string): OtherTool {
  const isProject = path.endsWith('proj')
  const dotnet = ['dotnet', 'run', isProject ? '--project' : '--file', path, '--', '--publisher', 'manifest']
  const isDotnet = isProject || path.endsWith('.cs')
  return {
    name: isDotnet ? 'the .NET SDK (dot.net)' : 'the Aspire CLI (aspire.dev)',
    of,
    command: [...(isDotnet ? dotnet : ['aspire', 'do', 'publish-manifest']), '--output-path', file],
    folder: dirname(path)
  }
}

/** Types of resources that run. */
const RUN = /^(?:project|executable|container|dockerfile)\.v/
/** These, and the values of others. */
const KNOWN = /^(?:project|executable|container|dockerfile|value|parameter)\.v|^annotated\.string$/
const isProgram = (resource: Values): boolean =>
  /^(?:project|executable)\./.test(textValue(resource['type'])) || 'build' in resource

class Manifest {
  readonly notesOf = new Map<string, string[]>()
  readonly notes: string[] = []
  readonly #resources: ReadonlyMap<string, Values>
  /** The folder of the manifest, which its paths count from. */
  readonly #out: string
  readonly #root: string

  constructor(resources: Values, out: string, root: string) {
    this.#resources = new Map(Object.entries(resources).map(([id, each]) => [id, mapOf(each)]))
    this.#out = out
    this.#root = root
  }

  /** The resources that run, in the terms of a compose file. */
  services(): Readonly<Record<string, Values>> {
    const others = new Map<string, string[]>()
    for (const [id, each] of this.#resources) {
      const [type, initial] = [textValue(each['type']), initialOf(each)]
      if (!KNOWN.test(type)) others.set(type, [...(others.get(type) ?? []), id])
      if ('generate' in initial)
        this.notes.push(`${id}: Aspire makes a value for each machine: here it is ${madeUp(id)}`)
      else if ('inputs' in each && !('value' in initial))
        this.notes.push(`${id}: a parameter without a value: set ${variableOf(id)} where pillion is started`)
    }
    for (const [type, ids] of others)
      this.notes.push(`${ids.join(', ')}: left out: ${type || 'the manifest'} does not show what runs on this machine`)
    const run = [...this.#resources].filter(([, {type}]) => RUN.test(textValue(type)))
    return Object.fromEntries(run.map(([id, each]) => [id, this.#service(id, each)]))
  }

  #service(id: string, each: Values): Values {
    const needed = new Set<string>()
    const from = {owner: id, needed, depth: 0}
    const [type, args] = [textValue(each['type']), textsOf(each['args']).map(arg => this.#resolved(arg, from))]
    const ports = Object.values(mapOf(each['bindings'])).flatMap(binding => {
      const [port, target, protocol] = ['port', 'targetPort', 'protocol'].map(key => textValue(mapOf(binding)[key]))
      const own = [port, target].filter(Boolean).join(':')
      return target === '' ? [] : [`${own}${protocol === 'udp' ? '/udp' : ''}`]
    })
    const environment = Object.fromEntries(
      Object.entries(mapOf(each['env'])).flatMap(([name, value]) => this.#variable(name, textValue(value), each, from))
    )
    // a manifest has no order: a program waits for the containers whose addresses it gets
    const servers = [...needed].filter(name => name !== id && !isProgram(this.#resources.get(name) ?? {}))
    const waits = Object.fromEntries(servers.map(name => [name, {condition: 'service_healthy'}]))
    const common = {environment, ...(ports.length > 0 && {ports}), ...(isProgram(each) && {depends_on: waits})}
    if (type.startsWith('executable.')) {
      const command = [textValue(each['command']), ...args]
      return {...common, build: {context: this.#path(each['workingDirectory'])}, command, 'x-program': 'true'}
    }
    if (type.startsWith('project.')) {
      if (args.length > 0) this.#note(id, `args: ${args.join(' ')}: write them behind -- in its command`)
      return {...common, build: {context: this.#path(dirname(textValue(each['path'])))}}
    }
    return {...common, ...this.#image(each), ...(args.length > 0 && {command: args})}
  }

  /** The variable of a resource, none with a note if only a deployment knows its value. */
  #variable(name: string, typed: string, each: Values, from: Reference): readonly (readonly [string, string])[] {
    if (isOfPublished(name, typed, each)) return []
    const value = this.#resolved(typed, from)
    const [unknown = ''] = /(?<!\$)\{[\w-]+\.[^{}]*\}/.exec(value) ?? []
    if (unknown === '') return [[name, value]]
    if (!/^\{[\w-]+\.bindings\.https\./.test(unknown))
      this.#note(from.owner, `env: ${name}: ${unknown} is known where Aspire deploys it: write its value`)
    return []
  }

  /** The image of a container, and its mounts; `dockerfile.v0` is the first form of `container.v1`. */
  #image(each: Values): Values {
    const own = mapOf(each['build'])
    const {
      context,
      dockerfile,
      stage: target,
      args
    } = 'build' in each ? own : ({...each, dockerfile: each['path'], args: each['buildArgs']} as Values)
    const file = dockerfile && resolve(this.#out, textValue(dockerfile))
    const build = given({context: this.#path(context), dockerfile: file, target, args})
    const mounts = [...listedValues(each['volumes']), ...listedValues(each['bindMounts'])].map(mapOf)
    return given({
      ...(context === undefined ? {image: each['image']} : {build}),
      entrypoint: each['entrypoint'],
      volumes: mounts.map(({name, source, target: at, readOnly}) =>
        [source === undefined ? name : this.#path(source), at, ...(readOnly === 'true' ? ['ro'] : [])]
          .map(textValue)
          .filter(Boolean)
          .join(':')
      )
    })
  }

  #path = (path: unknown): string => pathTo(resolve(this.#out, textValue(path)), this.#root)

  #note(id: string, text: string): void {
    this.notesOf.set(id, [...(this.notesOf.get(id) ?? []), text])
  }

  /** A text with its references replaced; a reference that is not known stays. Dollars are literal in it. */
  #resolved(typed: string, from: Reference): string {
    return literal(typed).replaceAll(/\{([\w-]+)\.([\w.-]+)\}/g, (whole, id: string, way: string) => {
      const resource = this.#resources.get(id)
      return (resource && this.#valueOf(id, resource, way.split('.'), from)) ?? whole
    })
  }

  #valueOf(
    id: string,
    resource: Values,
    [first = '', name = '', part = '']: readonly string[],
    from: Reference
  ): string | undefined {
    if (first === 'bindings') {
      from.needed.add(id)
      return addressOf(id, mapOf(mapOf(resource['bindings'])[name]), part, isProgram(resource) && id !== from.owner)
    }
    if ('inputs' in resource) {
      const initial = initialOf(resource)
      if ('generate' in initial) return madeUp(id)
      return 'value' in initial ? literal(textValue(initial['value'])) : `\${${variableOf(id)}}`
    }
    const value = resource[first]
    if (typeof value !== 'string' || from.depth > MAX_DEPTH) return undefined
    const found = this.#resolved(value, {...from, depth: from.depth + 1})
    return resource['filter'] === 'uri' && !found.includes('${') ? encodeURIComponent(found) : found
  }
}

/** The resource whose text has a reference. */
interface Reference {
  readonly owner: string
  /** Ids of resources whose addresses it gets. */
  readonly needed: Set<string>
  readonly depth: number
}

const literal = (text: string): string => text.replaceAll('$', () => '$$')

/** The first value of a parameter. */
const initialOf = ({inputs}: Values): Values => mapOf(mapOf(mapOf(inputs)['value'])['default'])

/** References that lead on to others; more are a circle. */
const MAX_DEPTH = 20

/** Aspire reads a parameter from this variable, too. */
const variableOf = (id: string): string => `Parameters__${id.replaceAll(/\W/g, '_')}`

/** A password that servers accept, in the place of a random one: a template is the same on each machine. */
const madeUp = (id: string): string => `Local_1_${id}`

/** Part of the address of a resource, in the network of a compose file. Programs of this machine serve plain HTTP. */
function addressOf(id: string, binding: Values, part: string, isOther: boolean): string | undefined {
  const scheme = textValue(binding['scheme'])
  const port = textValue(binding['targetPort']) || textValue(binding['port'])
  if (isOther && scheme === 'https') return undefined
  if (part === 'url') return `${scheme}://${id}${port === '' ? '' : `:${port}`}`
  return ownOf({host: id, port: port || undefined, targetPort: port || undefined, scheme}, part)
}

/** Variables that a manifest sets for a deployment alone. */
const isOfPublished = (name: string, value: string, {type, build}: Values): boolean =>
  /^(?:HTTPS?_PORTS|ASPNETCORE_FORWARDEDHEADERS_ENABLED)$/.test(name)
    ? textValue(type).startsWith('project.')
    : name === 'NODE_ENV' && value === 'production' && build !== undefined
