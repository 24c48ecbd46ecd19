import type {FileVariables} from '../../model/expansion.ts'
import {movedText, portsNamed, type MovedPorts} from '../../model/moved-ports.ts'
import {dirname} from 'node:path'
import type {App, ResourceSnapshot} from './app-resources.ts'
import {isUnbuilt} from './component-support.ts'
import {denialOf} from './denied-types.ts'
import {areFor, doubleComponents, type ComponentResource} from './components.ts'
import {usualComponents} from './default-components.ts'
import type {Configuration} from './dapr-configuration.ts'
import {firstOfName} from './http-endpoints.ts'
import {
  CONFIG_FILE,
  EMPTY_CONFIG,
  FOLDER_FILE,
  LoadedFile,
  type ConfigFile,
  type FileKind,
  type FolderFile,
  type ReadContext
} from './loaded-file.ts'
import {mergeResiliencies} from './resiliency/resiliency.ts'
import {filesIn} from './resource-folder.ts'
import {withOtelVariables} from './read-tracing-settings.ts'
import type {TracingSettings} from './tracing-settings.ts'
import {unbuiltComponent} from './without-effect.ts'

/** Content of a run's resource files. Each is parsed once, also for several apps. */
export class ResourceFiles {
  readonly #context: ReadContext
  readonly #shown: (path: string) => string
  readonly #movedPorts: MovedPorts
  readonly #files = new Map<string, LoadedFile<FolderFile>>()
  readonly #configurations = new Map<string, LoadedFile<ConfigFile>>()

  /** `shown`: returns a path for messages. `movedPorts`: ports that this copy has in place of those in the files. */
  constructor(context: ReadContext, shown: (path: string) => string, movedPorts: MovedPorts = new Map()) {
    this.#context = context
    this.#shown = shown
    this.#movedPorts = movedPorts
  }

  get configurations(): readonly Configuration[] {
    return [...this.#configurations.values()].map(({value}) => value.configuration)
  }

  /** Reads new and changed files of these apps. Resolves with true if any content has changed. */
  async read(apps: readonly App[]): Promise<boolean> {
    let isChanged = false
    for (const {resources} of apps)
      for (const folder of resources.folders) {
        // files in Dapr's own folder are shared with Dapr: their text is not changed
        const variables = dirname(folder) === resources.defaultFolder ? undefined : resources.variables
        for (const file of filesIn(folder))
          isChanged = (await this.#load(this.#files, file, FOLDER_FILE, variables)) || isChanged
      }
    for (const file of new Set(apps.map(({resources}) => resources.configFile)))
      if (file !== '') isChanged = (await this.#load(this.#configurations, file, CONFIG_FILE)) || isChanged
    return isChanged
  }

  /** Forgets files that no app's folder has any more. Returns whether there were some. */
  forget(apps: readonly App[]): boolean {
    const there = new Set(apps.flatMap(({resources}) => resources.folders.flatMap(filesIn)))
    const gone = [...this.#files.keys()].filter(file => !there.has(file))
    for (const file of gone) this.#files.delete(file)
    return gone.length > 0
  }

  snapshotOf({id, resources: {folders, configFile, defaultFolder}}: App): ResourceSnapshot {
    const {env} = this.#context
    const movedPorts = this.#movedPorts
    const paths = [...new Set(folders.flatMap(filesIn))]
    const files = paths.flatMap(path => this.#files.get(path) ?? [])
    const all = files.map(({value}) => value)
    const configurations = new Set([...this.#configurations.keys()].map(path => this.#files.get(path)?.value))
    const others = all.filter(file => !configurations.has(file))
    const isFor = areFor(id, env['NAMESPACE'] ?? '')
    const {endpoints, faults: doubles} = firstOfName(all.flatMap(file => file.endpoints).filter(isFor))
    const usual = `${this.#shown(defaultFolder)}/`
    const named = [...usualComponents({folders, defaultFolder}), ...all.flatMap(file => file.components)]
      .filter(isFor)
      .map(each => (each.place.file.startsWith(usual) ? {...each, isDefault: true} : each))
    const {resiliency, faults} = mergeResiliencies(
      all.flatMap(file => file.resiliency ?? []),
      id
    )
    const configured = this.#configurations.get(configFile)
    const {configuration, withoutEffect} = configured?.value ?? EMPTY_CONFIG
    const denials = named.flatMap(each => denialOf(configuration.deniedTypes, each) ?? [])
    const components = named
      .filter(each => denials.every(({component}) => component !== each))
      .map(each => movedComponent(each, movedPorts))
    return {
      endpoints: endpoints.map(each => ({...each, baseUrl: movedText(each.baseUrl, movedPorts)})),
      components,
      subscriptions: all.flatMap(file => file.subscriptions).filter(isFor),
      resiliency,
      accessPolicies: all.flatMap(file => file.accessPolicies).filter(isFor),
      mcpServers: all.flatMap(file => file.mcpServers.filter(isFor).map(({name}) => name)),
      configuration: {
        ...configuration,
        tracing: movedTracing(withOtelVariables(configuration.tracing, env), movedPorts)
      },
      withoutEffect: [
        ...components.filter(isUnbuilt).map(unbuiltComponent),
        ...denials,
        ...others.flatMap(file => file.withoutEffect),
        ...withoutEffect
      ],
      references: others.flatMap(file => file.references),
      faults: [
        ...files.flatMap(file => file.faults),
        ...doubles,
        ...doubleComponents(components),
        ...faults,
        ...(configured?.faults ?? [])
      ]
    }
  }

  async #load<T>(
    known: Map<string, LoadedFile<T>>,
    path: string,
    kind: FileKind<T>,
    variables?: FileVariables
  ): Promise<boolean> {
    const file = known.get(path) ?? new LoadedFile(path, this.#shown(path), kind)
    known.set(path, file)
    return file.refresh({...this.#context, variables})
  }
}

/** Adds to a component the ports that this copy replaces. */
function movedComponent(component: ComponentResource, movedPorts: MovedPorts): ComponentResource {
  if (movedPorts.size === 0) return component
  const moved = [...portsNamed(component.properties)].flatMap(from => {
    const to = movedPorts.get(from)
    return to === undefined || to === from ? [] : [[from, to] as const]
  })
  return moved.length === 0 ? component : {...component, moved}
}

/** Replaces ports in the addresses of collectors: an app of the template that collects spans has another port in this copy. */
const movedTracing = (settings: TracingSettings, moved: MovedPorts): TracingSettings => ({
  ...settings,
  zipkinUrl: movedText(settings.zipkinUrl, moved),
  otlp: settings.otlp && {...settings.otlp, endpoint: movedText(settings.otlp.endpoint, moved)}
})
