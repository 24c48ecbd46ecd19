// Aspire: the manifest that an AppHost writes (learn.microsoft.com/dotnet/aspire/deployment/manifest-format; ManifestPublishingContext.cs of Aspire).
import {mkdtempSync, realpathSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join, relative, resolve} from 'node:path'
import {UserError} from '../../../model/errors.ts'
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
    const tool = toolFor(path, of, join(out, 'aspire-manifest.json'))
    await run(tool)
    const manifest = new Manifest(mapOf(jsonValues(textAt(tool.command.at(-1) ?? ''), tool)['resources']), out, root)
    const services = manifest.services()
    if (Object.keys(services).length === 0)
      throw new UserError(`cannot import ${of}: its manifest starts nothing on this machine`)
    const file = {path: join(root, 'apphost'), shownAs: of, text: ''}
    const imported = importServices({file, hasNoOrder: true, values: {services}, notes: manifest.notesOf, from: of})
    return {...imported, notes: [...manifest.notes, ...imported.notes]}
  } finally {
    rmSync(out, {recursive: true, force: true})
  }
}

/** `--publisher manifest` works from Aspire 8 on; an AppHost in TypeScript needs the Aspire CLI. */
function toolFor(path: string, of: string, file: string): OtherTool {
  const isProject = path.endsWith('proj')
  const isDotnet = isProject || path.endsWith('.cs')
  const dotnet = ['dotnet', 'run', isProject ? '--project' : '--file', path, '--', '--publisher', 'manifest']
  return {
    name: isDotnet ? 'the .NET SDK (dot.net)' : 'the Aspire CLI (aspire.dev)',
    of,
    command: [...(isDotnet ? dotnet : ['aspire', 'do', 'publish-manifest']), '--output-path', file],
    folder: dirname(path)
  }
}

const OF_DEPLOYMENT = /^(?:HTTPS?_PORTS|ASPNETCORE_FORWARDEDHEADERS_ENABLED)$/

const typeOf = (each: Values): string => textValue(each['type'])

class Manifest {
  readonly notesOf = new Map<string, string[]>()
  readonly notes: string[] = []
  readonly #resources: ReadonlyMap<string, Values>
  /** Returns a path of the manifest as one of the folder that is imported. */
  readonly #path: (path: unknown) => string

  constructor(resources: Values, out: string, root: string) {
    this.#resources = new Map(Object.entries(resources).map(([id, each]) => [id, mapOf(each)]))
    this.#path = path => pathTo(resolve(out, textValue(path)), root)
  }

  /** The resources that run, in the terms of a compose file; all others are notes or values. */
  services(): Readonly<Record<string, Values>> {
    const all = [...this.#resources]
    for (const [id, each] of all)
      if (!/^(?:project|executable|container|value|parameter|annotated)\./.test(typeOf(each)))
        this.notes.push(`${id}: left out: ${typeOf(each)} does not show what runs on this machine`)
    const run = all.filter(([, each]) => /^(?:project|executable|container)\./.test(typeOf(each)))
    return Object.fromEntries(run.map(([id, each]) => [id, this.#service(id, each)]))
  }

  #service(id: string, each: Values): Values {
    const [isProject, isExecutable] = ['project.', 'executable.'].map(start => typeOf(each).startsWith(start))
    const args = textsOf(each['args']).map(arg => this.#resolved(arg))
    const env = Object.entries(mapOf(each['env'])).flatMap(([name, value]) => {
      const text = this.#resolved(textValue(value))
      const [unknown] = /(?<!\$)\{[\w-]+\.[^{}]*\}/.exec(text) ?? []
      // programs of this machine serve plain HTTP
      if (unknown !== undefined && !OF_DEPLOYMENT.test(name) && !unknown.includes('.bindings.https.'))
        this.#note(id, `env: ${name}: ${unknown} is known where Aspire deploys it: write its value`)
      return unknown !== undefined || OF_DEPLOYMENT.test(name) ? [] : [[name, text] as const]
    })
    const common = {environment: Object.fromEntries(env), ports: portsOf(each)}
    if (isProject && args.length > 0) this.#note(id, `args: ${args.join(' ')}: write them behind -- in its command`)
    if (isProject) return {...common, build: {context: this.#path(dirname(textValue(each['path'])))}}
    const command = isExecutable ? [textValue(each['command']), ...args] : args
    const own = given({...common, command})
    if (isExecutable) return {...own, build: {context: this.#path(each['workingDirectory'])}, 'x-program': 'true'}
    return {...own, ...this.#image(each)}
  }

  /** The image of a container, and its mounts. */
  #image(each: Values): Values {
    const {context, dockerfile, stage: target, args} = mapOf(each['build'])
    const mounts = [...listedValues(each['volumes']), ...listedValues(each['bindMounts'])].map(mapOf)
    const volumes = mounts.map(({name, source, target: at, readOnly}) => {
      const from = source === undefined ? textValue(name) : this.#path(source)
      return `${from}:${textValue(at)}${readOnly === 'true' ? ':ro' : ''}`
    })
    const build = given({context: this.#path(context), dockerfile: dockerfile && this.#path(dockerfile), target, args})
    return given({
      ...(context === undefined ? {image: each['image']} : {build}),
      entrypoint: each['entrypoint'],
      volumes
    })
  }

  #note(id: string, text: string): void {
    this.notesOf.set(id, [...(this.notesOf.get(id) ?? []), text])
  }

  /** A text with its references replaced; a reference that is not known stays. Dollars are literal in it. */
  #resolved(typed: string): string {
    return typed
      .replaceAll('$', () => '$$')
      .replaceAll(/\{([\w-]+)\.([\w.-]+)\}/g, (whole, id: string, way: string) => {
        const resource = this.#resources.get(id)
        return (resource && this.#valueOf(id, resource, way)) ?? whole
      })
  }

  #valueOf(id: string, resource: Values, way: string): string | undefined {
    const [first = '', name = '', part = ''] = way.split('.')
    if (first === 'bindings') return addressOf(id, mapOf(mapOf(resource['bindings'])[name]), part)
    if ('inputs' in resource) return this.#parameter(id, resource)
    const value = resource[first]
    return typeof value === 'string' ? this.#resolved(value) : undefined
  }

  /** The value of a parameter: a generated one is the same on each machine, as a template is. */
  #parameter(id: string, {inputs}: Values): string {
    const initial = mapOf(mapOf(mapOf(inputs)['value'])['default'])
    const variable = `Parameters__${id.replaceAll(/\W/g, '_')}`
    const note =
      'generate' in initial
        ? `${id}: Aspire makes a value for each machine: here it is Local_1_${id}`
        : `${id}: a parameter without a value: set ${variable} where pillion is started`
    if (!('value' in initial) && !this.notes.includes(note)) this.notes.push(note)
    return 'generate' in initial
      ? `Local_1_${id}`
      : 'value' in initial
        ? textValue(initial['value']).replaceAll('$', () => '$$')
        : `\${${variable}}`
  }
}

const portsOf = ({bindings}: Values): readonly string[] =>
  Object.values(mapOf(bindings)).flatMap(binding => {
    const {port, targetPort, protocol} = mapOf(binding)
    const own = [port, targetPort].map(textValue).filter(Boolean).join(':')
    return targetPort === undefined ? [] : [own + (protocol === 'udp' ? '/udp' : '')]
  })

/** Part of the address of a resource, in the network of a compose file. Programs of this machine serve plain HTTP. */
function addressOf(id: string, {scheme, targetPort, port}: Values, part: string): string | undefined {
  const number = textValue(targetPort) || textValue(port)
  if (part === 'url')
    return scheme === 'https' ? undefined : `${textValue(scheme)}://${[id, number].filter(Boolean).join(':')}`
  if (part === 'host') return id
  return (part === 'port' || part === 'targetPort') && number !== '' ? number : undefined
}
