import {readdirSync} from 'node:fs'
import {dirname, join, relative} from 'node:path'
import type {Reporter, WarningCode} from '../model/reporter.ts'
import {OpenResources, type App, type AppResources, type ResourceSnapshot} from './app-resources.ts'
import {areFor, isUnbuilt} from './components.ts'
import type {Configuration} from './dapr-configuration.ts'
import {faultText} from './fault.ts'
import {firstOfName, type Environment} from './http-endpoints.ts'
import {
  EMPTY_CONFIG,
  EMPTY_FILE,
  LoadedFile,
  readConfigFile,
  readFolderFile,
  type ConfigFile,
  type FolderFile
} from './loaded-file.ts'
import {mergeResiliencies} from './resiliency/resiliency.ts'
import {withOtelVariables} from './tracing-settings.ts'
import {unbuiltComponent, type WithoutEffect} from './without-effect.ts'

export interface ResourceStoreOptions {
  /** The environment that we were started in. */
  readonly env: Environment
  /** Files below it are shown by their path from there. */
  readonly cwd: string
  readonly reporter: Reporter
}

/**
 * The resource files of a run: each is read once, also where several apps have it, and again by `refresh`. No call reads a
 * file. A file that becomes broken keeps its last good content.
 */
export class ResourceStore {
  readonly #options: ResourceStoreOptions
  readonly #files = new Map<string, LoadedFile<FolderFile>>()
  readonly #configurations = new Map<string, LoadedFile<ConfigFile>>()
  readonly #apps = new Set<OpenResources>()
  readonly #told = new Set<string>()
  readonly #warned = new Set<string>()
  /** One reading after the other. */
  #reading: Promise<unknown> = Promise.resolve()

  constructor(options: ResourceStoreOptions) {
    this.#options = options
  }

  /** Reads what is there for an app. What is wrong with it is told; it is no reason to fail. */
  async open(app: App): Promise<AppResources> {
    return this.#inTurn(async () => {
      const {folders, configFile} = app.resources
      for (const folder of folders) await this.#loadFolder(folder)
      if (configFile !== '') await this.#load(this.#configurations, configFile, CONFIGURATION)
      const opened = new OpenResources(app, this.#snapshotOf(app), {
        warn: (code, text) => {
          if (dirname(configFile) !== app.resources.defaultFolder) this.#warnOnce(code, text)
        },
        closed: () => this.#apps.delete(opened)
      })
      this.#apps.add(opened)
      this.#tell()
      return opened
    })
  }

  /** Folders that hold resources which are read, and Configurations: what is to be followed. */
  get followed(): {readonly folders: readonly string[]; readonly files: readonly string[]} {
    const apps = [...this.#apps].map(({app}) => app.resources)
    const folders = new Set(apps.flatMap(each => each.folders))
    const files = new Set(apps.map(each => each.configFile))
    return {
      folders: [...folders].filter(folder => filesIn(folder).length > 0),
      files: [...files].filter(file => file !== '')
    }
  }

  /** What has no effect of what somebody has asked for: not of what lies in Dapr's own folder, each once. */
  get withoutEffect(): readonly WithoutEffect[] {
    const all = [...this.#apps].flatMap(({app, snapshot}) => {
      const usual = `${this.#shown(app.resources.defaultFolder)}/`
      return snapshot.withoutEffect.filter(({place}) => !place.file.startsWith(usual))
    })
    return [
      ...new Map(all.map(each => [`${each.what} ${each.place.file}:${each.place.line.toString()}`, each])).values()
    ]
  }

  /** Of all apps, each once. */
  get configurations(): readonly Configuration[] {
    return [...this.#configurations.values()].map(({value}) => value.configuration)
  }

  /** Reads again what has changed, and tells the apps that it is for. */
  async refresh(): Promise<void> {
    await this.#inTurn(async () => {
      const apps = [...this.#apps].map(({app}) => app.resources)
      const folders = new Set(apps.flatMap(each => each.folders))
      let isChanged = false
      for (const folder of folders) isChanged = (await this.#loadFolder(folder)) || isChanged
      for (const file of new Set(apps.map(each => each.configFile)))
        if (file !== '') isChanged = (await this.#load(this.#configurations, file, CONFIGURATION)) || isChanged
      const there = new Set([...folders].flatMap(filesIn))
      for (const file of this.#files.keys()) if (!there.has(file)) isChanged = this.#files.delete(file) || isChanged
      if (!isChanged) return
      for (const each of this.#apps) each.change(this.#snapshotOf(each.app))
      this.#tell()
    })
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#reading.then(work)
    this.#reading = done.catch(() => undefined)
    return done
  }

  async #loadFolder(folder: string): Promise<boolean> {
    let isChanged = false
    for (const file of filesIn(folder)) isChanged = (await this.#load(this.#files, file, FOLDER_FILE)) || isChanged
    return isChanged
  }

  async #load<T>(known: Map<string, LoadedFile<T>>, path: string, how: How<T>): Promise<boolean> {
    let file = known.get(path)
    if (file === undefined) {
      file = new LoadedFile(path, this.#shown(path), how)
      known.set(path, file)
    }
    return file.refresh(this.#options.env)
  }

  #shown(path: string): string {
    const short = relative(this.#options.cwd, path)
    return short.startsWith('..') ? path : short
  }

  #snapshotOf({id, resources: {folders, configFile, defaultFolder}}: App): ResourceSnapshot {
    const {env} = this.#options
    const paths = [...new Set(folders.flatMap(filesIn))].filter(path => path !== configFile)
    const files = paths.flatMap(path => this.#files.get(path) ?? [])
    const all = files.map(({value}) => value)
    const isFor = areFor(id, env['NAMESPACE'] ?? '')
    const {endpoints, faults: doubles} = firstOfName(all.flatMap(file => file.endpoints).filter(isFor))
    const usual = `${this.#shown(defaultFolder)}/`
    const components = all
      .flatMap(file => file.components)
      .filter(isFor)
      .map(each => (each.place.file.startsWith(usual) ? {...each, isDefault: true} : each))
    const {resiliency, faults} = mergeResiliencies(
      all.flatMap(file => file.resiliency ?? []),
      id
    )
    const configured = this.#configurations.get(configFile)
    const {configuration, withoutEffect} = configured?.value ?? EMPTY_CONFIG
    return {
      endpoints,
      components,
      resiliency,
      configuration: {...configuration, tracing: withOtelVariables(configuration.tracing, env)},
      withoutEffect: [
        ...components.filter(isUnbuilt).map(unbuiltComponent),
        ...all.flatMap(file => file.withoutEffect),
        ...withoutEffect
      ],
      faults: [...files.flatMap(file => file.faults), ...doubles, ...faults, ...(configured?.faults ?? [])]
    }
  }

  #warnOnce(code: WarningCode, text: string): void {
    if (this.#warned.has(text)) return
    this.#warned.add(text)
    this.#options.reporter.warn(code, text)
  }

  /** Each fault once; again when it was gone meanwhile. */
  #tell(): void {
    const texts = new Set([...this.#apps].flatMap(({snapshot}) => snapshot.faults.map(faultText)))
    for (const text of this.#told) if (!texts.has(text)) this.#told.delete(text)
    for (const text of texts) {
      if (this.#told.has(text)) continue
      this.#told.add(text)
      this.#options.reporter.warn('resource-not-used', text)
    }
  }
}

interface How<T> {
  readonly empty: T
  readonly read: ConstructorParameters<typeof LoadedFile<T>>[2]['read']
}

const FOLDER_FILE: How<FolderFile> = {empty: EMPTY_FILE, read: readFolderFile}
const CONFIGURATION: How<ConfigFile> = {empty: EMPTY_CONFIG, read: readConfigFile}

/** In the order of their names; none where there is no such folder, as may be with the default one. */
function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter(name => /\.ya?ml$/i.test(name))
      .toSorted()
      .map(name => join(folder, name))
  } catch {
    return []
  }
}
