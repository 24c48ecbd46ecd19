import {readdirSync} from 'node:fs'
import {join, relative} from 'node:path'
import {isDeepStrictEqual} from 'node:util'
import type {AppPlan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import {DEFAULT_CONFIGURATION, type Configuration} from './dapr-configuration.ts'
import {faultText, type ResourceFault} from './fault.ts'
import {endpointsFor, type Environment, type HttpEndpoint} from './http-endpoints.ts'
import {LoadedFile, NOTHING, readConfigFile, readFolderFile, type FolderFile} from './loaded-file.ts'
import {mergeResiliencies, type Resiliency} from './resiliency/resiliency.ts'
import {withOtelVariables} from './tracing-settings.ts'

/** The resources of one app. Nothing in it changes: when a file does, there is a new one. */
export interface ResourceSnapshot {
  /** Those that are for this app, each name once. */
  readonly endpoints: readonly HttpEndpoint[]
  readonly resiliency: Resiliency
  readonly configuration: Configuration
  /** What is wrong with its files as they are now, in the order of the files. */
  readonly faults: readonly ResourceFault[]
}

/** The resources of one app as long as its sidecar is open. */
export interface AppResources {
  readonly snapshot: ResourceSnapshot
  /** Calls the listener with each new snapshot; the returned function ends that. */
  onChange(listener: (snapshot: ResourceSnapshot) => void): () => void
  /** Nobody wants to hear of it any more. */
  close(): void
}

export interface ResourceStoreOptions {
  /** The environment that we were started in. */
  readonly env: Environment
  /** Files below it are shown by their path from there. */
  readonly cwd: string
  readonly reporter: Reporter
}

/** An app, as far as resources are concerned. */
type App = Pick<AppPlan, 'id' | 'resources'>

/**
 * The resource files of a run: each is read once, also where several apps have it, and again by `refresh`. No call reads a
 * file. A file that becomes broken keeps its last good content.
 */
export class ResourceStore {
  readonly #options: ResourceStoreOptions
  readonly #files = new Map<string, LoadedFile<FolderFile>>()
  readonly #configurations = new Map<string, LoadedFile<Configuration>>()
  readonly #apps = new Set<OpenResources>()
  readonly #told = new Set<string>()
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
      const opened = new OpenResources(app, this.#snapshotOf(app), () => this.#apps.delete(opened))
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

  /** Of all apps, each once. */
  get configurations(): readonly Configuration[] {
    return [...this.#configurations.values()].map(({value}) => value)
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

  #snapshotOf({id, resources: {folders, configFile}}: App): ResourceSnapshot {
    const {env} = this.#options
    const files = [...new Set(folders.flatMap(filesIn))].flatMap(path => this.#files.get(path) ?? [])
    const all = files.map(({value}) => value)
    const {endpoints, faults: doubles} = endpointsFor(
      all.flatMap(file => file.endpoints),
      id,
      env['NAMESPACE'] ?? ''
    )
    const {resiliency, faults} = mergeResiliencies(
      all.flatMap(file => file.resiliency ?? []),
      id
    )
    const configured = this.#configurations.get(configFile)
    const configuration = configured?.value ?? DEFAULT_CONFIGURATION
    return {
      endpoints,
      resiliency,
      configuration: {...configuration, tracing: withOtelVariables(configuration.tracing, env)},
      faults: [...files.flatMap(file => file.faults), ...doubles, ...faults, ...(configured?.faults ?? [])]
    }
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

const FOLDER_FILE: How<FolderFile> = {empty: NOTHING, read: readFolderFile}
const CONFIGURATION: How<Configuration> = {empty: DEFAULT_CONFIGURATION, read: readConfigFile}

class OpenResources implements AppResources {
  readonly app: App
  snapshot: ResourceSnapshot
  readonly #listeners = new Set<(snapshot: ResourceSnapshot) => void>()
  readonly #closed: () => void

  constructor(app: App, snapshot: ResourceSnapshot, closed: () => void) {
    this.app = app
    this.snapshot = snapshot
    this.#closed = closed
  }

  onChange(listener: (snapshot: ResourceSnapshot) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What is as before stays the same object: who has made something of it need not make it anew. */
  change({endpoints, resiliency, configuration, faults}: ResourceSnapshot): void {
    const {snapshot: before} = this
    const snapshot = {
      endpoints: isDeepStrictEqual(endpoints, before.endpoints) ? before.endpoints : endpoints,
      resiliency: isDeepStrictEqual(resiliency, before.resiliency) ? before.resiliency : resiliency,
      configuration: isDeepStrictEqual(configuration, before.configuration) ? before.configuration : configuration,
      faults
    }
    if (isDeepStrictEqual(snapshot, before)) return
    this.snapshot = snapshot
    for (const listener of this.#listeners) listener(snapshot)
  }

  close(): void {
    this.#listeners.clear()
    this.#closed()
  }
}

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
