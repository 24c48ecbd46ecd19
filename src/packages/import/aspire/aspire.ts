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
    const volumes = Object.fromEntries([...manifest.volumes].map(name => [name, {}]))
    const base = {path: join(root, 'apphost'), shownAs: of, text: ''}
    const imported = importServices({file: base, values: {services, volumes}, notes: manifest.notesOf, from: of})
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

const PROGRAM = /^(?:project|executable)\./
const isProgram = (resource: Values): boolean => PROGRAM.test(textValue(resource['type'])) || 'build' in resource

/** Types of resources that run. */
const RUN = /^(?:project|executable|container|dockerfile)\.v/
/** These, and the values of others. */
const KNOWN = /^(?:project|executable|container|dockerfile|value|parameter)\.v|^annotated\.string$/

class Manifest {
  readonly notesOf = new Map<string, string[]>()
  readonly notes: string[] = []
  readonly volumes = new Set<string>()
  readonly #resources: Values
  /** The folder of the manifest, which its paths count from. */
  readonly #out: string
  readonly #root: string

  constructor(resources: Values, out: string, root: string) {
    this.#resources = resources
    this.#out = out
    this.#root = root
  }

  /** The resources that run, in the terms of a compose file. */
  services(): Readonly<Record<string, Values>> {
    const all = Object.entries(this.#resources).map(([id, each]) => [id, mapOf(each)] as const)
    const services = all.flatMap(([id, each]) =>
      RUN.test(textValue(each['type'])) ? [[id, this.#service(id, each)] as const] : []
    )
    const others = all.map(([id, {type}]) => [id, textValue(type)] as const).filter(([, type]) => !KNOWN.test(type))
    for (const type of new Set(others.map(([, each]) => each))) {
      const ids = others.flatMap(([id, each]) => (each === type ? [id] : [])).join(', ')
      this.notes.push(`${ids}: left out: ${type || 'the manifest'} does not show what runs on this machine`)
    }
    for (const [id, {inputs}] of all) {
      const initial = mapOf(mapOf(mapOf(inputs)['value'])['default'])
      if ('generate' in initial)
        this.notes.push(`${id}: Aspire makes a value for each machine: here it is ${madeUp(id)}`)
      else if (inputs !== undefined && !('value' in initial))
        this.notes.push(`${id}: a parameter without a value: set ${variableOf(id)} where pillion is started`)
    }
    return Object.fromEntries(services)
  }

  #path = (path: unknown): string => pathTo(resolve(this.#out, textValue(path)), this.#root)

  #service(id: string, each: Values): Values {
    const needed = new Set<string>()
    const text = (typed: string): string => this.#resolved(typed, id, needed, 0)
    const env = Object.entries(mapOf(each['env'])).flatMap(([name, value]) => {
      if (isOfPublished(name, textValue(value), each)) return []
      const resolved = text(textValue(value))
      const [unknown] = /(?<!\$)\{[\w-]+\.[^{}]*\}/.exec(resolved) ?? []
      if (unknown === undefined) return [[name, resolved] as const]
      if (!/^\{[\w-]+\.bindings\.https\./.test(unknown))
        this.#note(id, `env: ${name}: ${unknown} is known where Aspire deploys it: write its value`)
      return []
    })
    const args = textsOf(each['args']).map(text)
    const ports = Object.values(mapOf(each['bindings'])).flatMap(binding => {
      const {port, targetPort, protocol} = mapOf(binding)
      const target = textValue(targetPort)
      const own = textValue(port) === '' ? target : `${textValue(port)}:${target}`
      return target === '' ? [] : [`${own}${protocol === 'udp' ? '/udp' : ''}`]
    })
    // a manifest has no order: a program waits for the containers whose addresses it gets
    const servers = [...needed].filter(name => name !== id && !isProgram(mapOf(this.#resources[name])))
    const common = {
      environment: Object.fromEntries(env),
      ports: ports.length > 0 ? ports : undefined,
      depends_on: isProgram(each)
        ? Object.fromEntries(servers.map(name => [name, {condition: 'service_healthy'}]))
        : undefined
    }
    const type = textValue(each['type'])
    if (type.startsWith('executable.')) {
      const words = [textValue(each['command']), ...args]
      const build = {context: this.#path(each['workingDirectory'])}
      return given({...common, build, command: words, 'x-program': 'true'})
    }
    if (type.startsWith('project.')) {
      if (args.length > 0) this.#note(id, `args: ${args.join(' ')}: write them behind -- in its command`)
      return given({...common, build: {context: this.#path(dirname(textValue(each['path'])))}})
    }
    const {
      context,
      dockerfile,
      stage,
      args: buildArgs
    } = mapOf(
      each['build'] ??
        (type.startsWith('dockerfile.') && {
          context: each['context'],
          dockerfile: each['path'],
          args: each['buildArgs']
        })
    )
    const build = given({
      context: this.#path(context),
      dockerfile: dockerfile && resolve(this.#out, textValue(dockerfile)),
      target: stage,
      args: buildArgs
    })
    return given({
      ...common,
      ...(context === undefined ? {image: each['image']} : {build}),
      entrypoint: each['entrypoint'],
      command: args.length > 0 ? args : undefined,
      volumes: this.#mounts(each)
    })
  }

  #mounts({volumes, bindMounts}: Values): readonly string[] {
    const all = [...listedValues(volumes), ...listedValues(bindMounts)].map(mapOf)
    return all.flatMap(({name, source, target, readOnly}) => {
      if (name !== undefined) this.volumes.add(textValue(name))
      const from = source === undefined ? textValue(name) : this.#path(source)
      return [[from, textValue(target), ...(readOnly === 'true' ? ['ro'] : [])].filter(Boolean).join(':')]
    })
  }

  #note(id: string, text: string): void {
    this.notesOf.set(id, [...(this.notesOf.get(id) ?? []), text])
  }

  /** A text with its references replaced; a reference that is not known stays. Dollars are literal in it. */
  #resolved(typed: string, owner: string, needed: Set<string>, depth: number): string {
    return typed
      .replaceAll('$', () => '$$')
      .replaceAll(/\{([\w-]+)\.([\w.-]+)\}/g, (whole, id: string, way: string) => {
        const resource = ownOf(this.#resources, id)
        return resource === undefined
          ? whole
          : (this.#valueOf(id, mapOf(resource), way, {owner, needed, depth}) ?? whole)
      })
  }

  #valueOf(
    id: string,
    resource: Values,
    way: string,
    {owner, needed, depth}: {readonly owner: string; readonly needed: Set<string>; readonly depth: number}
  ): string | undefined {
    const [first = '', name = '', part = ''] = way.split('.')
    if (first === 'bindings') {
      needed.add(id)
      return addressOf(id, mapOf(mapOf(resource['bindings'])[name]), part, isProgram(resource) && id !== owner)
    }
    if ('inputs' in resource) {
      const initial = mapOf(mapOf(mapOf(resource['inputs'])['value'])['default'])
      if ('generate' in initial) return madeUp(id)
      return 'value' in initial ? textValue(initial['value']).replaceAll('$', () => '$$') : `\${${variableOf(id)}}`
    }
    const value = resource[first]
    if (typeof value !== 'string' || depth > MAX_DEPTH) return undefined
    const found = this.#resolved(value, owner, needed, depth + 1)
    return resource['filter'] === 'uri' && !found.includes('${') ? encodeURIComponent(found) : found
  }
}

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
