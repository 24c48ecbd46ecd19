import {existsSync} from 'node:fs'
import {dirname} from 'node:path'
import type {Environment} from '../../model/environment.ts'
import type {MovedPorts} from '../../model/moved-ports.ts'
import type {Reporter} from '../../model/reporter.ts'
import {SerialQueue} from '../../model/serial-queue.ts'
import {OpenResources, type App, type AppResources, type ResourceSnapshot} from './app-resources.ts'
import type {FactsOfType} from './component-types.ts'
import type {Configuration} from './dapr-configuration.ts'
import {usualComponents} from './default-components.ts'
import {NO_RESOURCES} from './defaults.ts'
import {faultText} from './fault.ts'
import type {ResourceFiles} from './resource-files.ts'
import {filesIn, shownFrom} from './resource-folder.ts'
import type {WorkflowAccessPolicy} from './workflow-access.ts'
import type {WithoutEffect} from './without-effect.ts'

/** How a store reads files, and where it reports mistakes. */
export interface ResourceContext {
  /** The environment of Pillion itself. */
  readonly env: Environment
  /** Working folder: paths below it are shown relative to it. */
  readonly cwd: string
  readonly reporter: Reporter
  /** Loads the facts about the types of Components. */
  readonly types: () => Promise<FactsOfType>
  /** Ports that this copy has in place of the files' ports, if any. */
  readonly movedPorts?: MovedPorts | undefined
}

/**
 * The resource files of a run. Each file is read once for all apps, and again by `refresh`; no call reads a file. A file that becomes
 * faulty keeps its last valid content.
 */
export class ResourceStore {
  readonly #context: ResourceContext
  /** The files; undefined: no app with resources was opened yet. */
  #files: ResourceFiles | undefined
  /** Resources of all apps, also of stopped ones, whose policies hold for requests to them. */
  readonly #apps = new Set<OpenResources>()
  /** Resources of apps that the run leaves out. Their mistakes are not reported, and resources of open apps win. */
  #leftOut: readonly OpenResources[] = []
  /** Texts of the current faults, all of which were reported. */
  #reported: ReadonlySet<string> = new Set()
  readonly #warned = new Set<string>()
  /** Whether the next refresh has to pass resources to the apps even if it reads no changed file. Files may have been read for a new app, or an edit may have changed ports. */
  #mustUpdateApps = false
  readonly #reads = new SerialQueue()

  constructor(context: ResourceContext) {
    this.#context = context
  }

  /** Reads the resources of an app. Reports mistakes, and does not fail because of them. */
  async open(app: App): Promise<AppResources> {
    return this.#inTurn(async () => {
      const {configFile, defaultFolder} = app.resources
      const files = this.#needsFiles(app) ? await this.#load() : this.#files
      const isNew = (await files?.read([app])) === true
      this.#mustUpdateApps ||= isNew
      const withoutFiles = {...NO_RESOURCES, components: usualComponents(app.resources)}
      const opened = new OpenResources(app, files?.snapshotOf(app) ?? withoutFiles, {
        warn: (code, text) => {
          if (dirname(configFile) === defaultFolder || this.#warned.has(text)) return
          this.#warned.add(text)
          this.#context.reporter.warn(code, text)
        },
        closed: () => this.#forgetClosed(app.id)
      })
      this.#apps.add(opened)
      this.#forgetClosed(app.id)
      // the new app's Configuration may be in a resource folder of other apps, where it counts from now on
      for (const each of isNew ? this.#all : [])
        if (files && each.app.resources.folders.includes(dirname(configFile))) each.change(files.snapshotOf(each.app))
      this.#reportFaults()
      return opened
    })
  }

  /** Reads the resources of apps that the run leaves out: their policies hold for requests to them. */
  async leaveOut(apps: readonly App[]): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#leftOut
      const files = apps.some(app => this.#needsFiles(app)) ? await this.#load() : this.#files
      // if the files cannot be read, known resources stay until the next refresh
      this.#leftOut = apps.map(app => {
        const known = before.find(each => each.app.id === app.id)?.snapshot ?? this.snapshotOf(app.id)
        const snapshot = known ?? {...NO_RESOURCES, components: usualComponents(app.resources)}
        return new OpenResources(app, snapshot, {warn: () => undefined, closed: () => undefined})
      })
      if (files === undefined) return
      if (await files.read(apps)) this.#mustUpdateApps = true
      for (const each of this.#leftOut) each.change(files.snapshotOf(each.app))
    })
  }

  /** The resources of open, stopped and left-out apps. */
  get #all(): readonly OpenResources[] {
    return [...this.#apps, ...this.#leftOut]
  }

  /** The paths to watch: folders with resources, folders that are still empty, and Configurations. `named` includes missing folders. */
  get followed(): Readonly<Record<'folders' | 'empty' | 'files' | 'named', readonly string[]>> {
    const apps = this.#all.map(({app}) => app.resources)
    const folders = [...new Set(apps.flatMap(each => each.folders))]
    const files = [...new Set(apps.map(each => each.configFile))].filter(file => file !== '')
    const empty = folders.filter(folder => !hasFiles(folder) && existsSync(folder))
    return {folders: folders.filter(hasFiles), empty, files, named: [...folders, ...files]}
  }

  /** Resources without effect, each once, except those in Dapr's own folder. */
  get withoutEffect(): readonly WithoutEffect[] {
    const all = [...this.#apps].flatMap(({app, snapshot}) => {
      const usual = `${shownFrom(this.#context.cwd, app.resources.defaultFolder)}/`
      return snapshot.withoutEffect.filter(({place}) => !place.file.startsWith(usual))
    })
    return [...new Map(all.map(each => [`${each.what} ${each.place.file}:${each.place.line}`, each])).values()]
  }

  /** Returns the resources of an app, also of a stopped one. Undefined if its sidecar was never open, nor was it left out. */
  snapshotOf(id: string): ResourceSnapshot | undefined {
    const isOf = ({app}: OpenResources): boolean => app.id === id
    return ([...this.#apps].findLast(isOf) ?? this.#leftOut.find(isOf))?.snapshot
  }

  /** Forgets the resources of an id whose last app has left the run, even if a sidecar is still closing. */
  appRemoved(id: string): void {
    for (const each of this.#apps) if (each.app.id === id) this.#apps.delete(each)
  }

  /** Forgets the resources of closed sidecars of an app, except the newest. */
  #forgetClosed(id: string): void {
    const all = [...this.#apps].filter(({app}) => app.id === id)
    for (const each of all.slice(0, -1)) if (each.isClosed) this.#apps.delete(each)
  }

  /** The WorkflowAccessPolicies of all apps, each once. */
  get accessPolicies(): ReadonlySet<WorkflowAccessPolicy> {
    return new Set([...this.#apps].flatMap(({snapshot}) => snapshot.accessPolicies))
  }

  /** The Configurations of all apps, each once. */
  get configurations(): readonly Configuration[] {
    return this.#files?.configurations ?? []
  }

  /** Reads changed files again, and informs their apps. */
  async refresh(): Promise<void> {
    await this.#inTurn(async () => {
      const apps = this.#all.map(({app}) => app)
      const files = this.#files ?? (apps.some(app => this.#needsFiles(app)) ? await this.#load() : undefined)
      if (files === undefined) return
      const isChanged = await files.read(apps)
      if (!files.forget(apps) && !isChanged && !this.#mustUpdateApps) return
      this.#mustUpdateApps = false
      for (const each of this.#all) each.change(files.snapshotOf(each.app))
      this.#reportFaults()
    })
  }

  /** Does work after all earlier work. After a failed read, the next refresh still informs the apps of earlier changes. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#reads.run(async () =>
      work().catch((error: unknown) => {
        this.#mustUpdateApps = true
        throw error
      })
    )
  }

  /** Called after an edit of plans or of moved ports. The next refresh informs the apps. */
  edited(): void {
    this.#mustUpdateApps = true
  }

  /** Whether an app has resource files, or tracing settings in the environment. Otherwise the code that reads files is not loaded. */
  #needsFiles({resources: {folders, configFile}}: App): boolean {
    return (
      configFile !== '' ||
      folders.some(hasFiles) ||
      Object.keys(this.#context.env).some(name => name.startsWith('OTEL_EXPORTER_OTLP_'))
    )
  }

  async #load(): Promise<ResourceFiles> {
    const [{ResourceFiles: Files}, factsOfType] = await Promise.all([
      import('./resource-files.ts'),
      this.#context.types()
    ])
    const shown = (path: string): string => shownFrom(this.#context.cwd, path)
    return (this.#files ??= new Files({env: this.#context.env, factsOfType}, shown, this.#context.movedPorts))
  }

  /** Reports each fault once, and again if it returns after a correction. */
  #reportFaults(): void {
    const texts = new Set([...this.#apps].flatMap(({snapshot}) => snapshot.faults.map(faultText)))
    const before = this.#reported
    this.#reported = texts
    for (const text of texts) if (!before.has(text)) this.#context.reporter.warn('resource-not-used', text)
  }
}

const hasFiles = (folder: string): boolean => filesIn(folder).length > 0
